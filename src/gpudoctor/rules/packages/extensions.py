"""Packages compiled against one torch: another release, another ABI, another CUDA."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gpudoctor.kb.software import packages as kb_packages
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Package
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.terms.sentence import said, together
from gpudoctor.model.terms.shell import command_step, environment_step, sentence_step
from gpudoctor.model.terms.version import local_label
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding
from gpudoctor.rules.packages.companions import (
    COMPANIONS,
    demanded_torch,
    evidence_of,
    meets,
    pinned_torch,
)

_NEEDS = ("torch.version", "packages")
# A build tag such as `cu12torch2.6cxx11abiFALSE` (flash-attn, causal-conv1d, mamba-ssm) or
# `pt25cu124`, which packages put into the local label of their version.
_TORCH = late_pattern(r"(?:torch|pt)(\d)\.?(\d{1,2})", re.ASCII | re.IGNORECASE)
_CUDA = late_pattern(r"cu(?:da)?(\d{2})\d{0,2}(?!\d)", re.ASCII | re.IGNORECASE)
_ABI = late_pattern(r"cxx11abi(true|false)", re.ASCII | re.IGNORECASE)
_NOT_EXTENSIONS = (*COMPANIONS, "torch", "xformers", "triton")


def build_tag(package: Package) -> str:
    """What a package says it was built for; empty where it says nothing."""
    return package.build or local_label(package.version or "")


def _tagged(case: Case) -> Iterator[tuple[Package, str]]:
    """Installed extensions whose build tag names a torch."""
    for package in case.packages.values():
        tag = build_tag(package)
        if tag and package.name not in _NOT_EXTENSIONS and _TORCH.search(tag):
            yield package, tag


@rule(
    "extension-torch-abi-mismatch",
    uses=("libraries",),
    needs=_NEEDS,
    follows=("wrong-torch-copy-imported",),
)
def extension_torch_abi_mismatch(case: Case) -> Iterator[Finding | Unknown]:
    """An extension was compiled against another release of torch."""
    torch = case.facts.torch
    if torch is None or not torch.version:
        return
    have = knowledge.numbers(torch.version)[:2]
    for package, tag in _tagged(case):
        match = _TORCH.search(tag)
        built = (int(match[1]), int(match[2])) if match else have
        if built != have:
            yield _other_torch(case, package, f"{built[0]}.{built[1]}", Severity.ERROR)
    exact = kb_packages.kernel_packages()
    for package in case.packages.values():
        if package.name in _NOT_EXTENSIONS or _TORCH.search(build_tag(package)):
            continue
        pin = pinned_torch(package.requires)
        if pin is None or not (package.name in case.code_owners or package.name in exact):
            continue
        if knowledge.numbers(pin)[:2] != have:
            yield _other_torch(case, package, pin, Severity.WARNING)


def _other_torch(case: Case, package: Package, built: str, severity: Severity) -> Finding:
    return finding(
        "extension-torch-abi-mismatch",
        said(
            "built-for-other-torch",
            f"{package.name} {package.version} was built for torch {built}, and "
            f"{case.torch_name} is installed",
            package=package,
        ),
        "Compiled extensions fit one release of torch. With another, importing them fails with "
        "`undefined symbol`.",
        severity=severity,
        evidence=[
            evidence_of(case, package, build_tag(package) or f"requires torch=={built}"),
            case.evidence("torch.version"),
        ],
        clears_with=("install", "source-build", "uninstall"),
        remedies=(
            command_step(
                "source-build",
                "Build it anew against this torch, or install its wheel for this torch.",
                (
                    *case.pip,
                    *("install", "--force-reinstall", "--no-deps", "--no-cache-dir"),
                    *("--no-build-isolation", package.name),
                ),
                risk="medium",
                executable=False,
            ),
        ),
    )


@rule(
    "extension-cxx11abi-flag-mismatch",
    needs=(*_NEEDS, "torch.cxx11_abi"),
    unless=("extension-torch-abi-mismatch",),
)
def extension_cxx11abi_flag_mismatch(case: Case) -> Iterator[Finding | Unknown]:
    """The right torch release, compiled with the other C++ string layout."""
    torch = case.facts.torch
    if torch is None or torch.cxx11_abi is None or case.host.os == "windows":
        return
    for package, tag in _tagged(case):
        match = _ABI.search(tag)
        if match is None or (match[1].lower() == "true") == torch.cxx11_abi:
            continue
        flag = "TRUE" if torch.cxx11_abi else "FALSE"
        yield finding(
            "extension-cxx11abi-flag-mismatch",
            f"{package.name} {package.version} was built with the other C++ ABI "
            f"than torch {torch.version}",
            "C++ has an old and a new layout of strings. torch and its extensions must agree on "
            f"it; this torch has cxx11abi{flag}. Importing the extension fails with `undefined "
            "symbol`.",
            evidence=[evidence_of(case, package, tag), case.evidence("torch.cxx11_abi")],
            clears_with=("install", "source-build", "uninstall"),
            remedies=(
                sentence_step(
                    "install",
                    f"Install the wheel of {package.name} whose name says cxx11abi{flag}.",
                ),
            ),
        )


@rule(
    "extension-other-cuda-major",
    needs=(*_NEEDS, "torch.cuda"),
    unless=("extension-torch-abi-mismatch",),
)
def extension_other_cuda_major(case: Case) -> Iterator[Finding | Unknown]:
    """An extension of torch was compiled with another CUDA major than torch."""
    torch = case.facts.torch
    major = knowledge.major(torch.cuda) if torch else None
    if torch is None or major is None:
        return
    for package, tag in _tagged(case):
        match = _CUDA.search(tag)
        if match is None or int(match[1]) == major:
            continue
        there = any(
            kb_packages.library_of(name) == "cudart"
            and kb_packages.cuda_major_of(name, other.version) == int(match[1])
            for name, other in case.nvidia_packages.items()
        )
        yield finding(
            "extension-other-cuda-major",
            f"{package.name} {package.version} was built for CUDA {match[1]}, and torch "
            f"{torch.version} for CUDA {major}",
            f"The extension asks for libcudart.so.{match[1]}, which this torch does not bring, and "
            "two CUDA runtimes in one process do not share their data.",
            severity=Severity.WARNING if there else Severity.ERROR,
            evidence=[evidence_of(case, package, tag), case.evidence("torch.cuda")],
            clears_with=("install", "source-build", "uninstall"),
        )


@rule("xformers-built-for-other-torch", needs=_NEEDS, follows=("wrong-torch-copy-imported",))
def xformers_built_for_other_torch(case: Case) -> Iterator[Finding | Unknown]:
    """xformers was compiled against another torch."""
    torch = case.facts.torch
    package = case.packages.get("xformers")
    if torch is None or not torch.version or package is None or not package.version:
        return
    demand = demanded_torch(package.requires)
    if demand is None:
        known = kb_packages.torch_for("xformers", package.version)
        series = ".*" if known and known.count(".") == 1 else ""
        demand = f"=={known}{series}" if known and known[:1].isdigit() else known or ""
    if meets(torch.version, demand):
        return
    built = pinned_torch((f"torch{demand}",))
    yield finding(
        "xformers-built-for-other-torch",
        together(
            f"xformers {package.version} ",
            said("built-for-other-torch", f"was built for torch {built}", package=package)
            if built
            else said(
                "demands-other-torch", f"needs torch{demand}", package=package, demand=demand
            ),
            f", and torch {torch.version} is installed",
        ),
        "xformers then warns on import and runs without its compiled attention kernels, or "
        "programs that need them stop.",
        evidence=[evidence_of(case, package), case.evidence("torch.version")],
        clears_with=("install", "uninstall"),
    )


@rule(
    "bitsandbytes-no-binary-for-cuda",
    needs=(*_NEEDS, "torch.cuda", "libraries"),
    where="libraries",
)
def bitsandbytes_no_binary_for_cuda(case: Case) -> Iterator[Finding | Unknown]:
    """bitsandbytes brings one library for each CUDA, and none for torch's."""
    torch = case.facts.torch
    if torch is None or torch.cuda is None or case.environment.get("BNB_CUDA_VERSION"):
        return
    found = {
        match[1]
        for library in case.facts.libraries
        if library.distribution == "bitsandbytes"
        and (match := re.search(r"libbitsandbytes_cuda(\d{3})", library.path))
    }
    wanted = "".join(torch.cuda.split(".")[:2])
    if not found or wanted in found:
        return
    near = any(item[:2] == wanted[:2] for item in found)
    package = case.packages.get("bitsandbytes")
    yield finding(
        "bitsandbytes-no-binary-for-cuda",
        f"bitsandbytes {package.version if package else ''} has no library for CUDA {torch.cuda}",
        f"It brings one library for each CUDA version (here {', '.join(sorted(found))}) and loads "
        "the one of torch's. Without it, 8-bit and 4-bit functions fail.",
        severity=Severity.WARNING if near else Severity.ERROR,
        evidence=[
            *([evidence_of(case, package)] if package else []),
            case.evidence("torch.cuda"),
        ],
        clears_with=("install", "environment"),
        remedies=(
            command_step(
                "install",
                "Install its newest release.",
                (*case.pip, "install", "-U", "bitsandbytes"),
                risk="medium",
                executable=False,
            ),
            *(
                (
                    environment_step(
                        "Or let it load the library that it has for the same CUDA major version.",
                        {"BNB_CUDA_VERSION": max(x for x in found if x[:2] == wanted[:2])},
                        "environment",
                    ),
                )
                if near
                else ()
            ),
        ),
    )

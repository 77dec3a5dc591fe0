"""NVIDIA's libraries as wheels: the versions that torch requires, and none over another."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gpudoctor.compat.builds import cudnn_may_stay
from gpudoctor.kb.software import packages
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Requirement
from gpudoctor.model.finding import Evidence, Finding
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.terms.shell import sentence_step
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding, several

_EXACT = late_pattern(r"={2,3}\s*([0-9][^,;\s]*)\Z", re.ASCII)
# Libraries whose file name does not carry CUDA's major: the wheels of two majors put the same
# file into the same folder, and the one installed last wins.
_SHARED_FILES = ("cudnn", "nccl", "cusparselt", "nvshmem")


def exact(specifier: str) -> str | None:
    """The one version that a specifier allows: `==9.1.0.70` → `9.1.0.70`."""
    match = _EXACT.match(specifier.strip())
    return match[1] if match and not match[1].endswith("*") else None


def _nvidia(case: Case) -> Iterator[Requirement]:
    torch = case.facts.torch
    if torch is not None and torch.cuda is not None:
        yield from (item for item in torch.requires if item.name.startswith("nvidia-"))


@rule(
    "cuda-library-pin-mismatch",
    uses=("torch.cuda",),
    needs=("torch.requires",),
    where="requires",
)
def cuda_library_pin_mismatch(case: Case) -> Iterator[Finding | Unknown]:
    """An installed nvidia-* wheel has another version than torch's metadata demands."""
    seen = [device.capability for device in case.visible if device.capability]
    wrong = [
        (item, wanted)
        for item in _nvidia(case)
        if item.installed
        and (wanted := exact(item.specifier))
        and knowledge.numbers(item.installed) != knowledge.numbers(wanted)
        and not cudnn_may_stay(item.name, item.installed, wanted, seen)
    ]
    if not wrong:
        return
    listed = several([f"{item.name} {item.installed} (wanted {wanted})" for item, wanted in wrong])
    yield finding(
        "cuda-library-pin-mismatch",
        f"{case.torch_name} requires other versions of {listed}",
        "torch is tested with one version of each of NVIDIA's libraries. Another package has "
        "replaced them; errors from cuDNN, cuBLAS or NCCL, or missing symbols, can follow.",
        evidence=[
            Evidence(
                fact=f"torch.requires.{item.name}",
                value=f"{item.installed} installed, {item.specifier} required",
                source=case.sheet.source("torch.requires"),
            )
            for item, _ in wrong
        ],
        clears_with=("install",),
    )


@rule(
    "cuda-wheel-library-missing",
    uses=("torch.cuda", "host.os"),
    needs=("torch.requires", "loader"),
    where="requires",
)
def cuda_wheel_library_missing(case: Case) -> Iterator[Finding | Unknown]:
    """A library that torch links to is not installed, and the loader finds no other copy."""
    elsewhere = {item.name for item in case.facts.loader}
    missing = [
        item
        for item in _nvidia(case)
        if item.installed is None
        and packages.library_of(item.name) in _LOOKED_FOR
        and packages.library_of(item.name) not in elsewhere
    ]
    if not missing or case.host.os != "linux":
        return
    yield finding(
        "cuda-wheel-library-missing",
        f"{several([item.name for item in missing])} is not installed, and torch needs it",
        "torch keeps NVIDIA's libraries in packages of their own. Without one of them `import "
        "torch` fails with `cannot open shared object file`.",
        evidence=[
            Evidence(
                fact=f"torch.requires.{item.name}",
                value=f"not installed, {item.specifier or 'any'} required",
                source=case.sheet.source("torch.requires"),
            )
            for item in missing
        ],
        clears_with=("install",),
    )


# What is looked for on the loader's path too; of others a system's copy could be overlooked.
_LOOKED_FOR = ("cudnn", "cublas", "nccl", "nvjitlink", "cupti", "cudart", "nvrtc", "cusparse")


@rule("nvidia-wheels-two-cuda-majors", needs=("packages",), where="packages")
def nvidia_wheels_two_cuda_majors(case: Case) -> Iterator[Finding | Unknown]:
    """Wheels of one library for two CUDA majors, which write the same files."""
    found: dict[str, dict[int, str]] = {}
    for name, package in case.nvidia_packages.items():
        library = packages.library_of(name)
        major = packages.cuda_major_of(name, package.version) if library else None
        if library in _SHARED_FILES and major is not None:
            found.setdefault(str(library), {})[major] = name
    double = {library: names for library, names in found.items() if len(names) > 1}
    if not double:
        return
    listed = [name for names in double.values() for _, name in sorted(names.items())]
    yield finding(
        "nvidia-wheels-two-cuda-majors",
        f"{several(listed)} overwrite each other's files",
        "Both packages put the same file into the same folder, so the one installed last wins. "
        "torch then loads a library built for another CUDA than its own.",
        evidence=[
            Evidence(
                fact=f"packages.{name}",
                value=case.packages[name].version or "unknown",
                source=case.packages[name].location or case.sheet.source("packages"),
            )
            for name in listed
        ],
        clears_with=("uninstall", "install"),
        remedies=(
            sentence_step(
                "install",
                "Uninstall those that torch does not require, then install the others again, "
                "each in its version: `pip install --force-reinstall --no-deps …`.",
            ),
        ),
    )

"""Copies of CUDA libraries on LD_LIBRARY_PATH that come before the ones torch brings.

Only that variable is judged: what `ld.so.conf` lists comes after the paths written into torch's
own libraries (ld.so(8)), so a toolkit installed there shadows nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.kb.software import packages
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import LoaderLibrary
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.terms.shell import environment_step
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding

_NEEDS = ("loader", "packages", "torch")
_UNSET = environment_step(
    "Remove LD_LIBRARY_PATH from the environment, or take that folder alone out of it.",
    {"LD_LIBRARY_PATH": None},
    "environment",
)


def older(case: Case, library: str) -> tuple[LoaderLibrary, str, str] | None:
    """An older copy on LD_LIBRARY_PATH of the same major: it, its version, torch's version.

    The major stands in the file's name that is asked for, so another one is never taken.
    """
    torch = case.facts.torch
    if torch is None or torch.cuda is None:
        return None
    own = _own_version(case, library)
    if own is None:
        return None
    for copy in case.facts.loader:
        if copy.name != library or copy.via != "LD_LIBRARY_PATH" or not copy.version:
            continue
        if "site-packages" in copy.path or "dist-packages" in copy.path:
            continue
        have, wanted = knowledge.numbers(copy.version), knowledge.numbers(own)
        depth = min(len(have), len(wanted), 3)
        # The first copy on the path is the one that is taken.
        if depth < 2 or have[:1] != wanted[:1] or have[:depth] >= wanted[:depth]:
            return None
        return copy, copy.version, own
    return None


def _own_version(case: Case, library: str) -> str | None:
    """The version of the copy that came with torch, as a wheel beside it."""
    torch = case.facts.torch
    major = knowledge.major(torch.cuda) if torch else None
    for name, package in case.nvidia_packages.items():
        if packages.library_of(name) == library and package.version:
            of = packages.cuda_major_of(name, package.version)
            if of is None or of == major:
                return package.version
    return None


def _found(
    case: Case,
    name: str,
    library: str,
    title: str,
    detail: str,
    severity: Severity,
) -> Iterator[Finding]:
    hit = older(case, library)
    if hit is None:
        return
    copy, version, own = hit
    yield finding(
        name,
        title.format(version=version, own=own),
        detail,
        severity=severity,
        evidence=[
            Evidence(
                fact=f"loader.{library}", value=f"{copy.path} ({version})", source=copy.via or ""
            ),
            Evidence(fact=f"packages.{library}", value=own, source=case.sheet.source("packages")),
        ],
        clears_with=("environment",),
        next_look="`LD_DEBUG=libs python -c 'import torch' 2>&1 | grep 'calling init'` shows which "
        "copy is loaded.",
        remedies=(_UNSET,),
    )


@rule("nvjitlink-older-on-library-path", uses=("torch.cuda",), needs=_NEEDS)
def nvjitlink_older_on_library_path(case: Case) -> Iterator[Finding | Unknown]:
    """libcusparse finds an nvJitLink that lacks the symbols of its own version."""
    yield from _found(
        case,
        "nvjitlink-older-on-library-path",
        "nvjitlink",
        "LD_LIBRARY_PATH puts nvJitLink {version} before the {own} that torch needs",
        "`import torch` fails with `undefined symbol: __nvJitLink…`: the sparse-matrix library "
        "that torch brings asks for functions which the older copy does not have.",
        Severity.ERROR,
    )


@rule("cudnn-version-incompatible", uses=("torch.cuda",), needs=_NEEDS)
def cudnn_version_incompatible(case: Case) -> Iterator[Finding | Unknown]:
    """An older cuDNN stands before torch's."""
    yield from _found(
        case,
        "cudnn-version-incompatible",
        "cudnn",
        "LD_LIBRARY_PATH puts cuDNN {version} before the {own} that torch brings",
        "If parts of the older copy are loaded, torch stops with `cuDNN version incompatibility` "
        "or CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH.",
        Severity.WARNING,
    )


@rule("cublas-mixed-with-system-cuda", uses=("torch.cuda",), needs=_NEEDS)
def cublas_mixed_with_system_cuda(case: Case) -> Iterator[Finding | Unknown]:
    """An older cuBLAS stands before torch's, whose two halves must be of one version."""
    yield from _found(
        case,
        "cublas-mixed-with-system-cuda",
        "cublas",
        "LD_LIBRARY_PATH puts cuBLAS {version} before the {own} that torch brings",
        "cuBLAS consists of two libraries of one version. Halves of two versions in one process "
        "fail with CUBLAS_STATUS_EXECUTION_FAILED or NOT_INITIALIZED.",
        Severity.WARNING,
    )


@rule("nccl-older-copy-loaded", uses=("torch.cuda",), needs=_NEEDS)
def nccl_older_copy_loaded(case: Case) -> Iterator[Finding | Unknown]:
    """An older NCCL stands before torch's."""
    yield from _found(
        case,
        "nccl-older-copy-loaded",
        "nccl",
        "LD_LIBRARY_PATH puts NCCL {version} before the {own} that torch brings",
        "If the older copy is loaded, `import torch` fails with `undefined symbol: nccl…`, or "
        "training on several GPUs does.",
        Severity.WARNING,
    )


@rule("cupti-older-on-library-path", uses=("torch.cuda",), needs=_NEEDS)
def cupti_older_on_library_path(case: Case) -> Iterator[Finding | Unknown]:
    """An older CUPTI stands before torch's."""
    yield from _found(
        case,
        "cupti-older-on-library-path",
        "cupti",
        "LD_LIBRARY_PATH puts CUPTI {version} before the {own} that torch brings",
        "CUPTI is the library of the profiler. If the older copy is loaded, `import torch` fails "
        "with an undefined symbol, or the profiler does.",
        Severity.WARNING,
    )

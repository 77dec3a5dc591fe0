"""A distribution as a whole on one GPU: what fails there, and what is no fault.

Kernels that a distribution only adds for other GPUs do not decide whether it runs. Which ones
those are is told from how its libraries compare, weighed by their containers:

* Of several builds of one library for different CUDA versions one that runs is enough.
* A library is made for few GPUs on purpose if it serves at most half as many compute capabilities
  as the broadest (`general.py`); a few containers make no library the broadest.
* Code for newer GPUs alone is an addition where the rest runs; where nothing runs, only if the
  distribution is made of nothing else but code for single generations (torchao).

It fails where most of the rest has no code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from gpudoctor.binaries.judgement.coverage import CanJit, Coverage, coverage
from gpudoctor.binaries.judgement.general import (
    architectures,
    containers,
    for_single_generations,
    made_on_purpose,
    widest_breadth,
)
from gpudoctor.binaries.names import without_cuda
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.model.parts.binary import CodeGroup, Library
from gpudoctor.model.value import dataclass

ON_PURPOSE = "made for few GPUs on purpose, beside broader libraries of its distribution"
OTHER_BUILD = "the distribution brings another build of it, which runs"
FOR_NEWER = "made for newer GPUs alone, as an addition to its distribution"

Cover = Callable[[Library, ComputeCapability], Coverage]


@dataclass(frozen=True, slots=True)
class LibraryOnGpu:
    """One library of a distribution on one GPU."""

    library: Library
    coverage: Coverage
    ignored: str | None = None
    """Why it says nothing that some of it does not run; `None`: it does say something."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A distribution on one GPU; counts are of containers."""

    parts: tuple[LibraryOnGpu, ...]
    """In the order of the libraries."""
    runnable: int
    lacking: int
    """Those that have no code for this GPU, although they are meant for it."""
    fails: bool
    """Whether it does not run there."""


def judge_distribution(
    libraries: Sequence[Library],
    gpu: ComputeCapability,
    can_jit: CanJit | None = None,
    cover: Cover | None = None,
) -> Whole:
    """How a distribution of these libraries fares on `gpu`.

    `can_jit` is as in `coverage`, which `cover` can take the place of.
    """
    cover = cover or (lambda library, gpu: coverage(library, gpu, can_jit))
    found = [cover(library, gpu) for library in libraries]
    running = {
        name
        for library, each in zip(libraries, found, strict=True)
        if each.runnable and (name := without_cuda(library.path)) is not None
    }
    widest = widest_breadth(libraries)
    runnable = lacking = newer = special = 0
    reasons: list[str | None] = []
    for library, each in zip(libraries, found, strict=True):
        reason = None
        if each.status == "none" and without_cuda(library.path) in running:
            reason = OTHER_BUILD
        elif each.status == "none" and made_on_purpose(library, widest):
            reason = ON_PURPOSE
            special += containers(library)
        else:
            special += for_single_generations(library)
            runnable += each.runnable
            above = _above(each.missing, gpu)
            newer += above
            lacking += sum(group.count for group in each.missing) - above
        reasons.append(reason)
    total = sum(containers(library) for library in libraries)
    additions = bool(runnable) or (not lacking and widest <= 2 and 2 * special >= total)
    fails = lacking > runnable if additions else bool(lacking or newer)
    if additions:
        reasons = [
            reason or _addition(library, each, gpu)
            for library, each, reason in zip(libraries, found, reasons, strict=True)
        ]
    parts = tuple(map(LibraryOnGpu, libraries, found, reasons))
    return Whole(parts, runnable, lacking if additions else lacking + newer, fails)


def _addition(library: Library, found: Coverage, gpu: ComputeCapability) -> str | None:
    # torch needs all of its libraries: what leaves a GPU out there is a gap, and is shown.
    if found.status != "none" or library.distribution == "torch":
        return None
    return FOR_NEWER if _above(found.missing, gpu) == found.of else None


def _above(groups: Iterable[CodeGroup], gpu: ComputeCapability) -> int:
    """How many of the containers are for newer GPUs than this one alone."""
    return sum(
        group.count
        for group in groups
        if all(each.capability > gpu for each in architectures(group.sass + group.ptx))
    )

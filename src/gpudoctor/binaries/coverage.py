"""Which part of a library's kernels run on a GPU. Pure.

A fatbin container is one translation unit. It runs natively if one of its images does, and
otherwise through PTX that the driver compiles. What the device linker made of relocatable
objects carries no PTX; if none of its images fits, the driver links the objects again, which
succeeds if every object has PTX or machine code for the GPU ("JIT linking" in NVIDIA's nvcc
manual).

Kernels made for one architecture on purpose do not count against other GPUs. Such a container
serves a single compute capability, in a library whose other containers serve several: the
sm_90a kernels of CUTLASS in onnxruntime-gpu and vllm, the sm_100f ones in NCCL. They are
chosen at run time by the host code, so their absence elsewhere is no fault. In a library all
of whose containers serve one capability (an extension built on the spot), they are the
library, and count. docs/scan.md lists the libraries on which this was checked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from gpudoctor.compat.architecture import (
    Architecture,
    ComputeCapability,
    can_be_jitted,
    runs_natively,
)
from gpudoctor.model.facts import CodeGroup, Library

Status = Literal["native", "jit", "partial", "none"]
CanJit = Callable[[str | None], bool]
"""Whether the driver compiles PTX of an ISA version (`"9.0"`; `None` if it is not known)."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a library runs on one GPU; counts are of containers."""

    gpu: ComputeCapability
    status: Status
    """`native`: all of it as it is. `jit`: all, some of it through PTX. `partial`: some of it
    has nothing. `none`: nothing of it runs."""
    runnable: int
    of: int
    """The containers that count: those made for one architecture on purpose do not."""
    missing: tuple[CodeGroup, ...] = ()
    """The groups that count and do not run."""
    jit: tuple[CodeGroup, ...] = ()
    """The groups that run through PTX alone."""
    too_new_ptx: tuple[CodeGroup, ...] = ()
    """Those of `missing` whose PTX would do, if the driver could compile it."""

    @property
    def below_floor(self) -> bool:
        """Whether all that is missing is for newer GPUs than this one, as if on purpose."""
        return bool(self.missing) and all(
            _architecture(name).capability > self.gpu
            for group in self.missing
            for name in group.sass + group.ptx
        )


def coverage(library: Library, gpu: ComputeCapability, can_jit: CanJit | None = None) -> Coverage:
    """How much of `library` runs on `gpu`.

    `can_jit` says which PTX the driver compiles; without it every driver is taken to compile
    any. A library that carries relocatable code alone is judged as if the driver linked it.
    """
    relinks = bool(library.relocatable) and all(
        _runs(group, gpu) or _jits(group, gpu, can_jit) for group in library.relocatable
    )
    serving = general_groups(library)
    native = runnable = 0
    missing, jit, too_new = [], [], []
    for group in serving:
        if _runs(group, gpu):
            native += group.count
            runnable += group.count
        elif _jits(group, gpu, can_jit) or (group.relinkable and relinks):
            runnable += group.count
            jit.append(group)
        else:
            missing.append(group)
            if _jits(group, gpu, None):
                too_new.append(group)
    total = sum(group.count for group in serving)
    status: Status = "partial"
    if native == total:
        status = "native"
    elif runnable == total:
        status = "jit"
    elif not runnable:
        status = "none"
    return Coverage(gpu, status, runnable, total, tuple(missing), tuple(jit), tuple(too_new))


def general_groups(library: Library) -> tuple[CodeGroup, ...]:
    """The groups on which coverage is judged: those whose absence on a GPU is a fault."""
    groups = library.groups or library.relocatable
    if not library.relocatable:
        # A device link without objects (libcurand for Windows has one) holds no kernels.
        groups = tuple(group for group in groups if not group.relinkable) or groups
    return tuple(group for group in groups if _serves_several(group)) or groups


def _serves_several(group: CodeGroup) -> bool:
    return len({_architecture(name).capability for name in group.sass + group.ptx}) > 1


def _runs(group: CodeGroup, gpu: ComputeCapability) -> bool:
    return any(runs_natively(_architecture(name), gpu) for name in group.sass)


def _jits(group: CodeGroup, gpu: ComputeCapability, can_jit: CanJit | None) -> bool:
    if not any(can_be_jitted(_architecture(name), gpu) for name in group.ptx):
        return False
    return can_jit is None or can_jit(group.ptx_isa)


@lru_cache(maxsize=256)
def _architecture(name: str) -> Architecture:
    return Architecture.parse(name)

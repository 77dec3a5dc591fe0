"""Which part of a library's kernels run on a GPU. Pure.

A fatbin container is one translation unit. It runs natively if one of its images does, and
otherwise through PTX that the driver compiles. What the device linker made of relocatable
objects carries no PTX; if none of its images fits, the driver links the objects again, which
succeeds if every object has PTX or machine code for the GPU ("JIT linking" in NVIDIA's nvcc
manual).

Coverage is judged on the general kernels of a library (`general.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from gpudoctor.binaries.judgement.general import architectures, has_machine_code, split_groups
from gpudoctor.compat.architecture import ComputeCapability, can_be_jitted
from gpudoctor.model.parts.binary import CodeGroup, Library
from gpudoctor.model.value import dataclass

Status = Literal["native", "jit", "partial", "none"]
CanJit = Callable[[str | None], bool]
"""Whether the driver compiles PTX of an ISA version (`"9.0"`; `None` if it is not known)."""


@dataclass(frozen=True, slots=True)
class GpuByGfx:
    """A GPU of AMD's, by its instruction set."""

    gfx: str

    @property
    def sm(self) -> str:
        """The name of its machine code, `gfx1100`."""
        return self.gfx


@dataclass(frozen=True, slots=True)
class IntelGpu:
    """A GPU of Intel's, by its IP version."""

    version: str
    """Architecture and release, `20.1`."""
    target: str
    """What the compiler calls it, `bmg-g21`."""

    @property
    def sm(self) -> str:
        """The name of its machine code, `bmg-g21`."""
        return self.target


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a library runs on one GPU; counts are of containers."""

    gpu: ComputeCapability | GpuByGfx | IntelGpu
    status: Status
    """`native`: all of it as it is. `jit`: all, some of it through PTX. `partial`: some of it
    has nothing. `none`: nothing of it runs."""
    runnable: int
    of: int
    """The containers that count: those made for a few GPUs on purpose do not."""
    missing: tuple[CodeGroup, ...] = ()
    """The groups that count and do not run."""
    jit: tuple[CodeGroup, ...] = ()
    """The groups that run through PTX alone."""
    too_new_ptx: tuple[CodeGroup, ...] = ()
    """Those of `missing` whose PTX would do, if the driver could compile it."""

    @property
    def below_floor(self) -> bool:
        """Whether all that is missing is for newer GPUs than this one, as if on purpose."""
        gpu = self.gpu
        return (
            isinstance(gpu, ComputeCapability)
            and bool(self.missing)
            and all(
                each.capability > gpu
                for group in self.missing
                for each in architectures(group.sass + group.ptx)
            )
        )


def coverage(library: Library, gpu: ComputeCapability, can_jit: CanJit | None = None) -> Coverage:
    """How much of `library` runs on `gpu`.

    `can_jit` says which PTX the driver compiles; without it every driver is taken to compile
    any. A library that carries relocatable code alone is judged as if the driver linked it.
    """
    relinks = bool(library.relocatable) and all(
        has_machine_code(group, gpu) or _jits(group, gpu, can_jit) for group in library.relocatable
    )
    general, special = split_groups(library, gpu)
    serving = general
    if all(has_machine_code(each, gpu) for each in general):
        # A special kernel that leaves a GPU out is no fault, but one that runs there through PTX
        # is used, and the library as a whole does not run as it is.
        serving += tuple(
            each
            for each in special
            if not has_machine_code(each, gpu) and _jits(each, gpu, can_jit)
        )
    native = runnable = 0
    missing, jit, too_new = [], [], []
    for group in serving:
        if has_machine_code(group, gpu):
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


def _jits(group: CodeGroup, gpu: ComputeCapability, can_jit: CanJit | None) -> bool:
    if not any(can_be_jitted(each, gpu) for each in architectures(group.ptx)):
        return False
    return can_jit is None or can_jit(group.ptx_isa)


def driver_compiles(cuda: str | None) -> CanJit | None:
    """Which PTX a driver compiles that serves CUDA `cuda` (`12.8`); `None` without a driver.

    PTX of an unknown version is taken to compile: only a proven fault is reported.
    """
    if cuda is None:
        return None
    from gpudoctor.compat.driver import compiles_ptx_isa

    return lambda isa: isa is None or compiles_ptx_isa(cuda, isa) is not False

"""Which part of a library's images for Intel GPUs runs on one of them. Pure.

An archive of the library has an image for each GPU that the compiler was given, so that as many
images as one GPU has at most are all of its kernels. What is left out lies there as SPIR-V too,
or does not run.
"""

from __future__ import annotations

from gpudoctor.binaries.judgement.coverage import Coverage, IntelGpu, Status
from gpudoctor.compat.intel_target import OTHER, SPIRV, runs_on
from gpudoctor.model.parts.binary import Library


def intel_coverage(library: Library, gpu: IntelGpu) -> Coverage:
    """How much of `library` runs on `gpu`; counts are of images for one GPU."""
    images = {name: count for name, count in library.xpu.items() if name != OTHER}
    compiled = {name: count for name, count in images.items() if name != SPIRV}
    total = max(images.values(), default=0)
    native = max((n for name, n in compiled.items() if runs_on(name, gpu.version)), default=0)
    runnable = max(native, images.get(SPIRV, 0))
    status: Status = "partial"
    if not runnable:
        status = "none"
    elif native == total:
        status = "native"
    elif runnable == total:
        status = "jit"
    return Coverage(gpu, status, runnable, total)


def has_intel_code(library: Library) -> bool:
    """Whether it holds images for Intel GPUs whose kind is known."""
    return bool(set(library.xpu) - {OTHER})

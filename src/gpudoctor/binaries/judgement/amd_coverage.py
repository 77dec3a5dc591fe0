"""Which part of a library's AMD code runs on a GPU. Pure.

A bundle is one translation unit; it runs if one of its code objects does. Of a distribution one
library that runs is enough: some bring one for each ROCm and load the one that fits.
"""

from __future__ import annotations

from gpudoctor.binaries.judgement.coverage import Coverage, GpuByGfx, Status
from gpudoctor.compat.amd_target import best_service
from gpudoctor.model.parts.binary import BundleGroup, Library


def amd_coverage(library: Library, gpu: GpuByGfx) -> Coverage:
    """How much of `library` runs on `gpu`; counts are of bundles.

    Code that was moved to kernel archives counts as one bundle of what is there.
    """
    groups = library.bundles
    if library.kernel_archive is not None:
        groups += (BundleGroup(targets=library.archived),)
    native = runnable = 0
    for group in groups:
        service = best_service(group.targets, gpu.gfx)
        native += group.count if service == "native" else 0
        runnable += group.count if service != "none" else 0
    total = sum(group.count for group in groups)
    status: Status = "partial"
    if not runnable:
        status = "none"
    elif native == total:
        status = "native"
    elif runnable == total:
        status = "jit"
    return Coverage(gpu, status, runnable, total)


def has_amd_code(library: Library) -> bool:
    """Whether it holds AMD's code, or names the archives that do."""
    return bool(library.bundles) or library.kernel_archive is not None

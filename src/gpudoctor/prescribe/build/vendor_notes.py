"""What to know beside a build for AMD GPUs: what is passed over, WSL, what dropped a GPU."""

from __future__ import annotations

from gpudoctor.kb.hardware.amd_gpus import blas_gap
from gpudoctor.kb.software import torch_releases
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.facts import Gpu
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.sentence import said
from gpudoctor.model.terms.version import numbers
from gpudoctor.prescribe.request.target import Target, is_passed_over, served


def vendor_notes(sheet: FactSheet, target: Target, build: Build | None = None) -> tuple[str, ...]:
    """Each sentence with its condition: nothing is said that does not hold for this machine."""
    here = [gpu for _, gpu in served(sheet)]
    older = [gpu.name for gpu in here if is_passed_over(gpu) and gpu.name]
    if older and not (target.gpus or target.gfx or target.intel):
        text = (
            "PyTorch's builds for Intel GPUs serve Arc cards and the graphics of Core Ultra "
            f"processors; {older[0]} is older, so that PyTorch runs on the CPU."
        )
        return (said("older-than-served", text, name=older[0]),)
    if not target.gfx:
        return ()
    notes: list[str] = [
        said(
            "inside-the-processor",
            f"{_called(gpu)}, the graphics inside the processor, is passed over: "
            "torch runs on the card.",
            gfx=gpu.gfx,
        )
        for gpu in here
        if gpu.vendor == "amd" and gpu.integrated and gpu.gfx and gpu.gfx not in target.gfx
    ]
    for gfx in target.gfx if build is not None else ():
        if build is not None and (other := _without_blas(build, gfx)) is not None:
            text = (
                f"torch {other.torch}+{other.variant} has torch's own code for {gfx} too, and its "
                "rocBLAS has none: the first matrix product fails there (GPU618)."
            )
            label = {"torch": other.torch, "variant": other.variant}
            notes.append(said("left-by-rocblas", text, gfx=gfx, **label))
    if target.wsl:
        text = (
            "Under WSL, ROCm needs Windows 11, a current AMD driver on Windows and librocdxg in "
            "the distribution; there is no /dev/kfd by design."
        )
        notes.append(said("in-wsl", text))
    return tuple(notes)


def _called(gpu: Gpu) -> str:
    return f"{gpu.name} ({gpu.gfx})" if gpu.name else str(gpu.gfx)


def _without_blas(build: Build, gfx: str) -> Build | None:
    """The newest other build for the platform with torch's code for a GPU, and no rocBLAS for it.

    Only those that somebody may take in place of `build`: of its release, or newer.
    """
    found = [
        other
        for other in torch_releases.builds()
        if gfx in other.gfx
        and gfx in blas_gap(other.variant, reported=True)
        and other.exists
        and other.platform == build.platform
        and numbers(other.torch) >= numbers(build.torch)
    ]
    return max(
        found,
        key=lambda one: (numbers(one.torch), numbers(one.variant.removeprefix("rocm"))),
        default=None,
    )

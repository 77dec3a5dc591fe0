"""What to know beside a build for AMD GPUs: what is passed over, WSL, what dropped a GPU."""

from __future__ import annotations

from gpudoctor.compat.amd_target import build_serves
from gpudoctor.kb.software import torch_releases
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.facts import Gpu
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.sentence import said
from gpudoctor.model.terms.version import numbers
from gpudoctor.prescribe.request.target import Target, served


def vendor_notes(sheet: FactSheet, target: Target, build: Build | None = None) -> tuple[str, ...]:
    """Each sentence with its condition: nothing is said that does not hold for this machine."""
    if not target.gfx:
        return ()
    notes: list[str] = [
        said(
            "inside-the-processor",
            f"{_called(gpu)}, the graphics inside the processor, is passed over: "
            "torch runs on the card.",
            gfx=gpu.gfx,
        )
        for _, gpu in served(sheet)
        if gpu.vendor == "amd" and gpu.integrated and gpu.gfx and gpu.gfx not in target.gfx
    ]
    for gfx in target.gfx if build is not None else ():
        if build is not None and _dropped_by_blas(build, gfx):
            text = (
                f"Newer builds still have torch's own code for {gfx}, and their rocBLAS has none: "
                "the first matrix product fails there (GPU618)."
            )
            notes.append(said("left-by-rocblas", text, gfx=gfx, torch=build.torch))
    if target.wsl:
        text = (
            "Under WSL, ROCm needs Windows 11, a current AMD driver on Windows and librocdxg in "
            "the distribution; there is no /dev/kfd by design."
        )
        notes.append(said("in-wsl", text))
    return tuple(notes)


def _called(gpu: Gpu) -> str:
    return f"{gpu.name} ({gpu.gfx})" if gpu.name else str(gpu.gfx)


def _dropped_by_blas(build: Build, gfx: str) -> bool:
    """Whether a newer build for the platform has torch's code for a GPU, and no rocBLAS for it."""
    return any(
        gfx in other.gfx and not build_serves(other, gfx)
        for other in torch_releases.builds()
        if other.exists
        and other.platform == build.platform
        and numbers(other.torch) >= numbers(build.torch)
    )

"""What the published builds of torch run on: code, toolkits, platforms.

Pure rules over `gpudoctor.kb.software.torch_releases`. Rules, solver, triage and the kernels'
proof all ask here, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Literal

from gpudoctor.compat.architecture import (
    Architecture,
    ComputeCapability,
    can_be_jitted,
    runs_natively,
)
from gpudoctor.kb.hardware import nvidia_gpus as kb_gpus
from gpudoctor.kb.software import cuda as kb_cuda
from gpudoctor.kb.software import packages as kb_packages
from gpudoctor.kb.software import torch_releases
from gpudoctor.model.terms.platform import Platform, platform_of
from gpudoctor.model.terms.version import numbers

Side = Literal["new", "old"]
"""On which side of a build's code a GPU lies that none of it serves."""


@cache
def architecture(name: str) -> Architecture | None:
    """The parsed name of an architecture; `None` for a name that nobody knows."""
    try:
        return Architecture.parse(name)
    except ValueError:
        return None


def architectures(names: Iterable[str]) -> list[Architecture]:
    """Those of the names that are architectures."""
    return [found for name in names if (found := architecture(name)) is not None]


@cache
def native(sass: tuple[str, ...], gpu: ComputeCapability) -> bool:
    """Whether one of the machine codes `sass` runs on `gpu` as it is."""
    return any(runs_natively(code, gpu) for code in architectures(sass))


@cache
def jittable(ptx: tuple[str, ...], gpu: ComputeCapability) -> bool:
    """Whether one of the PTX images could be compiled for `gpu`."""
    return any(can_be_jitted(code, gpu) for code in architectures(ptx))


def side(codes: Iterable[str], gpu: ComputeCapability) -> Side:
    """Whether a GPU that none of `codes` serves is newer than they are, or older.

    A Tegra part counts as newer: desktop code stands on both sides of its number, and none of it
    runs there. Of a GPU in a gap between them, its generation decides: those before Ampere are
    the ones that lists of architectures leave out as old.
    """
    known = [code.capability for code in architectures(codes)]
    if gpu.is_tegra or not known or gpu > max(known):
        return "new"
    return "old" if gpu < min(known) or gpu.major < 8 else "new"


@cache
def is_served(gpu: ComputeCapability, platform: str | None) -> bool:
    """Whether a published CUDA build runs natively on a GPU (on any platform if it is `None`)."""
    return any(
        build.kind == "cuda"
        and build.exists
        and platform in (None, build.platform)
        and native(build.sass, gpu)
        for build in torch_releases.builds()
    )


@cache
def serving(gpu: ComputeCapability, platform: str | None) -> tuple[torch_releases.Build, ...]:
    """The published CUDA builds that serve a GPU with all that they bring, oldest first.

    A build whose cuDNN has left the GPU behind does not serve it, whatever torch itself carries.
    """
    return tuple(
        build
        for build in torch_releases.builds()
        if build.kind == "cuda"
        and build.exists
        and platform in (None, build.platform)
        and native(build.sass, gpu)
        and not _below_cudnn(build.cudnn, gpu)
    )


def cudnn_may_stay(
    name: str, installed: str | None, pin: str, gpus: Iterable[ComputeCapability]
) -> bool:
    """Whether a cuDNN newer than torch's pin may stay: of the same major, and serving the GPUs."""
    if not kb_packages.may_stay_newer(name, installed, pin):
        return False
    return not any(_below_cudnn(installed, gpu) for gpu in gpus)


def _below_cudnn(cudnn: str | None, gpu: ComputeCapability) -> bool:
    lowest = kb_cuda.cudnn_floor(cudnn) if cudnn else None
    return lowest is not None and gpu < ComputeCapability.parse(lowest)


@cache
def toolkit_knows(cuda: str, gpu: ComputeCapability) -> bool:
    """Whether the libraries of a CUDA can have code for a GPU.

    A GPU that no table has is held to the newest one below it: what is too old for that is too
    old for its successor.
    """
    known = [ComputeCapability.parse(name) for name in kb_gpus.all_capabilities()]
    below = max((found for found in known if found <= gpu), default=gpu)
    span = kb_cuda.toolkits_for(str(below))
    return span is None or numbers(span[0])[:2] <= numbers(cuda)[:2]


@cache
def arm_only(capability: str) -> bool:
    """Whether a GPU is sold with an ARM processor alone: the Jetsons, Thor, GB10."""
    row = kb_gpus.capability_row(capability)
    return row is not None and row.arm_only


def likely_platform(
    os: str | None, arch: str | None, capabilities: Iterable[str] = ()
) -> Platform | None:
    """The platform of a host; where nothing is said of the processor, what it most likely is.

    A GPU that is sold with ARM alone tells; Macs of today are ARM; the others are x86-64.
    """
    if arch:
        return platform_of(os, arch)
    arm = os == "macos" or any(arm_only(capability) for capability in capabilities)
    return platform_of(os, "aarch64" if arm else "x86_64")

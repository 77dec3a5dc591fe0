"""Parts of a build that have no code for a GPU that the build otherwise serves."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache

from gpudoctor.binaries.judgement.coverage import coverage
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.kb.software import packages as kb_packages
from gpudoctor.kb.software import torch_releases
from gpudoctor.kb.software.torch_binaries import libraries
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Gap:
    """A library of torch's own without code for some GPUs."""

    file: str
    purpose: str | None
    gpus: tuple[str, ...]
    """`sm_75`"""
    read: str
    """The variant in which that was read: the build's own, or its sister's of the same CUDA."""


def gaps(build: Build, gpus: Iterable[ComputeCapability]) -> tuple[Gap, ...]:
    """The libraries of a build that lack code for one of the GPUs, as far as is known.

    From torch 2.11 on, `libtorch_cuda_linalg.so` of the CUDA 13 wheels for x86_64 begins at sm_80,
    although the rest of the build begins at sm_75 (configs/torch_binaries.yaml). A wheel that was
    not read is taken for what the wheel of the same release, platform, CUDA major and targets
    is, since one recipe makes them.
    """
    if build.kind != "cuda":
        return ()
    return _gaps(build.torch, build.variant, build.platform, tuple(sorted(set(gpus))))


@lru_cache(maxsize=4096)
def _gaps(
    torch: str, variant: str, platform: str, gpus: tuple[ComputeCapability, ...]
) -> tuple[Gap, ...]:
    read = _read(torch, variant, platform)
    if read is None:
        return ()
    lacking: dict[tuple[int, str], list[str]] = {}
    for gpu in gpus:
        for library in _lack(read.torch, read.variant, read.platform, gpu):
            lacking.setdefault(library, []).append(gpu.sm)
    return tuple(
        Gap(path.rpartition("/")[2], kb_packages.purpose_of(path), tuple(sms), read.variant)
        for (_, path), sms in sorted(lacking.items())
    )


@lru_cache(maxsize=8192)
def _lack(
    torch: str, variant: str, platform: str, gpu: ComputeCapability
) -> tuple[tuple[int, str], ...]:
    """The libraries without code for one GPU in a wheel that was read: place and path of each."""
    read = torch_releases.build(torch, variant, platform)
    found = []
    for place, library in enumerate((libraries(read) if read is not None else None) or ()):
        if kb_packages.is_nvidia_library(library.path):
            continue
        cover = coverage(library, gpu)
        # Where the smaller part of a library is for newer GPUs alone, that is on purpose.
        on_purpose = cover.below_floor and 2 * cover.runnable >= cover.of
        if cover.status in ("none", "partial") and not on_purpose:
            found.append((place, library.path))
    return tuple(found)


@cache
def _read(torch: str, variant: str, platform: str) -> Build | None:
    """The build whose wheel was read: this one, or its sister with the same targets."""
    own = torch_releases.build(torch, variant, platform)
    if own is None or own.confidence == "binary":
        return own
    major = (own.cuda or "").partition(".")[0]
    sisters = (item for item in torch_releases.builds_of(torch) if item.platform == platform)
    alike = (
        item
        for item in sisters
        if item.sass == own.sass and (item.cuda or "").partition(".")[0] == major
    )
    return next((item for item in alike if item.confidence == "binary"), None)

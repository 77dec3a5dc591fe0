"""What the rules ask the knowledge base: each question answered once and remembered."""

from __future__ import annotations

from functools import cache

from gpudoctor.compat.amd_target import build_serves
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.compat.builds import architecture as architecture
from gpudoctor.compat.builds import is_served as is_served
from gpudoctor.compat.builds import jittable as jittable
from gpudoctor.compat.builds import native as native
from gpudoctor.compat.builds import serving as serving
from gpudoctor.compat.builds import toolkit_knows
from gpudoctor.kb.hardware import amd_gpus as amd
from gpudoctor.kb.hardware import intel_gpus as intel
from gpudoctor.kb.hardware import nvidia_gpus as gpus
from gpudoctor.kb.software import cuda, packages, torch_releases
from gpudoctor.model.terms.version import numbers as numbers
from gpudoctor.model.terms.version import split_label


def major(version: str | None) -> int | None:
    """The first number of a version; `None` where there is none."""
    found = numbers(version) if version else ()
    return found[0] if found else None


# GPUs and drivers


@cache
def generation(capability: ComputeCapability | None) -> gpus.CapabilityRow | None:
    """Which generation a compute capability is, and which drivers and modules serve it."""
    return None if capability is None else gpus.capability_row(str(capability))


@cache
def newest_branch() -> int:
    """The newest driver branch of the knowledge base."""
    return cuda.branches()[-1].number


@cache
def predates(cuda_version: str | None, codes: tuple[str, ...], gpu: ComputeCapability) -> bool:
    """Whether a build was made with a CUDA that did not know the GPU's architecture yet.

    The build's CUDA decides; where it is not known, the oldest architecture that it has code for
    does, since no toolkit after the last one for it can have made it.
    """
    span = cuda.toolkits_for(str(gpu))
    if span is None:
        return False
    first = numbers(span[0])
    if cuda_version:
        return not toolkit_knows(cuda_version, gpu)
    ends = [
        last
        for name in codes
        if (a := architecture(name)) and (found := cuda.toolkits_for(str(a.capability)))
        if (last := found[1])
    ]
    return any(numbers(last) < first for last in ends)


@cache
def cuda_for_ptx(isa: str) -> str | None:
    """Oldest CUDA whose driver compiles PTX of that ISA version."""
    return cuda.ptx_isa_to_cuda(isa)


@cache
def cudnn_floor(version: str) -> ComputeCapability | None:
    """Lowest compute capability that a cuDNN serves."""
    text = cuda.cudnn_floor(version)
    return None if text is None else ComputeCapability.parse(text)


@cache
def segment(name: str | None) -> str | None:
    """The market segment of a GPU by its name: `geforce`, `datacenter` …"""
    model = gpus.by_name(name) if name else None
    return None if model is None else model.segment


@cache
def is_known_gpu(name: str | None, pci_id: str | None) -> bool:
    """Whether the knowledge base has this GPU, by its name or by its PCI id."""
    if name and gpus.by_name(name) is not None:
        return True
    return bool(pci_id) and gpus.by_pci(str(pci_id)) is not None


# Builds of torch


def last_release_for(capability: ComputeCapability, platform: str) -> str | None:
    """The newest torch release with a build that serves a GPU on a platform."""
    found = serving(capability, platform)
    return found[-1].torch if found else None


@cache
def newest_release(platform: str) -> str | None:
    """The newest torch release with a CUDA build for a platform."""
    found = [
        b.torch
        for b in torch_releases.builds()
        if b.kind == "cuda" and b.exists and b.platform == platform
    ]
    return found[-1] if found else None


@cache
def have_common_build(capabilities: frozenset[ComputeCapability], platform: str) -> bool:
    """Whether one published CUDA build runs on all of these GPUs, natively or through PTX."""
    return any(
        all(native(b.sass, gpu) or jittable(b.ptx, gpu) for gpu in capabilities)
        for b in torch_releases.builds()
        if b.kind == "cuda" and b.exists and b.platform == platform
    )


@cache
def code_of(
    version: str, cuda_version: str | None, platform: str | None
) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Machine code and PTX of the published CUDA build that a torch version names.

    Where the platform is not known, that of all its builds together: what none of them has, the
    installed one has not either.
    """
    base, label = split_label(version)
    if not label and cuda_version:
        label = "cu" + cuda_version.replace(".", "")
    found = [
        build
        for build in torch_releases.builds_of(base)
        if build.variant == label and build.kind == "cuda" and platform in (None, build.platform)
    ]
    if not found:
        return None
    sass = tuple(dict.fromkeys(name for build in found for name in build.sass))
    return sass, tuple(dict.fromkeys(name for build in found for name in build.ptx))


@cache
def pythons(platform: str) -> frozenset[str]:
    """Every Python version for which any torch release has a wheel: `3.13`, `3.13t`."""
    return frozenset(
        python
        for release in torch_releases.releases()
        for table in (release.pythons, release.index_pythons)
        for python in table.get(platform, ())
    )


# AMD and Intel


@cache
def rocm_builds() -> tuple[torch_releases.Build, ...]:
    """Every ROCm build of the PyTorch index."""
    return tuple(b for b in torch_releases.builds() if b.kind == "rocm" and b.exists)


@cache
def gfx_is_served(gfx: str) -> bool:
    """Whether a ROCm build of PyTorch's index, or AMD's own, has code for an instruction set."""
    if any(build_serves(build, gfx) for build in rocm_builds()):
        return True
    return any(amd.own_builds(gfx, os) is not None for os in ("linux", "windows"))


@cache
def rocm_build_of(version: str, hip: str | None) -> torch_releases.Build | None:
    """The ROCm build that a torch version names."""
    base, label = split_label(version)
    if not label and hip:
        label = "rocm" + ".".join(hip.split(".")[:2])
    return next((b for b in rocm_builds() if b.torch == base and b.variant == label), None)


@cache
def intel_is_served(name: str | None) -> bool | None:
    """Whether an XPU build serves an Intel GPU; `None` where the name says nothing."""
    if not name:
        return None
    return intel.match(name) is not None


@cache
def error_name(code: int) -> str | None:
    """The name of a CUresult: 803 → `CUDA_ERROR_SYSTEM_DRIVER_MISMATCH`."""
    found = cuda.error(code)
    return None if found is None else found.name


@cache
def error_meaning(code: int) -> str | None:
    """What a CUresult means, in one sentence."""
    found = cuda.error(code)
    return None if found is None else found.meaning


@cache
def best_python(platform: str) -> str | None:
    """A Python that the newest torch has a wheel for: one release behind the newest."""
    low, high = torch_releases.python_range(platform)
    if not high:
        return None
    first, second = numbers(high)[:2]
    before = f"{first}.{second - 1}"
    return before if numbers(before) >= numbers(low) else high


@cache
def is_older_than_all(capability: ComputeCapability) -> bool:
    """Whether a GPU is older than everything that any CUDA build of the index was compiled for."""
    return not is_served(capability, None) and not any(
        (a := architecture(name)) is not None and a.capability < capability
        for build in torch_releases.builds()
        if build.kind == "cuda"
        for name in build.sass[:1]
    )


@cache
def gfx_on_index(gfx: str) -> bool:
    """Whether a ROCm build of the PyTorch index has code for an instruction set."""
    return any(build_serves(build, gfx) for build in rocm_builds())


def is_nvidia_library(path: str) -> bool:
    """Whether a file is one of NVIDIA's libraries, which some builds carry inside torch."""
    return packages.is_nvidia_library(path)

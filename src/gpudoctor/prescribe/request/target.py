"""What a build of torch has to run on: the part of a fact sheet that decides about wheels."""

from __future__ import annotations

from functools import cache, lru_cache

from gpudoctor.compat.amd_target import build_serves
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.compat.builds import is_served, likely_platform
from gpudoctor.kb.hardware.intel_gpus import match as match_intel
from gpudoctor.kb.software import torch_releases
from gpudoctor.model.facts import Driver, Gpu, Host, Python
from gpudoctor.model.identity import Identical
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A version of torch that must stay, and what demands it."""

    specifier: str
    """As a requirement has it: `==2.8.0`, `>=2.9,<2.11`."""
    why: str
    """Subject of a sentence: `flash-attn 2.8.3`, `--torch`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """GPUs, driver, platform and Python that a build is chosen for. `None` means not known."""

    gpus: tuple[ComputeCapability, ...] = ()
    """Capabilities of the NVIDIA GPUs that must be served, each once, lowest first."""
    driver: str | None = None
    driver_cuda: str | None = None
    """Newest CUDA that the loaded driver serves."""
    os: str | None = None
    wsl: bool = False
    platform: str | None = None
    """As the knowledge base writes it: `linux_x86_64`."""
    python: str | None = None
    """`3.12`, `3.13t` for a build without the global lock."""
    implementation: str | None = None
    bits: int | None = None
    glibc: str | None = None
    libc: str | None = None
    macos: str | None = None
    """Version of macOS, `13.6`."""
    pins: tuple[Pin, ...] = ()
    gfx: tuple[str, ...] = ()
    """Instruction sets of the AMD GPUs that must be served."""
    intel: bool = False
    companions: tuple[str, ...] = ()
    """Those of torchvision and torchaudio that have to come along."""

    @property
    def floor_os(self) -> str:
        """The operating system by whose numbers driver floors are counted."""
        return "wsl" if self.wsl else "windows" if self.os == "windows" else "linux"

    def without_driver(self) -> Target:
        """The same machine with any driver."""
        return replace(self, driver=None, driver_cuda=None)


def served(sheet: FactSheet) -> tuple[tuple[int, Gpu], ...]:
    """The GPUs that programs are to use, with their positions: those that no mask hides."""
    return tuple(
        (position, gpu) for position, gpu in enumerate(sheet.facts.gpus) if gpu.visible is not False
    )


def capability(gpu: Gpu) -> ComputeCapability | None:
    """The compute capability of an NVIDIA GPU; `None` if it is not known or none."""
    for text in (gpu.compute_capability, gpu.sm):
        if text:
            found = _parsed(text)
            if found is not None:
                return found
    return None


@lru_cache(maxsize=512)
def _parsed(text: str) -> ComputeCapability | None:
    try:
        return ComputeCapability.parse(text)
    except ValueError:
        return None


@cache
def is_served_gfx(gfx: str, platform: str | None) -> bool:
    """Whether any published ROCm build for the platform has code for an instruction set."""
    return any(
        build_serves(build, gfx)
        for build in torch_releases.builds()
        if build.exists and platform in (None, build.platform)
    )


def target_of(sheet: FactSheet, pins: tuple[Pin, ...] = ()) -> Target:
    """The target that a fact sheet describes, for all GPUs that programs may see."""
    return _target_of(Identical(sheet), pins)


@lru_cache(maxsize=16)
def _target_of(same: Identical[FactSheet], pins: tuple[Pin, ...]) -> Target:
    sheet = same.value
    facts = sheet.facts
    host = facts.host or Host()
    gpus = [gpu for _, gpu in served(sheet)]
    nvidia = [gpu for gpu in gpus if gpu.vendor == "nvidia"]
    capabilities = sorted({found for gpu in nvidia if (found := capability(gpu))})
    version, cuda = _driver(sheet)
    platform = likely_platform(host.os, host.arch, map(str, capabilities))
    capabilities = [found for found in capabilities if is_served(found, platform)] or capabilities
    amd = [gpu for gpu in gpus if gpu.vendor == "amd" and gpu.gfx]
    # Nothing is chosen by the graphics inside a processor where a card is beside them.
    amd = [gpu for gpu in amd if not gpu.integrated] or amd
    gfx = sorted({gpu.gfx for gpu in amd if gpu.gfx})
    gfx = [name for name in gfx if is_served_gfx(name, platform)] or gfx
    return Target(
        gpus=tuple(capabilities),
        driver=version,
        driver_cuda=cuda,
        os=host.os,
        wsl=host.wsl,
        platform=platform,
        python=python_of(facts.python),
        implementation=facts.python.implementation if facts.python else None,
        bits=facts.python.bits if facts.python else None,
        glibc=host.glibc,
        libc=host.libc,
        macos=host.distribution_version if host.os == "macos" else None,
        pins=pins,
        gfx=() if nvidia else tuple(gfx),
        companions=tuple(p.name for p in facts.packages if p.name in ("torchvision", "torchaudio")),
        intel=not nvidia and any(gpu.vendor == "intel" and not is_passed_over(gpu) for gpu in gpus),
    )


def is_passed_over(gpu: Gpu) -> bool:
    """Whether a GPU is Intel graphics inside a processor, of a kind that no XPU build serves."""
    return (
        gpu.vendor == "intel"
        and gpu.integrated is True
        and gpu.name is not None
        and match_intel(gpu.name) is None
    )


def python_of(python: Python | None) -> str | None:
    """`3.12` for 3.12.4; `3.13t` for the free-threaded build; `None` if not known."""
    if python is None or not python.version:
        return None
    parts = python.version.split(".")
    if len(parts) < 2:
        return None
    free_threaded = (python.tag or "").endswith("t") or python.version.endswith("t")
    minor = "".join(c for c in parts[1] if c in "0123456789")
    if parts[0] not in ("2", "3") or not minor:
        return None
    return f"{parts[0]}.{minor}" + ("t" if free_threaded else "")


def _driver(sheet: FactSheet) -> tuple[str | None, str | None]:
    """Version and CUDA of the driver that programs meet; nothing where either is unknown.

    A forward-compatibility package that works counts: its libcuda is what is loaded.
    """
    driver = sheet.facts.driver or Driver()
    if sheet.why_unknown("driver"):
        return None, None
    version = None if sheet.why_unknown("driver.version") else driver.version
    cuda = None if sheet.why_unknown("driver.cuda") else driver.cuda
    host = sheet.facts.host
    if host is not None and (host.jetson or host.l4t):
        # The driver of a Jetson has numbers of its own, below the floors of the desktop's.
        version = None
    if driver.libcuda_kind == "compat" and driver.cu_init == 0 and driver.libcuda_version:
        version = driver.libcuda_version
    # What is no number is not known: nothing is above or below it.
    version = version if version and version[:1] in "123456789" else None
    cuda = cuda if cuda and cuda[:1] in "123456789" else None
    return version, cuda

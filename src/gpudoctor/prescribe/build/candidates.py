"""Which builds can be considered, and for what printable reason each of the others cannot."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Literal

from gpudoctor.binaries.judgement.published import gaps
from gpudoctor.compat.amd_target import build_serves, wsl_serves
from gpudoctor.compat.architecture import (
    Architecture,
    ComputeCapability,
    can_be_jitted,
    runs_natively,
)
from gpudoctor.compat.builds import toolkit_knows
from gpudoctor.compat.driver import newest_cuda_of, starts
from gpudoctor.kb.software import cuda as kb_cuda
from gpudoctor.kb.software import packages as kb_packages
from gpudoctor.kb.software import torch_releases
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.requirements.specifier import allows
from gpudoctor.model.terms.version import numbers
from gpudoctor.model.value import cached_property, dataclass
from gpudoctor.prescribe.request.target import Target

Constraint = Literal["platform", "pin", "python", "glibc", "macos", "code", "driver", "gfx"]
"""What can forbid a build. The order is that in which they are named."""


@dataclass(frozen=True, slots=True)
class DropReason:
    """Why a build is dropped."""

    constraint: Constraint
    text: str
    """A sentence with the build as its subject, without full stop."""


class Offer:
    """A build with what choosing needs again and again worked out once."""

    def __init__(self, build: Build) -> None:
        self.build = build
        self.cuda = numbers(build.cuda or "")[:2]
        self.stack = self.cuda or numbers(build.variant.lstrip("abcdefghijklmnopqrstuvwxyz"))
        self.order = numbers(build.torch)
        self.pythons = frozenset(build.pythons)
        self.sass = tuple(map(_architecture, build.sass))
        self.ptx = tuple(map(_architecture, build.ptx))
        release = torch_releases.release(build.torch)
        defaults = release.default_variants if release else {}
        # PyPI carries CPU wheels alone for Windows; the variant that a release is made for is
        # the one that it has for Linux there.
        mirror = {"win_amd64": "linux_x86_64"}.get(build.platform, build.platform)
        self.is_default = defaults.get(mirror) == build.variant
        lowest = kb_cuda.cudnn_floor(build.cudnn) if build.cudnn else None
        self.cudnn_floor = ComputeCapability.parse(lowest) if lowest else None
        self.newest_first = tuple(-number for number in (*self.order, 0, 0, 0)[:4])
        self.highest_first = tuple(-number for number in self.stack)
        self.glibc = numbers(build.min_glibc or "")
        # A list of what a release is built for names no build outside of it.
        self.is_merely_listed = build.off_matrix and build.published == "documented"
        self.covers: dict[ComputeCapability, Literal["native", "jit", "none"]] = {}

    @property
    def label(self) -> str:
        """`torch 2.9.1+cu128`, for sentences."""
        return f"torch {self.build.torch}+{self.build.variant}"

    @cached_property
    def is_rarely_seen(self) -> bool:
        """Whether it is a ROCm build whose variant single users alone have seen, in any release."""
        return self.build.kind == "rocm" and not any(
            other.build.variant == self.build.variant and other.build.published != "user-seen"
            for other in offers(self.build.kind, self.build.platform)
        )

    def coverage(self, gpu: ComputeCapability) -> Literal["native", "jit", "none"]:
        """How its own kernels run on a GPU.

        PTX helps only where the toolkit of the build knows the GPU: its libraries (cuBLAS,
        cuDNN) come compiled, and an older toolkit has none for it. A GPU that the build's cuDNN
        has left behind is not served, whatever torch itself carries.
        """
        if gpu not in self.covers:
            if self.cudnn_floor is not None and gpu < self.cudnn_floor:
                self.covers[gpu] = "none"
            elif any(runs_natively(code, gpu) for code in self.sass):
                self.covers[gpu] = "native"
            elif any(can_be_jitted(code, gpu) for code in self.ptx) and toolkit_knows(
                self.build.cuda or "", gpu
            ):
                self.covers[gpu] = "jit"
            else:
                self.covers[gpu] = "none"
        return self.covers[gpu]

    def fit(self, gpus: tuple[ComputeCapability, ...]) -> BuildFit:
        """How its code serves the GPUs, whatever else is asked of it."""
        return _fit(self, gpus)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFit:
    """An offer beside the GPUs of a machine."""

    offer: Offer
    native: bool
    """Whether it has machine code for all of them."""
    complete: bool
    """Whether all of its libraries serve them, as far as is known."""


@lru_cache(maxsize=65536)
def _fit(offer: Offer, gpus: tuple[ComputeCapability, ...]) -> BuildFit:
    return BuildFit(
        offer=offer,
        native=all(offer.coverage(gpu) == "native" for gpu in gpus),
        complete=not any(gaps(offer.build, (gpu,)) for gpu in gpus),
    )


_architecture = cache(Architecture.parse)


@lru_cache(maxsize=4096)
def companion_wheels(offer: Offer, names: tuple[str, ...], python: str | None) -> bool:
    """Whether all companions of these names have a wheel for a Python in the build's release."""
    release = torch_releases.release(offer.build.torch) if names else None
    if release is None or python is None:
        return True
    found = (release.companions.get(name) for name in names)
    return all(
        kb_packages.has_wheel(name, companion.version, python)
        for name, companion in zip(names, found, strict=True)
        if companion is not None
    )


@cache
def offers(kind: str, platform: str, channel: str = "stable") -> tuple[Offer, ...]:
    """Every published build of one kind (`cuda`, `rocm`, `xpu`, `cpu`) for one platform."""
    table = torch_releases.nightlies() if channel == "nightly" else torch_releases.builds()
    return tuple(
        Offer(build)
        for build in table
        if build.kind == kind and build.platform == platform and build.exists
    )


@cache
def newest_on(kind: str, platform: str) -> tuple[int, ...]:
    """The newest stable release that has a build of this kind for this platform."""
    return max((offer.order for offer in offers(kind, platform)), default=())


def objections(offer: Offer, target: Target) -> list[DropReason]:
    """Every reason against a build on a target; none means that it runs there."""
    found = [DropReason("pin", text) for text in _pins(offer, target)]
    if text := _python(offer, target):
        found.append(DropReason("python", text))
    if text := _libc(offer, target):
        found.append(DropReason("glibc", text))
    if text := _macos(offer, target):
        found.append(DropReason("macos", text))
    found += [DropReason("code", text) for text in _code(offer, target)]
    if text := _driver(offer, target):
        found.append(DropReason("driver", text))
    missing = [gfx for gfx in target.gfx if not build_serves(offer.build, gfx)]
    if missing:
        found.append(DropReason("gfx", f"{offer.label} has no code for {', '.join(missing)}"))
    if old := too_old_for_wsl(target):
        text = f"ROCm under WSL serves Radeon cards of RDNA 3 and newer, and not {', '.join(old)}"
        found.append(DropReason("gfx", text))
    return found


def too_old_for_wsl(target: Target) -> list[str]:
    """The AMD GPUs that ROCm serves nowhere under WSL."""
    return [gfx for gfx in target.gfx if target.wsl and not wsl_serves(gfx)]


@lru_cache(maxsize=4096)
def served_by_driver(
    cuda: tuple[int, ...], driver: str | None, reported: str | None, floor_os: str
) -> tuple[bool, bool | None]:
    """Whether a driver runs programs of a CUDA at all, and whether it is as new as that CUDA."""
    if not cuda:
        return True, True
    wanted = ".".join(map(str, cuda))
    at_all = starts(wanted, driver, reported, floor_os) is not False
    newest = newest_cuda_of(driver, reported)
    return at_all, None if newest is None else numbers(newest)[:2] >= tuple(cuda[:2])


def driver_serves(cuda: Sequence[int], target: Target) -> bool:
    """Whether the driver runs programs of this CUDA at all (minor-version compatibility)."""
    return served_by_driver(tuple(cuda), target.driver, target.driver_cuda, target.floor_os)[0]


def driver_serves_in_full(cuda: Sequence[int], target: Target) -> bool | None:
    """Whether the driver is as new as this CUDA, which PTX needs; `None` if it is not known."""
    return served_by_driver(tuple(cuda), target.driver, target.driver_cuda, target.floor_os)[1]


def _jits(offer: Offer, gpu: ComputeCapability, target: Target) -> bool:
    return offer.coverage(gpu) == "jit" and driver_serves_in_full(offer.cuda, target) is not False


def _pins(offer: Offer, target: Target) -> list[str]:
    return [
        f"{offer.label} does not satisfy torch{pin.specifier}, which {pin.why} demands"
        for pin in target.pins
        if not satisfies(offer.build.torch, offer.build.local, pin.specifier)
    ]


@lru_cache(maxsize=8192)
def satisfies(version: str, local: str | None, specifier: str) -> bool:
    """Whether a build's version satisfies a specifier; a label is compared where one is asked."""
    full = f"{version}+{local}" if local else version
    try:
        return allows(specifier, full) or ("+" not in specifier and allows(specifier, version))
    except ValueError:
        return False


def no_interpreter(target: Target) -> str:
    """Why no wheel is for the target's interpreter, whatever its version; empty: some are."""
    if target.implementation not in (None, "cpython"):
        return f"there are wheels for CPython alone, and this is {target.implementation}"
    if target.bits == 32:
        return "there are wheels for 64-bit Python alone, and this one has 32 bits"
    return ""


def _python(offer: Offer, target: Target) -> str:
    if text := no_interpreter(target):
        return f"{offer.label}: {text}"
    if target.python is None or target.python in offer.pythons:
        return ""
    pythons = ", ".join(sorted(offer.build.pythons, key=numbers)) or "none"
    return f"{offer.label} has no wheel for Python {target.python} (it has {pythons})"


def _libc(offer: Offer, target: Target) -> str:
    if target.libc == "musl":
        return f"{offer.label} needs glibc, and this system has musl"
    needed = offer.build.min_glibc
    if not needed or not target.glibc or target.os != "linux":
        return ""
    if numbers(target.glibc) >= numbers(needed):
        return ""
    return f"{offer.label} needs glibc {needed}, and this system has {target.glibc}"


def _macos(offer: Offer, target: Target) -> str:
    needed = needed_macos(offer, target.python) if target.macos else None
    if target.macos is None or needed is None or numbers(target.macos)[:2] >= numbers(needed):
        return ""
    return f"{offer.label} needs macOS {needed}, and this is {target.macos}"


def needed_macos(offer: Offer, python: str | None) -> str | None:
    """The oldest macOS that a build installs on; `None`: not known, or it is for another system."""
    if not offer.build.platform.startswith("macos"):
        return None
    release = torch_releases.newest() if offer.build.nightly else offer.build.torch
    return torch_releases.minimum_macos(release, offer.build.platform, python)


def _code(offer: Offer, target: Target) -> list[str]:
    return [
        f"{offer.label} has {_lack(offer, gpu)} for {gpu.sm}"
        for gpu in target.gpus
        if not (offer.coverage(gpu) == "native" or _jits(offer, gpu, target))
    ]


def _lack(offer: Offer, gpu: ComputeCapability) -> str:
    if offer.cudnn_floor is not None and gpu < offer.cudnn_floor:
        return f"a cuDNN ({offer.build.cudnn}) without code"
    return "no code"


def _driver(offer: Offer, target: Target) -> str:
    if driver_serves(offer.cuda, target):
        return ""
    floor = kb_cuda.floor(offer.cuda[0], target.floor_os)
    have = target.driver or f"one for CUDA {target.driver_cuda}"
    return f"{offer.label} needs driver {floor} or newer, and this one is {have}"

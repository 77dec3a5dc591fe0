"""Packages that must stay in step with torch, and what the libraries beside it are for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from gpudoctor.kb._data import load
from gpudoctor.kb.rows import Capability, Slug, Version, made
from gpudoctor.kb.software import torch_releases
from gpudoctor.model.terms.version import numbers, public_version
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Fit:
    """One release of a package and the torch it was built for."""

    package: Slug
    version: Version
    torch: str
    """The torch it fits: a release (`2.9.1`), a minor series (`2.9`), or a specifier (`>=2.6`)."""
    exact: bool
    """Whether another torch breaks it (compiled against it), or is merely not intended."""
    note: str | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CapabilityRequirement:
    """The lowest compute capability that a package or a feature of it serves."""

    package: Slug
    feature: Slug
    capability: Capability
    since: Version | None = None
    """The release of the package that asks for it; `None`: all."""
    whole: bool = False
    """Whether nothing of the package runs on a GPU below it."""
    instead: str | None = None
    """What serves the other GPUs, as a sentence."""
    note: str | None = None


@dataclass(frozen=True, slots=True)
class TritonRow:
    """A Triton series: its torch releases, and the assemblers (ptxas) in its wheel."""

    triton: Version
    """`3.5`"""
    torch: tuple[Version, ...]
    """Torch releases that pin this series."""
    ptxas_cuda: Version
    """CUDA version of its ptxas, `12.8`."""
    blackwell_cuda: Version | None
    """CUDA version of its `ptxas-blackwell`, which serves 10.0 and above; `None`: it has none."""


@dataclass(frozen=True, slots=True)
class TorchLibrary:
    """A shared library of torch's own, and what is lost without it."""

    file: str
    """Without prefix and ending: `torch_cuda_linalg`."""
    purpose: str
    essential: bool
    """Whether kernels that nearly every program needs are in it."""


@dataclass(frozen=True, slots=True)
class NvidiaWheel:
    """A library of NVIDIA's and the distributions that bring it."""

    library: Slug
    """`cudnn`"""
    distributions: tuple[str, ...]
    """`nvidia-cudnn-cu12`, `nvidia-cudnn-cu13` …"""
    soname: str
    """How the file begins: `libcudnn.so`."""
    purpose: str


@cache
def fits() -> tuple[Fit, ...]:
    """Every pair of package release and torch that is known."""
    return tuple(made(Fit, row) for row in load("packages")["fits"])


def torch_for(package: str, version: str) -> str | None:
    """The torch that a package release belongs to; `None` where it is not known.

    torchvision and torchaudio answer from the table of releases.
    """
    bare = public_version(version)
    if package in ("torchvision", "torchaudio"):
        for release in reversed(torch_releases.releases()):
            companion = release.companions.get(package)
            if companion is not None and companion.version == bare:
                return release.version
        return None
    if package == "triton":
        exact = [r.version for r in torch_releases.releases() if r.triton == bare]
        row = triton(bare)
        return exact[-1] if exact else None if row is None else row.torch[-1]
    for fit in fits():
        if fit.package == package and fit.version == bare:
            return fit.torch
    series = ".".join(bare.split(".")[:2])
    for fit in fits():
        if fit.package == package and fit.version == series:
            return fit.torch
    return None


def release_for(package: str, torch_version: str) -> str | None:
    """The newest release of a package that fits a torch release; `None` if none is known."""
    if package in ("torchvision", "torchaudio", "triton"):
        return torch_releases.companions(torch_version).get(package)
    wanted = numbers(torch_version)[:3]
    best: str | None = None
    for fit in fits():
        if fit.package != package or not _fits(fit.torch, wanted):
            continue
        if best is None or numbers(fit.version) > numbers(best):
            best = fit.version
    return best


def _fits(torch: str, wanted: tuple[int, ...]) -> bool:
    if torch.startswith(">="):
        return wanted >= numbers(torch[2:])
    stated = numbers(torch)
    return wanted[: len(stated)] == stated


@cache
def requirements() -> tuple[CapabilityRequirement, ...]:
    """Lowest compute capabilities of packages and features."""
    return tuple(made(CapabilityRequirement, row) for row in load("packages")["requirements"])


def lowest_capability(package: str, feature: str, version: str | None = None) -> str | None:
    """The lowest compute capability that a feature of a package serves.

    With `version`, that of this release; else the lowest of any.
    """
    lowest: str | None = None
    for row in requirements():
        if row.package != package or row.feature != feature:
            continue
        if row.since is None or (version and numbers(version) >= numbers(row.since)):
            lowest = row.capability
    return lowest


def may_stay_newer(distribution: str, installed: str | None, pin: str) -> bool:
    """Whether an installed cuDNN is newer than torch's pin, of the same major, and may stay.

    cuDNN keeps its interface within a major, and PyTorch itself tells people to take a newer one:
    the release notes of torch 2.9.1 name 9.15 against a slow convolution.
    """
    if library_of(distribution) != "cudnn" or not installed:
        return False
    have, wanted = numbers(installed), numbers(pin)
    return have[:1] == wanted[:1] and have > wanted


def serves_nothing_below(package: str, version: str | None) -> str | None:
    """The lowest compute capability that any feature of a package serves; `None`: not known."""
    features = {row.feature for row in requirements() if row.package == package}
    found = [lowest_capability(package, feature, version) for feature in features]
    return min((item for item in found if item), key=numbers, default=None)


def whole_packages() -> tuple[str, ...]:
    """Packages of which nothing runs on a GPU below a known capability."""
    return tuple(dict.fromkeys(row.package for row in requirements() if row.whole))


def instead_of(package: str) -> str:
    """What serves the GPUs that a package does not, as a sentence; empty where nothing is known."""
    rows = (row.instead for row in requirements() if row.package == package)
    return next((said for said in rows if said), "")


ATTENTION = ("flash-attn", "flash-attn-3")
"""Packages of attention kernels that were written for new GPUs alone, however they are built."""


def attention_floor(package: str, version: str | None) -> str | None:
    """The lowest compute capability that a package of attention kernels was written for.

    `None` for other packages, and for FlashAttention 1, which serves Turing.
    """
    if package not in ATTENTION or (version or "").startswith("1."):
        return None
    return serves_nothing_below(package, version)


def has_source(package: str, version: str | None) -> bool:
    """Whether the sources of a release are known to be on PyPI; a local label is ignored."""
    row = _source_releases().get(package)
    if row is None or not version:
        return False
    bare = public_version(version)
    within = numbers(row["first"]) <= numbers(bare) <= numbers(row["last"])
    return within and "dev" not in bare and bare not in row.get("missing", ())


def compiling_variable(package: str) -> str | None:
    """The variable that keeps a package's set-up script from fetching a ready wheel."""
    row = _source_releases().get(package)
    return None if row is None else row.get("compiles")


@cache
def _source_releases() -> Mapping[str, Mapping[str, Any]]:
    return {row["package"]: row for row in load("packages")["source_releases"]}


def has_wheel(package: str, version: str, python: str) -> bool:
    """Whether a companion of torch has a wheel for a Python (`3.13t`); true where not known."""
    pythons = _companion_pythons().get((package, version))
    return pythons is None or python in pythons


@cache
def _companion_pythons() -> Mapping[tuple[str, str], frozenset[str]]:
    rows = load("packages")["companion_pythons"]
    return {(row["package"], row["version"]): frozenset(row["pythons"]) for row in rows}


@cache
def tritons() -> tuple[TritonRow, ...]:
    """The Triton series, oldest first."""
    return tuple(made(TritonRow, row) for row in load("packages")["triton"])


@cache
def triton(version: str) -> TritonRow | None:
    """The series of a Triton version: `3.5.1` → that of 3.5."""
    wanted = numbers(version)[:2]
    return next((row for row in tritons() if numbers(row.triton) == wanted), None)


@cache
def torch_libraries() -> tuple[TorchLibrary, ...]:
    """What the libraries inside torch are for."""
    return tuple(made(TorchLibrary, row) for row in load("packages")["torch_libraries"])


def purpose_of(path: str) -> str | None:
    """What a library is for: `torch/lib/libtorch_cuda_linalg.so` → `torch.linalg on CUDA`."""
    stem = path.replace("\\", "/").rsplit("/", 1)[-1].split(".", 1)[0].removeprefix("lib")
    for row in torch_libraries():
        if row.file == stem:
            return row.purpose
    for wheel in nvidia_wheels():
        if wheel.soname.removeprefix("lib").split(".", 1)[0] == stem:
            return wheel.purpose
    return None


@cache
def nvidia_wheels() -> tuple[NvidiaWheel, ...]:
    """NVIDIA's libraries and the distributions that bring them."""
    return tuple(made(NvidiaWheel, row) for row in load("packages")["nvidia_wheels"])


def library_of(distribution: str) -> str | None:
    """`cudnn` for `nvidia-cudnn-cu12`; `None` for a distribution that is not NVIDIA's."""
    return _libraries().get(distribution.lower().replace("_", "-"))


@cache
def is_nvidia_library(path: str) -> bool:
    """Whether a file is one of NVIDIA's libraries, which some builds carry inside torch.

    They choose their kernels themselves and say in other ways which GPUs they serve.
    """
    stem = path.replace("\\", "/").rpartition("/")[2].lower().removeprefix("lib")
    sonames = (wheel.soname.lower() for wheel in nvidia_wheels() if wheel.soname)
    return stem.startswith(tuple(name.removeprefix("lib").partition(".")[0] for name in sonames))


@cache
def _libraries() -> Mapping[str, str]:
    return {name: row.library for row in nvidia_wheels() for name in row.distributions}


def cuda_major_of(distribution: str, version: str | None = None) -> int | None:
    """CUDA major that an NVIDIA distribution belongs to.

    `nvidia-cudnn-cu12` → 12 by its name. Since CUDA 13 most have no ending; there the version
    itself begins with the major (`nvidia-cublas` 13.1.0.3).
    """
    name = distribution.lower().replace("_", "-")
    if name not in _libraries():
        return None
    tail = name.rsplit("-cu", 1)
    if len(tail) == 2 and tail[1].isdigit():
        return int(tail[1][:2])
    row = _independent().get(name)
    if row is None and version:
        major = numbers(version)[:1]
        if major and (name == "cuda-toolkit" or major[0] >= 13):
            return major[0]
    return row


@cache
def _independent() -> Mapping[str, int]:
    """Distributions without ending whose own version says nothing about CUDA's."""
    rows: list[Mapping[str, Any]] = load("packages")["nvidia_wheels"]
    return {name: 13 for row in rows for name in row.get("cuda13_only", ())}


@cache
def engines() -> frozenset[str]:
    """Packages that are installed with all that they require, torch's exact release among it."""
    return frozenset(row["package"] for row in load("packages")["engines"])


@cache
def kernel_packages() -> tuple[str, ...]:
    """Packages compiled against one torch: a change of torch breaks them."""
    return tuple(dict.fromkeys(fit.package for fit in fits() if fit.exact))


def wheels_bringing(libraries: Iterable[str], cuda_major: str) -> tuple[str, ...]:
    """The packages that bring libraries which torch does not require, `nvpl-lapack`.

    Empty where one of them is in no package that is known: half a cure is none.
    """
    rows = load("packages")["undeclared_wheels"]
    found: dict[str, None] = {}
    for name in libraries:
        row = next((row for row in rows if name.startswith(row["soname"])), None)
        if row is None or ("{major}" in row["package"] and not cuda_major):
            return ()
        found[row["package"].format(major=cuda_major)] = None
    return tuple(found)

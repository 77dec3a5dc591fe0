"""What changes along with torch: torchvision and torchaudio, extensions, leftovers.

Companions come along in the version that belongs to the new release, if they are installed.
Packages compiled against another torch break; they are named with the release that fits, or
with how to rebuild them. NVIDIA's libraries of another CUDA major go, unless something else
needs them.
Sources: the knowledge base's tables of companions and packages (configs/torch_releases.yaml,
configs/packages.yaml).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from gpudoctor.kb.software import packages as kb_packages
from gpudoctor.kb.software import torch_releases
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.facts import Facts, Package
from gpudoctor.model.terms.version import local_label, numbers, public_version, split_label
from gpudoctor.model.value import dataclass
from gpudoctor.prescribe.build.candidates import satisfies
from gpudoctor.prescribe.request.target import Pin, python_of

COMPANIONS = ("torchvision", "torchaudio")
_OTHER_TRITONS = {
    "cuda": ("pytorch-triton-rocm", "triton-rocm", "pytorch-triton-xpu", "triton-xpu"),
    "rocm": ("triton", "pytorch-triton-xpu", "triton-xpu"),
    "xpu": ("triton", "pytorch-triton-rocm", "triton-rocm"),
}
_NOT_EXTENSIONS = (*COMPANIONS, "torch", "triton")
# Patterns are compiled when they are first needed: most machines have no extension at all.
# A build tag such as `cu12torch2.6cxx11abiFALSE`, or `pt25cu124` in a version's local label.
_TORCH_TAG = r"(?:torch|pt)(\d)\.?(\d{1,2})"
_CUDA_TAG = r"cu(?:da)?(\d{2})\d{0,2}(?!\d)"
_NAME = r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?\s*\(?([^;)]*)\)?\s*(;.*)?\Z"
_FLAGS = re.ASCII | re.IGNORECASE


@dataclass(frozen=True, slots=True)
class Broken:
    """An extension that the new torch breaks."""

    package: Package
    fitting: str | None
    """The release that fits; `None`: it has to be rebuilt, or waited for."""
    excluded: str | None = None
    """What its metadata demands of torch, where that excludes the new one."""
    foreign: bool = False
    """Whether it was compiled against another torch or CUDA; else a finding calls it broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Along:
    """Everything that changes beside torch itself."""

    packages: tuple[str, ...] = ()
    """Requirements from the index of the variant: `torchvision==0.24.1+cu128`."""
    forced: tuple[str, ...] = ()
    """Requirements that the installed version satisfies although its files must change."""
    plain: tuple[str, ...] = ()
    """Requirements from the ordinary index."""
    removals: tuple[str, ...] = ()
    broken: tuple[Broken, ...] = ()
    versions: Mapping[str, str]
    """Distribution → its version afterwards."""
    missing: tuple[str, ...] = ()
    """Companions that have no wheel for this Python: `torchvision 0.20.1`."""
    kept_libraries: tuple[str, ...] = ()
    """Libraries of another CUDA major that stay, with what needs them: `nvidia-… (tensorflow)`."""


def along(facts: Facts, build: Build, named: Collection[str] = ()) -> Along:
    """What has to change with torch when `build` is installed.

    `named` are packages that findings call broken.
    """
    installed = {package.name: package for package in facts.packages}
    found = _Companions()
    release = torch_releases.release(build.torch)
    python = python_of(facts.python)
    for name in COMPANIONS:
        package = installed.get(name)
        companion = release.companions.get(name) if release else None
        if package is None:
            continue
        if companion is None:
            if build.nightly:
                found.packages.append(name)
        elif python is not None and not kb_packages.has_wheel(name, companion.version, python):
            found.removals.append(name)
            found.missing.append(f"{name} {companion.version}")
        elif companion.pin is None:
            _unpinned(name, companion.version, package, build, found)
        else:
            _pinned(name, companion.version, package, build, found)
    removals, kept = leftovers(facts, build)
    return Along(
        packages=tuple(found.packages),
        forced=tuple(found.forced),
        plain=tuple(found.plain),
        removals=(*found.removals, *(name for name in removals if name not in found.removals)),
        missing=tuple(found.missing),
        broken=broken_by(facts, build, named),
        versions=found.versions,
        kept_libraries=kept,
    )


class _Companions:
    """What is gathered about companions."""

    def __init__(self) -> None:
        self.packages: list[str] = []
        self.forced: list[str] = []
        self.plain: list[str] = []
        self.removals: list[str] = []
        self.missing: list[str] = []
        self.versions: dict[str, str] = {}


def _pinned(name: str, version: str, package: Package, build: Build, found: _Companions) -> None:
    """A companion that is built anew for each release of torch, in each of its variants."""
    label = build.local if build.platform != "linux_aarch64" else None
    wanted = f"{name}=={version}" + (f"+{label}" if label else "")
    found.versions[name] = version + (f"+{build.variant}" if build.local else "")
    if package.version == found.versions[name]:
        return
    # On aarch64 the labels of companions are not known, so the plain number is asked for;
    # where that number is installed from another index, only force changes the wheel.
    bare = public_version(package.version or "")
    (found.forced if label is None and bare == version else found.packages).append(wanted)


def _unpinned(name: str, version: str, package: Package, build: Build, found: _Companions) -> None:
    """A companion that goes on serving newer releases of torch (torchaudio from 2.11 on).

    It was published for the variants of the release that it came with; for others there is the
    wheel on the ordinary index.
    """
    bare, label = split_label(package.version or "")
    sister = torch_releases.build(version, build.variant, build.platform)
    if sister is not None and sister.exists and sister.local and not build.on_pypi:
        found.versions[name] = f"{version}+{sister.local}"
        if package.version != found.versions[name]:
            found.packages.append(f"{name}=={version}+{sister.local}")
        return
    found.versions[name] = version
    if bare != version:
        found.plain.append(f"{name}=={version}")
    elif label and label != build.local:
        # The number is the same, so an installer would leave the other variant's wheel there.
        found.removals.append(name)
        found.plain.append(f"{name}=={version}")
    else:
        found.versions[name] = package.version or version


def leftovers(facts: Facts, build: Build) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Distributions that must go before `build` comes, and those that others still need.

    They are what the old torch required, or carry the mark of another CUDA major in their name
    or version; and a Triton of another vendor, which owns the same folder.
    """
    major = numbers(build.cuda or "")[:1]
    installed = {package.name: package for package in facts.packages}
    gone = []
    for package in facts.packages:
        found = kb_packages.cuda_major_of(package.name, package.version)
        if found is not None and (not major or found != major[0]):
            gone.append(package.name)
    needed: dict[str, str] = {}
    for package in facts.packages:
        if package.name == "torch" or package.name in gone:
            continue
        for name, _ in requirements_of(package):
            if name in gone:
                needed[name] = package.name
    gone += [name for name in _OTHER_TRITONS.get(build.kind, ()) if name in installed]
    removals = tuple(sorted(name for name in gone if name not in needed))
    return removals, tuple(f"{name} ({needed[name]} needs it)" for name in sorted(needed))


def broken_by(facts: Facts, build: Build, named: Collection[str] = ()) -> tuple[Broken, ...]:
    """Packages that `build` breaks, or that are broken with it already.

    They were compiled against another release of torch or another CUDA major, their metadata
    excludes it, or a finding names them (`named`).
    """
    result = []
    for package in facts.packages:
        if package.name in _NOT_EXTENSIONS:
            continue
        pinned = _torch_pin(package)
        excluded = pinned is not None and not satisfies(build.torch, build.local, pinned)
        foreign = _is_foreign(package, facts, build)
        if package.name in named or excluded or foreign:
            fitting = kb_packages.release_for(package.name, build.torch)
            fitting = None if fitting == package.version else fitting
            result.append(Broken(package, fitting, pinned if excluded else None, foreign))
    return tuple(result)


def _is_foreign(package: Package, facts: Facts, build: Build) -> bool:
    """Whether a package was compiled against another torch or CUDA than those of `build`."""
    tag = package.build or local_label(package.version or "")
    torch, cuda = re.search(_TORCH_TAG, tag, _FLAGS), re.search(_CUDA_TAG, tag, _FLAGS)
    major = numbers(build.cuda or "")[:1]
    if torch is not None:
        other = (int(torch[1]), int(torch[2])) != numbers(build.torch)[:2]
        return other or (cuda is not None and (int(cuda[1]),) != major)
    if package.name not in kb_packages.kernel_packages():
        return False
    belongs = kb_packages.torch_for(package.name, package.version or "")
    if belongs is not None:
        return not _fits(belongs, build.torch)
    # It was compiled here, against the torch that is installed.
    installed = facts.torch
    if installed is None or not installed.version:
        return False
    same_cuda = numbers(installed.cuda or "")[:1] == major
    return numbers(installed.version)[:2] != numbers(build.torch)[:2] or not same_cuda


def pins_of(packages: Iterable[Package]) -> tuple[Pin, ...]:
    """What installed packages demand of torch in their metadata, companions aside."""
    result = []
    for package in packages:
        if package.name in _NOT_EXTENSIONS:
            continue
        pinned = _torch_pin(package)
        if pinned:
            label = f"{package.name} {package.version}" if package.version else package.name
            result.append(Pin(specifier=pinned, why=label))
    return tuple(result)


def can_follow(packages: Iterable[Package], build: Build) -> bool:
    """Whether a release for `build` is known of each package that pins another torch."""
    return all(
        satisfies(build.torch, build.local, pinned)
        or kb_packages.release_for(package.name, build.torch) is not None
        for package in packages
        if package.name not in _NOT_EXTENSIONS and (pinned := _torch_pin(package))
    )


def requirements_of(package: Package) -> list[tuple[str, str]]:
    """Normalised names and specifiers of what a package requires, extras aside."""
    found = []
    for line in package.requires:
        match = re.match(_NAME, line)
        if match and "extra" not in (match[4] or ""):
            name = re.sub(r"[-_.]+", "-", match[1]).lower()
            found.append((name, match[3].strip()))
    return found


def _torch_pin(package: Package) -> str | None:
    """Its specifier on torch, where it has an upper bound or an exact version."""
    for name, specifier in requirements_of(package):
        if name == "torch" and any(mark in specifier for mark in ("==", "<", "~=")):
            return specifier
    return None


def _fits(belongs: str, torch: str) -> bool:
    if belongs[:1] in "<>=~!":
        return satisfies(torch, None, belongs)
    wanted = numbers(belongs)
    return numbers(torch)[: len(wanted)] == wanted

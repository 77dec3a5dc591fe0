"""The files of torch and of what belongs to it that lie on each index, from the knowledge base."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

from gpudoctor.kb.software import dependents as kb_dependents
from gpudoctor.kb.software import indexes as kb_indexes
from gpudoctor.kb.software import packages as kb_packages
from gpudoctor.kb.software import torch_releases
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.manifests.scene import Scene, wheel_version
from gpudoctor.model.requirements.specifier import allows, version
from gpudoctor.model.terms.version import local_label, public_version
from gpudoctor.model.value import dataclass

TORCH = "torch"
COMPANIONS = ("torchvision", "torchaudio")
_PINNING = ("vllm", "xformers", "sglang", "torchtext")
"""Packages whose own metadata demand one torch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One version of a package on one index, and what it demands of torch."""

    name: str
    version: str
    """With the label of its file: `2.9.1+cu128`."""
    index: str
    torch: str = ""
    """Specifier of torch; empty: it demands none."""
    triton: str = ""
    variant: str | None = None
    """The variant that it is a build of; `None`: that is not known."""
    build: Build | None = None
    """For torch: the build on the platform that was asked for; `None`: there is none there."""
    requires_python: str = ""
    pythons: tuple[str, ...] = ()
    """Pythons that it has a wheel for, on the platform that was asked for; empty: none."""

    @property
    def release(self) -> str:
        """The version without its label."""
        return public_version(self.version)


def family(name: str) -> bool:
    """Whether a package says something of torch: its stack, and what brings torch itself."""
    return stack(name) or name in kb_dependents.dependents()


def is_pinned_library(name: str) -> bool:
    """Whether torch's own metadata pin a release of this package: NVIDIA's cuDNN and NCCL."""
    return name.startswith("nvidia-") and kb_packages.library_of(name) in ("cudnn", "nccl")


def stack(name: str) -> bool:
    """Whether the knowledge base knows the releases of a package and the torch of each."""
    return name == TORCH or name in COMPANIONS or name in _PINNING or name == "triton"


def brings_torch(name: str, extras: tuple[str, ...]) -> bool:
    """Whether a package with these extras asks for torch."""
    found = kb_dependents.dependents().get(name)
    return found is None or not found.extras or any(extra in found.extras for extra in extras)


def of_dependent(name: str, specifiers: Sequence[str]) -> tuple[Candidate, ...]:
    """What a package that brings torch asks of it: its newest release, then any before that.

    An older release whose torch is not known has no `torch` here.
    """
    row = kb_dependents.dependents()[name]
    before = Candidate(name=name, version="0", index="", torch=">=0" if row.always else "")
    if not all(allows(text, row.version) for text in specifiers if text):
        return (before,)
    newest = Candidate(name=name, version=row.version, index="", torch=row.torch)
    pinned = any(text.startswith("==") and "*" not in text for text in specifiers)
    return (newest,) if pinned else (newest, before)


@lru_cache(maxsize=512)
def on_index(name: str, url: str, platform: str) -> tuple[Candidate, ...] | None:
    """The versions of a package on an index, newest first; `None`: that is not known.

    Versions that exist for other platforms alone are among them, without a wheel: tools that
    lock for all platforms choose from those too.
    """
    place = kb_indexes.carried(url)
    if place.kind == "without-torch":
        return ()
    if place.kind == "private":
        return None
    if place.kind == "pytorch":
        return None if name in (TORCH, *COMPANIONS) else ()
    if name == TORCH:
        found = _torch(url, place, platform)
    elif name in COMPANIONS:
        found = _companion(name, url, place, platform)
    elif name == "triton":
        found = tuple(Candidate(name=name, version=text, index=url) for text in _tritons())
    elif place.kind != "pypi":
        found = ()
    else:
        found = _pinning(name, url)
    return tuple(sorted(found, key=lambda item: version(item.version), reverse=True))


def from_files(name: str, files: tuple[str, ...], place: str, scene: Scene) -> list[Candidate]:
    """The versions of a package in a folder of wheels."""
    found = []
    stem = name.replace("-", "_") + "-"
    for file in files:
        text = wheel_version(file)
        if text is None or not file.lower().startswith(stem) or not scene.takes(file):
            continue
        label = local_label(text) or None
        build = torch_releases.build(text, label, scene.platform) if label else None
        row = Candidate(
            name=name,
            version=text,
            index=place,
            variant=label,
            build=build,
            torch=demand(name, text),
            pythons=(scene.python,),
        )
        found.append(row)
    return sorted(found, key=lambda item: version(item.version), reverse=True)


def _torch(url: str, place: kb_indexes.Carried, platform: str) -> tuple[Candidate, ...]:
    here: dict[str, Build | None] = {}
    table = torch_releases.nightlies() if place.nightly else torch_releases.builds()
    for build in table:
        if not build.exists:
            continue
        if place.kind == "pypi":
            if not build.on_pypi or build.nightly:
                continue
            text = build.torch
        elif build.variant != place.variant:
            continue
        else:
            text = f"{build.torch}+{build.local}" if build.local else build.torch
        if build.platform == platform:
            here[text] = build
        else:
            here.setdefault(text, None)
    found = []
    for text, chosen in here.items():
        release = torch_releases.release(text)
        pythons = chosen.pythons if chosen else ()
        if chosen and release and place.kind == "pypi":
            pythons = release.pythons.get(platform, pythons)
        found.append(
            Candidate(
                name=TORCH,
                version=text,
                index=url,
                build=chosen,
                variant=chosen.variant if chosen else None,
                triton=_triton(chosen, release.triton if release else None),
                requires_python=release.requires_python if release else "",
                pythons=pythons,
            )
        )
    return tuple(found)


def _triton(build: Build | None, version_: str | None) -> str:
    """The Triton that a wheel requires: CUDA builds for Linux with x86 do."""
    if build is None or version_ is None or build.kind != "cuda":
        return ""
    return f"=={version_}" if build.platform == "linux_x86_64" else ""


def _companion(
    name: str, url: str, place: kb_indexes.Carried, platform: str
) -> tuple[Candidate, ...]:
    """A companion lies where the torch of its release does, with the same label."""
    found: dict[str, Candidate] = {}
    for torch in _torch(url, place, platform):
        release = torch_releases.release(torch.version)
        companion = release.companions.get(name) if release else None
        if companion is None:
            continue
        label = local_label(torch.version)
        text = companion.version + (f"+{label}" if label else "")
        known = found.get(text)
        if known is not None and (known.pythons or not torch.pythons):
            continue
        found[text] = Candidate(
            name=name,
            version=text,
            index=url,
            torch=companion.pin or "",
            variant=torch.variant,
            requires_python=torch.requires_python,
            pythons=torch.pythons,
        )
    return tuple(found.values())


@cache
def _tritons() -> tuple[str, ...]:
    known = (release.triton for release in torch_releases.releases())
    return tuple(dict.fromkeys(text for text in known if text))


@cache
def _pinning(name: str, url: str) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(name=name, version=fit.version, index=url, torch=demand(name, fit.version))
        for fit in kb_packages.fits()
        if fit.package == name
    )


@cache
def demand(name: str, text: str) -> str:
    """What the metadata of a release demand of torch; empty: nothing, or it is not known."""
    bare = public_version(text)
    if name in COMPANIONS:
        for release in torch_releases.releases():
            companion = release.companions.get(name)
            if companion is not None and companion.version == bare:
                return companion.pin or ""
        return ""
    if name in _PINNING:
        for fit in kb_packages.fits():
            if fit.package == name and fit.version == bare:
                return fit.torch if fit.torch.startswith(">") else f"=={fit.torch}"
    return ""

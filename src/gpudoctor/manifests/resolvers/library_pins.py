"""NVIDIA's libraries that torch's own metadata pin, beside a file that pins another release.

torch's wheels for Linux on PyPI demand one release each of `nvidia-cudnn-cu12`,
`nvidia-nccl-cu12` and their like (METADATA of torch 2.9.1: `nvidia-cudnn-cu12==9.10.2.21`), so
that a resolver refuses another beside them or goes back to a torch that takes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gpudoctor.kb.software import packages as kb_packages
from gpudoctor.manifests.install_file import Wish
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.universe import TORCH, Candidate, is_pinned_library
from gpudoctor.model.requirements.specifier import allows
from gpudoctor.model.terms.version import numbers

Pins = Mapping[str, Sequence[Wish]]


def pins_of(wishes: Sequence[Wish], scene: Scene) -> Pins:
    """What a file asks of such libraries, by distribution; only where a release is named.

    Raises:
        ValueError: a marker is none.
    """
    found: dict[str, list[Wish]] = {}
    for wish in wishes:
        asked = is_pinned_library(wish.name) and wish.specifier and not wish.url
        chosen = wish.extra in (None, *scene.extras) and wish.group in (None, *scene.groups)
        if asked and chosen and scene.applies(wish.marker):
            found.setdefault(wish.name, []).append(wish)
    return found


def refused(candidate: Candidate, pins: Pins) -> Wish | None:
    """The first wish that a torch's own pin contradicts; `None` where none is known to."""
    build = candidate.build
    if candidate.name != TORCH or build is None or not build.on_pypi or build.kind != "cuda":
        return None
    if not build.platform.startswith("linux"):
        return None
    major = numbers(build.cuda or "")[:1]
    for name, rows in pins.items():
        demanded = build.cudnn if kb_packages.library_of(name) == "cudnn" else build.nccl
        if demanded is None or name[-2:] != "".join(map(str, major)):
            continue
        for wish in rows:
            if not allows(wish.specifier, demanded):
                return wish
    return None

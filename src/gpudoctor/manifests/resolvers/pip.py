"""What pip chooses: the highest version on all its indexes, a labelled one above a plain one.

Index options count wherever they stand, the last --index-url wins, and an extra index is no
promise: PyPI wins as soon as it has a newer release.
Source: pip documentation, "Finding candidates" and --extra-index-url; PEP 440, local versions.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from gpudoctor.kb.software import indexes as kb_indexes
from gpudoctor.kb.software import torch_releases
from gpudoctor.manifests import universe
from gpudoctor.manifests.choice import Choice, InstallOutcome
from gpudoctor.manifests.install_file import Index, InstallFile, Wish
from gpudoctor.manifests.resolvers.library_pins import pins_of
from gpudoctor.manifests.resolvers.locked import shown
from gpudoctor.manifests.resolvers.loose import PYPI, run, wishes_of
from gpudoctor.manifests.resolvers.resolution import Pool, Task
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.universe import TORCH, Candidate
from gpudoctor.model.requirements import specifier
from gpudoctor.model.terms.version import local_label


def resolve(
    document: InstallFile, scene: Scene, installed: Mapping[str, Choice] | None = None
) -> InstallOutcome:
    """What `pip install -r` (or `pip install .`) brings, beside what is `installed`."""
    indexes = in_order(document)
    said = "with pip, nothing in pip.conf or PIP_* on the machine"
    wishes = wishes_of(document.wishes, scene)
    task = Task(
        tool="pip",
        assumption=said,
        wishes=wishes,
        pins=pins_of(document.wishes, scene),
        pools=lambda at: pool_of(indexes, wishes, at, pre="pre" in document.options),
        scene=scene,
        path=document.path,
        where=names(indexes),
        urls=tuple(index.url for index in indexes),
        gaps=document.gaps,
        installed=installed or {},
        gone=document.gone,
        no_binary=document.options.get("no-binary", ""),
    )
    found = run(task)
    return _unhashed(document, scene, found) if found.status == "installs" else found


def _unhashed(document: InstallFile, scene: Scene, found: InstallOutcome) -> InstallOutcome:
    """pip asks for a hash of every requirement as soon as one has one.

    Source: pip documentation, "Secure installs".
    """
    for text, at in document.hashless:
        marker = text.partition(";")[2].strip()
        if not scene.applies(marker or None):
            continue
        why = f"{document.path} is installed by hashes, and {text[:60]} has none"
        return InstallOutcome(
            status="fails", tool="pip", assumption=found.assumption, why=why, reason="conflict",
            files=(at,),
        )  # fmt: skip
    return found


def in_order(document: InstallFile) -> tuple[Index, ...]:
    """The indexes that pip looks at; PyPI unless another stands in its place."""
    main = [index for index in document.indexes if index.default]
    extra = [index for index in document.indexes if not index.default]
    if "no-index" in document.options:
        return tuple(index for index in extra if index.links)
    return (main[-1] if main else Index(url=PYPI, default=True), *extra)


def pool_of(
    indexes: Sequence[Index], wishes: dict[str, list[Wish]], scene: Scene, *, pre: bool
) -> Pool:
    """All versions on all indexes that have a wheel here, highest first."""

    def pool(name: str) -> Sequence[Candidate] | None:
        found: list[Candidate] = []
        for index in indexes:
            rows = seen(name, index, wishes.get(name, ()), scene)
            if rows is None:
                return None
            found += rows
        return sorted(
            (item for item in found if installable(item, scene, pre=pre, wishes=wishes)),
            key=lambda item: specifier.version(item.version),
            reverse=True,
        )

    return pool


def seen(
    name: str, index: Index, wishes: Sequence[Wish], scene: Scene
) -> Sequence[Candidate] | None:
    """The versions on one index; `None`: nobody here can know them."""
    if index.links and "://" not in index.url:
        return local(name, index.url, scene)
    found = universe.on_index(name, index.url, scene.platform)
    if found is not None:
        return found
    # Nobody can list a private index; what a pin with a label names is that build all the same.
    labelled = [w for w in wishes if w.specifier.startswith("==") and "+" in w.specifier]
    if not labelled:
        return None if name == TORCH or name in universe.COMPANIONS else ()
    text = labelled[0].specifier.split(",")[0].lstrip("=").strip()
    return [private(name, text, index.url, scene)]


def private(name: str, text: str, url: str, scene: Scene) -> Candidate:
    """A labelled version that a private index is asked for."""
    label = local_label(text)
    build = torch_releases.build(text, label, scene.platform) if name == TORCH else None
    return Candidate(
        name=name,
        version=text,
        index=url,
        variant=label,
        build=build,
        pythons=(scene.python,),
    )


def local(name: str, path: str, scene: Scene) -> Sequence[Candidate] | None:
    """The wheels in a folder; `None`: it is not here."""
    folder = path.removeprefix("file://")
    try:
        files = tuple(sorted(os.listdir(folder)))
    except (OSError, ValueError):
        return None
    return universe.from_files(name, files, path, scene)


def installable(item: Candidate, scene: Scene, *, pre: bool, wishes: dict[str, list[Wish]]) -> bool:
    """Whether a version has a wheel here and is no pre-release that nobody asked for."""
    known = item.name == TORCH or item.name in universe.COMPANIONS
    if known and scene.python not in item.pythons:
        return False
    asked = any("dev" in w.specifier for w in wishes.get(item.name, ()))
    return pre or asked or "dev" not in item.version


def names(indexes: Sequence[Index]) -> str:
    """The indexes for a sentence."""
    result = []
    for index in indexes:
        place = kb_indexes.carried(index.url)
        if place.kind == "pypi":
            result.append("PyPI")
        elif place.kind == "variant":
            result.append(("nightly/" if place.nightly else "") + (place.variant or ""))
        else:
            result.append(shown(index.url))
    return " and ".join(dict.fromkeys(result)) or "no index"

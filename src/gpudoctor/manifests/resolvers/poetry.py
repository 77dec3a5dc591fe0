"""What Poetry chooses: a version for all platforms, from its sources by priority.

A primary source stands in PyPI's place, a supplemental one is asked where the others have
nothing that fits, an explicit one for the packages that name it alone.
Source: python-poetry.org/docs/repositories; tried with Poetry 2.5.
"""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.manifests.choice import InstallOutcome
from gpudoctor.manifests.install_file import Index, InstallFile, Wish
from gpudoctor.manifests.resolvers import pip
from gpudoctor.manifests.resolvers.cross import chosen_from, together
from gpudoctor.manifests.resolvers.library_pins import pins_of
from gpudoctor.manifests.resolvers.loose import PYPI, wishes_of
from gpudoctor.manifests.resolvers.resolution import Pool, Task, fits
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.universe import Candidate
from gpudoctor.model.requirements import specifier


def resolve(document: InstallFile, scene: Scene) -> InstallOutcome:
    """The lock that `poetry lock` would write."""
    return together(document, scene, lambda at: _task(document, at))


def _task(document: InstallFile, scene: Scene) -> Task:
    wishes = wishes_of(document.wishes, scene)
    tiers = _tiers(document)

    def pools(at: Scene) -> Pool:
        return lambda name: _seen(name, document, tiers, wishes, at)

    first = _named("torch", document, wishes) or tiers[0] or tiers[1]
    return Task(
        tool="poetry",
        assumption="with poetry, nothing configured on the machine",
        wishes=wishes,
        pins=pins_of(document.wishes, scene),
        pools=pools,
        scene=scene,
        path=document.path,
        where=pip.names(first),
        urls=tuple(index.url for index in first),
        gaps=document.gaps,
    )


def _tiers(document: InstallFile) -> tuple[tuple[Index, ...], tuple[Index, ...]]:
    """Primary and supplemental sources; PyPI is primary where no other one is."""
    primary = [i for i in document.indexes if i.priority in ("primary", "default")]
    supplemental = [i for i in document.indexes if i.priority in ("supplemental", "secondary")]
    named = {index.name.lower() for index in document.indexes}
    if not primary and "pypi" not in named:
        primary = [Index(url=PYPI, name="PyPI")]
    return tuple(primary), tuple(supplemental)


def _named(
    name: str, document: InstallFile, wishes: dict[str, list[Wish]]
) -> tuple[Index, ...] | None:
    """The one source that a package names."""
    for wish in wishes.get(name, ()):
        if wish.index is not None:
            found = [i for i in document.indexes if i.name.lower() == wish.index.lower()]
            if not found and wish.index.lower() == "pypi":
                found = [Index(url=PYPI, name="PyPI")]
            return tuple(found[:1]) or (Index(url=wish.index),)
    return None


def _seen(
    name: str,
    document: InstallFile,
    tiers: tuple[tuple[Index, ...], tuple[Index, ...]],
    wishes: dict[str, list[Wish]],
    scene: Scene,
) -> Sequence[Candidate] | None:
    rows = wishes.get(name, ())
    named = _named(name, document, wishes)
    found: list[Candidate] = []
    for tier in (named,) if named else tiers:
        if any(fits(item, rows) for item in found):
            break
        for index in tier:
            here = pip.seen(name, index, rows, scene)
            if here is None:
                return None
            found += here
    kept = [item for item in found if chosen_from(item, document.requires_python, wishes)]
    return sorted(kept, key=lambda item: specifier.version(item.version), reverse=True)

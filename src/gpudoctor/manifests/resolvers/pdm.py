"""What PDM chooses: the highest version on all its sources, for all Pythons of the project.

A source without `include_packages` is one more index, and a labelled version is the higher one.
Source: pdm-project.org, "Configure package indexes"; tried with PDM 2.29.
"""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.manifests.choice import InstallOutcome
from gpudoctor.manifests.install_file import Index, InstallFile, Wish
from gpudoctor.manifests.resolvers import pip
from gpudoctor.manifests.resolvers.cross import chosen_from, together
from gpudoctor.manifests.resolvers.library_pins import pins_of
from gpudoctor.manifests.resolvers.loose import PYPI, wishes_of
from gpudoctor.manifests.resolvers.resolution import Pool, Task
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.universe import Candidate
from gpudoctor.model.requirements import specifier


def resolve(document: InstallFile, scene: Scene) -> InstallOutcome:
    """The lock that `pdm lock` would write."""
    return together(document, scene, lambda at: _task(document, at))


def _task(document: InstallFile, scene: Scene) -> Task:
    wishes = wishes_of(document.wishes, scene)

    def pools(at: Scene) -> Pool:
        return lambda name: _seen(name, document, wishes, at)

    return Task(
        tool="pdm",
        assumption="with pdm, nothing configured on the machine",
        wishes=wishes,
        pins=pins_of(document.wishes, scene),
        pools=pools,
        scene=scene,
        path=document.path,
        where=pip.names(_of("torch", document)),
        urls=tuple(index.url for index in _of("torch", document)),
        gaps=document.gaps,
    )


def _of(name: str, document: InstallFile) -> tuple[Index, ...]:
    """The sources that a package is looked for on."""
    sources = list(document.indexes)
    if not any(index.name == "pypi" for index in sources):
        sources.insert(0, Index(url=PYPI, name="pypi"))
    named = [index for index in sources if name in index.only]
    if named:
        return tuple(named)
    return tuple(index for index in sources if not index.only and name not in index.never)


def _seen(
    name: str, document: InstallFile, wishes: dict[str, list[Wish]], scene: Scene
) -> Sequence[Candidate] | None:
    found: list[Candidate] = []
    for index in _of(name, document):
        here = pip.seen(name, index, wishes.get(name, ()), scene)
        if here is None:
            return None
        found += here
        if here and document.options.get("strategy") == "in-order":
            break
    kept = [item for item in found if chosen_from(item, document.requires_python, wishes)]
    return sorted(kept, key=lambda item: specifier.version(item.version), reverse=True)

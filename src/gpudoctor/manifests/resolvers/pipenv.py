"""What pipenv chooses: pip's best version on one source, the first unless a package names another.

Source: pipenv.pypa.io, "Specifying package indexes"; tried with pipenv 2026.
"""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.manifests.choice import InstallOutcome
from gpudoctor.manifests.install_file import Index, InstallFile, Wish
from gpudoctor.manifests.resolvers import pip
from gpudoctor.manifests.resolvers.library_pins import pins_of
from gpudoctor.manifests.resolvers.loose import PYPI, run, wishes_of
from gpudoctor.manifests.resolvers.resolution import Pool, Task
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.universe import Candidate


def resolve(document: InstallFile, scene: Scene) -> InstallOutcome:
    """The lock that `pipenv lock` would write on this platform."""
    wishes = wishes_of(document.wishes, scene)
    pre = "pre" in document.options

    def pools(at: Scene) -> Pool:
        return lambda name: _seen(name, document, wishes, at, pre=pre)

    task = Task(
        tool="pipenv",
        assumption="with pipenv, nothing configured on the machine",
        wishes=wishes,
        pins=pins_of(document.wishes, scene),
        pools=pools,
        scene=scene,
        path=document.path,
        where=pip.names(_of("torch", document, wishes)),
        urls=tuple(index.url for index in _of("torch", document, wishes)),
        gaps=document.gaps,
    )
    return run(task)


def _of(name: str, document: InstallFile, wishes: dict[str, list[Wish]]) -> tuple[Index, ...]:
    """The source that a package is looked for on."""
    for wish in wishes.get(name, ()):
        if wish.index is not None:
            found = [i for i in document.indexes if wish.index in (i.name, i.url)]
            return tuple(found[:1]) or (Index(url=wish.index),)
    return document.indexes[:1] or (Index(url=PYPI),)


def _seen(
    name: str, document: InstallFile, wishes: dict[str, list[Wish]], scene: Scene, *, pre: bool
) -> Sequence[Candidate] | None:
    places = _of(name, document, wishes)
    return pip.pool_of(places, wishes, scene, pre=pre)(name)

"""What uv chooses: the first index that has the package is final, extra ones before the default.

An index without `explicit` comes first for every name; an explicit one counts for the packages
that name it alone. A project is locked for all platforms at once: the version is chosen from all
of its wheels, and a platform without one fails when it installs.
Source: docs.astral.sh/uv/concepts/indexes, tried with uv 0.13.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gpudoctor.kb.software import indexes as kb_indexes
from gpudoctor.kb.software import torch_releases
from gpudoctor.kb.software.torch_releases import INDEX_ROOT
from gpudoctor.manifests import universe
from gpudoctor.manifests.choice import Choice, InstallOutcome
from gpudoctor.manifests.install_file import Index, InstallFile, Wish
from gpudoctor.manifests.resolvers import pip, uv_coverage
from gpudoctor.manifests.resolvers.cross import (
    elsewhere,
    forked,
    pinned,
    together,
)
from gpudoctor.manifests.resolvers.library_pins import pins_of
from gpudoctor.manifests.resolvers.loose import PYPI, run, wishes_of
from gpudoctor.manifests.resolvers.resolution import Pool, Task
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.universe import COMPANIONS, TORCH, Candidate
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements import specifier
from gpudoctor.model.value import replace


def resolve(
    document: InstallFile, scene: Scene, installed: Mapping[str, Choice] | None = None
) -> InstallOutcome:
    """What `uv pip install -r` brings, or the lock that `uv lock` would write."""
    project = document.format == "pyproject"
    wishes = wishes_of(document.wishes, scene)
    indexes = _in_order(document)

    def pools(at: Scene) -> Pool:
        return lambda name: _seen(name, document, indexes, wishes, at, project=project)

    task = Task(
        tool="uv",
        assumption="with uv, nothing configured on the machine",
        wishes=wishes,
        pins=pins_of(document.wishes, scene),
        pools=pools,
        scene=scene,
        path=document.path,
        where=pip.names(_of("torch", document, indexes, wishes)),
        urls=_asked(_of("torch", document, indexes, wishes), document, scene),
        gaps=document.gaps,
        installed=installed or {},
        gone=document.gone,
        no_binary=document.options.get("no-binary", ""),
    )
    if document.broken:
        at = document.broken[0]
        why = (
            f"A backslash breaks the requirement in line {at.line} of {at.path}: pip reads that, "
            "uv does not"
        )
        return InstallOutcome(
            status="fails", tool="uv", assumption=task.assumption, why=why, reason="conflict",
            files=(at,),
        )  # fmt: skip
    if not project:
        return run(task)

    def task_at(at: Scene) -> Task:
        return replace(task, **_at(document, at))

    if "conflicts" in document.options:
        outcome = forked(document, scene, task_at)
    else:
        outcome = together(document, scene, task_at)
    lowest = document.options.get("resolution", "highest")
    if outcome.status == "fails" and lowest != "highest" and not pinned(task):
        why = f"{document.path} asks for {lowest} releases: which those are is not known"
        return replace(outcome, status="open", why=why)
    if outcome.status != "installs":
        return outcome
    if unsaid := _unsaid(document, outcome, pinned=pinned(task)):
        return replace(outcome, status="open", choices=(), why=unsaid, files=_torch_at(outcome))
    return (
        uv_coverage.named_file(document, scene, outcome, task_at)
        or uv_coverage.environments(document, scene, outcome, task_at)
        or elsewhere(document, scene, task_at)
        or outcome
    )


def _torch_at(outcome: InstallOutcome) -> tuple[FileAt, ...]:
    torch = outcome.choice(TORCH)
    return () if torch is None else (torch.at,)


def _unsaid(document: InstallFile, outcome: InstallOutcome, *, pinned: bool) -> str | None:
    """A setting by which uv may take another release than its newest."""
    said = document.options
    if "excluded" in said:
        return f"{document.path} takes a package of torch's out (exclude-dependencies)"
    lowest = said.get("resolution", "highest")
    if lowest != "highest" and not pinned:
        return f"{document.path} asks for {lowest} releases: which those are is not known"
    torch = outcome.choice(TORCH)
    day = said.get("exclude-newer", "")[:10]
    release = torch_releases.release(torch.release) if torch else None
    if day and (release is None or not (release.date <= day and day[:4].isdigit())):
        return f"{document.path} excludes releases after {said['exclude-newer']}"
    return None


def _at(document: InstallFile, scene: Scene) -> dict[str, Any]:
    """What differs in a task on another platform or Python."""
    wishes = wishes_of(document.wishes, scene)
    indexes = _in_order(document)

    def pools(at: Scene) -> Pool:
        return lambda name: _seen(name, document, indexes, wishes, at, project=True)

    return {"wishes": wishes, "pools": pools, "scene": scene}


def _asked(places: tuple[Index, ...], document: InstallFile, scene: Scene) -> tuple[str, ...]:
    """The indexes that are asked for torch: the first that has it ends the search."""
    asked = []
    for index in places:
        asked.append(index.url)
        first = document.options.get("strategy", "first-index") == "first-index"
        if first and not index.links and universe.on_index("torch", index.url, scene.platform):
            break
    return tuple(asked)


def _in_order(document: InstallFile) -> tuple[Index, ...]:
    """The indexes that count for every package, the default one last."""
    main = [index for index in document.indexes if index.default]
    extra = [index for index in document.indexes if not index.default and not index.explicit]
    if "no-index" in document.options:
        return tuple(index for index in extra if index.links)
    return (*extra, main[-1] if main else Index(url=PYPI, default=True))


def _of(
    name: str,
    document: InstallFile,
    indexes: tuple[Index, ...],
    wishes: dict[str, list[Wish]],
) -> tuple[Index, ...]:
    """The indexes that a package is looked for on."""
    backend = document.options.get("torch-backend")
    if backend and document.format == "requirements" and name in (TORCH, *COMPANIONS, "triton"):
        return (Index(url=f"{INDEX_ROOT}/{backend}"),)
    for wish in wishes.get(name, ()):
        if wish.index is None:
            continue
        named = [index for index in document.indexes if wish.index in (index.name, index.url)]
        return tuple(named[:1]) or (Index(url=wish.index),)
    return indexes


def _seen(
    name: str,
    document: InstallFile,
    indexes: tuple[Index, ...],
    wishes: dict[str, list[Wish]],
    scene: Scene,
    *,
    project: bool,
) -> Sequence[Candidate] | None:
    """The versions that uv sees, best first."""
    places = _of(name, document, indexes, wishes)
    rows = wishes.get(name, ())
    found: list[Candidate] = []
    best = document.options.get("strategy", "first-index") != "first-index"
    linked: list[Candidate] = []
    for index in places:
        here = pip.seen(name, index, rows, scene)
        if here is None:
            return None
        if index.links:
            linked += here
            continue
        found += here
        if here and not best:
            break
    found += linked
    nightly = all(kb_indexes.carried(index.url).nightly for index in places)
    pre = "pre" in document.options or nightly
    fitting = [item for item in found if _takes(item, scene, wishes, pre=pre, project=project)]
    if project:
        # One release has a label on some platforms and none on others: uv forks there.
        here_too = {item.release for item in fitting if item.pythons}
        fitting = [item for item in fitting if item.pythons or item.release not in here_too]
    return sorted(fitting, key=lambda item: specifier.version(item.version), reverse=True)


def _takes(
    item: Candidate, scene: Scene, wishes: dict[str, list[Wish]], *, pre: bool, project: bool
) -> bool:
    if not project:
        return pip.installable(item, scene, pre=pre, wishes=wishes)
    asked = any("dev" in w.specifier for w in wishes.get(item.name, ()))
    if "dev" in item.version and not (pre or asked):
        return False
    python = scene.python.rstrip("t")
    return not item.requires_python or specifier.allows(item.requires_python, f"{python}.9")

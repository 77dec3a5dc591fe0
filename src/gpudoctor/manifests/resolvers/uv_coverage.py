"""What uv asks of the wheels that it locks: for each environment, and of a file named by a URL.

A URL is locked for every platform, and refused where it is installed on another one. Its Python has
to be one of the project, or of each fork where the resolution forks by Python.
Source: uv's resolver (`artifact_environments`, `matches_wheel_tag`); tried with uv 0.13.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from gpudoctor.kb.software import torch_releases
from gpudoctor.manifests.choice import InstallOutcome
from gpudoctor.manifests.install_file import InstallFile, Wish
from gpudoctor.manifests.resolvers.cross import MINORS, PLATFORMS
from gpudoctor.manifests.resolvers.resolution import Task, fits
from gpudoctor.manifests.scene import Scene, wheel_tags, wheel_version
from gpudoctor.manifests.universe import COMPANIONS, TORCH
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.specifier import allows
from gpudoctor.model.terms.version import public_version
from gpudoctor.model.value import replace

TaskAt = Callable[[Scene], Task]


def environments(
    document: InstallFile, scene: Scene, outcome: InstallOutcome, task_at: TaskAt
) -> InstallOutcome | None:
    """What comes of environments that must have a wheel (`environments`, `required-environments`).

    uv asks for one wheel that each of them can take, and forks where only another release has it.
    """
    torch = outcome.choice(TORCH)
    required = filter(None, document.options.get("required", "").split("\n"))
    for marker in (*document.environments, *required):
        scenes = [replace(scene, platform=platform) for platform in (*PLATFORMS, "macos_x86_64")]
        tasks = [task_at(there) for there in scenes if there.applies(marker)]
        found = [releases for task in tasks if (releases := _offered(task)) is not None]
        if torch is None or not found or torch.release in {one for some in found for one in some}:
            continue
        if any(found) and not any(_same_source(task, task_at(scene)) for task in tasks):
            continue
        why = f"{document.path} is locked for {marker} too, and torch {torch.version} has no wheel "
        kind: Literal["open", "fails"] = "open" if any(found) else "fails"
        made = _instead(outcome, kind, f"{why}there", torch.at)
        return replace(made, reason="platform") if kind == "fails" else made
    return None


def named_file(
    document: InstallFile, scene: Scene, outcome: InstallOutcome, task_at: TaskAt
) -> InstallOutcome | None:
    """What comes of a torch that is one file, for one Python, in a project for several."""
    for wish in document.wishes:
        minors = _minors(document, wish, scene)
        tags = wheel_tags(wish.url or "")
        if wish.name != TORCH or tags is None or not minors:
            continue
        pythons = [tag for tag in tags[0] if tag.startswith("cp3") and tag in tags[1]]
        if pythons and not any(_between(int(tag[3:]), minors) for tag in pythons):
            why = f"{document.path} names a torch for Python 3.{pythons[0][3:]} by its URL, and is "
            why += f"for Python {document.requires_python}"
            return _instead(outcome, "fails", why, wish.at)
        release = torch_releases.release(public_version(wheel_version(wish.url or "") or ""))
        older = [m for m in minors if release and not allows(release.requires_python, f"{m}.9")]
        if release and older:
            why = f"{document.path} allows Python {older[0]}, and the torch {release.version} that "
            why += f"it names by a URL asks for Python {release.requires_python}"
            return _instead(outcome, "fails", why, wish.at)
        others = [replace(scene, platform=name, python=minors[-1]) for name in PLATFORMS]
        if pythons and any(_forks(task_at(other), minors) for other in others):
            why = f"{document.path} names one wheel for Python {', '.join(minors)}: whether uv "
            why += "forks by Python, and finds none for a fork, depends on all that it brings"
            return _instead(outcome, "open", why, wish.at)
    return None


def _minors(document: InstallFile, wish: Wish, scene: Scene) -> list[str]:
    """The Pythons of the project that a wish is for, on any platform that is locked."""
    found = []
    for minor in MINORS:
        scenes = [replace(scene, platform=platform, python=minor) for platform in PLATFORMS]
        asked = any(
            there.applies(wish.marker)
            for there in scenes
            if not document.environments or any(map(there.applies, document.environments))
        )
        project = document.requires_python
        if asked and (project is None or allows(project, f"{minor}.9")):
            found.append(minor)
    return found


def _between(minor: int, minors: list[str]) -> bool:
    bounds = [int(text.partition(".")[2]) for text in (minors[0], minors[-1])]
    return bounds[0] <= minor <= bounds[1]


def _forks(task: Task, minors: list[str]) -> bool:
    """Whether the newest release that an index has for a line is for fewer Pythons than wanted."""
    for name in (TORCH, *COMPANIONS):
        rows = task.wishes.get(name, ())
        if not rows or any(row.url for row in rows):
            continue
        best = next((item for item in task.pools(task.scene)(name) or () if fits(item, rows)), None)
        if best is not None and not all(allows(best.requires_python, f"{m}.9") for m in minors):
            return True
    return False


def _same_source(one: Task, other: Task) -> bool:
    """Whether torch is taken from the same place on both platforms: uv prefers one release then."""
    places = [{(w.index, w.url) for w in task.wishes.get(TORCH, ())} for task in (one, other)]
    return places[0] == places[1]


def _offered(task: Task) -> set[str] | None:
    """The releases of torch that have a wheel on a platform; `None`: it is not asked for there."""
    rows = task.wishes.get(TORCH, ())
    if not any(not row.constraint for row in rows):
        return None
    if named := [row.url for row in rows if row.url]:
        return {
            public_version(wheel_version(url) or "")
            for url in named
            if (tags := wheel_tags(url)) and any(map(task.scene.platform_fits, tags[2]))
        }
    pool = task.pools(task.scene)(TORCH)
    if pool is None:
        return None
    return {item.release for item in pool if item.pythons and fits(item, rows)}


def _instead(
    outcome: InstallOutcome, kind: Literal["open", "fails"], why: str, at: FileAt
) -> InstallOutcome:
    return replace(
        outcome, status=kind, choices=(), why=why, files=(at,),
        reason="conflict" if kind == "fails" else "",
    )  # fmt: skip

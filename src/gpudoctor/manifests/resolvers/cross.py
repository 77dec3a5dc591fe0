"""What tools have in common that lock for every platform and Python of a project at once."""

from __future__ import annotations

from collections.abc import Callable

from gpudoctor.manifests.choice import InstallOutcome
from gpudoctor.manifests.install_file import InstallFile, Wish
from gpudoctor.manifests.resolvers.loose import run
from gpudoctor.manifests.resolvers.resolution import Task
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.universe import TORCH, Candidate
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.specifier import allows
from gpudoctor.model.value import replace

PLATFORMS = ("linux_x86_64", "win_amd64", "macos_arm64", "linux_aarch64")
MINORS = tuple(f"3.{minor}" for minor in range(8, 16))


def covers(offered: str, project: str | None) -> bool:
    """Whether a release runs on every Python that the project allows.

    Raises:
        ValueError: one of the two is no specifier.
    """
    if not offered or not project:
        return True
    meant = [
        full
        for minor in MINORS
        for full in (f"{minor}.0", f"{minor}.9")
        if allows(project, full)
    ]  # fmt: skip
    return all(allows(offered, full) for full in meant)


def chosen_from(item: Candidate, project: str | None, wishes: dict[str, list[Wish]]) -> bool:
    """Whether a version can be locked: its Pythons fit, and it is no unasked pre-release."""
    asked = any("dev" in wish.specifier for wish in wishes.get(item.name, ()))
    if "dev" in item.version and not asked:
        return False
    return covers(item.requires_python, project)


def elsewhere(
    document: InstallFile, scene: Scene, task_at: Callable[[Scene], Task]
) -> InstallOutcome | None:
    """Where a lock for all cannot be written although this platform and Python have an answer.

    The tool ends with an error then, also here; `None`: nothing hinders it.
    """
    project = document.requires_python
    minors = [m for m in MINORS if project is None or allows(project, f"{m}.9")]
    for extras, groups in _choices(document, scene):
        for platform in PLATFORMS:
            for minor in minors if project else [scene.python]:
                there = Scene(platform, minor, extras, groups, None, scene.tool)
                if document.environments and not any(map(there.applies, document.environments)):
                    continue
                task = task_at(there)
                if not any(not w.constraint for rows in task.wishes.values() for w in rows):
                    continue
                found = run(task)
                # A platform without a wheel fails where it is installed, not where it is locked.
                if found.status != "fails" or found.at_install:
                    continue
                where = f"Python {minor} on {platform}"
                why = f"{task.tool} locks for all that {document.path} allows, and for {where} "
                return replace(found, why=why + found.why, reason="conflict")
    return None


def together(
    document: InstallFile, scene: Scene, task_at: Callable[[Scene], Task]
) -> InstallOutcome:
    """What comes of a lock in which all extras and groups are resolved as one.

    An extra that nobody installs limits the version too, or leaves none (Poetry 2.5 and uv 0.13,
    tried; the documentation of `pdm lock`). Extras that exclude each other by markers are taken
    apart.
    """
    alone = run(task_at(scene))
    extras = {wish.extra for wish in document.wishes if wish.extra}
    groups = {wish.group for wish in document.wishes if wish.group}
    apart = any("extra" in (wish.marker or "") for wish in document.wishes)
    if alone.status != "installs" or apart or not (extras or groups):
        return alone
    everything = replace(
        scene,
        extras=tuple(sorted(extras | set(scene.extras))),
        groups=tuple(sorted(groups | set(scene.groups))),
    )
    whole = run(task_at(everything))
    if whole.status == "installs":
        names = {choice.name for choice in alone.choices}
        kept = tuple(choice for choice in whole.choices if choice.name in names)
        return replace(whole, choices=kept)
    if whole.status == "fails" and whole.at_install:
        return alone
    why = f"{whole.tool} locks every extra and group of {document.path} together: {whole.why}"
    return replace(whole, why=why, reason="conflict" if whole.status == "fails" else "")


def forked(document: InstallFile, scene: Scene, task_at: Callable[[Scene], Task]) -> InstallOutcome:
    """The same where extras are declared to conflict: each is locked in a fork of its own.

    What a fork chooses is preferred in the others, so that a version which the requirements leave
    open may be that of an extra which nobody installs (uv 0.13, tried).
    """
    alone = run(task_at(scene))
    if alone.status != "installs" or pinned(task_at(scene)):
        return alone
    here = alone.choice(TORCH)
    releases = set()
    for extras, groups in _choices(document, scene):
        there = replace(scene, extras=(*scene.extras, *extras), groups=(*scene.groups, *groups))
        torch = run(task_at(there)).choice(TORCH)
        # Extras that take torch from another index are the usual case, and go their own way.
        same = torch is not None and here is not None and torch.index == here.index
        releases |= {torch.release} if torch is not None and same else set()
    if len(releases) <= 1:
        return alone
    why = (
        f"which torch {alone.tool} locks for {document.path} depends on its conflicting extras: "
        f"{', '.join(sorted(releases))}"
    )
    return InstallOutcome(
        status="open",
        tool=alone.tool,
        assumption=alone.assumption,
        why=why,
        files=(FileAt(document.path),),
    )


def pinned(task: Task) -> bool:
    """Whether one version of torch is asked for."""
    return any(wish.specifier.startswith("==") for wish in task.wishes.get(TORCH, ()))


def _choices(document: InstallFile, scene: Scene) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Extras and groups that are locked too: the chosen ones together, each other one alone."""
    extras = {wish.extra for wish in document.wishes if wish.extra} - set(scene.extras)
    groups = {wish.group for wish in document.wishes if wish.group} - set(scene.groups)
    found = [(scene.extras, scene.groups)]
    found += [((extra,), ()) for extra in sorted(extras)]
    return found + [((), (group,)) for group in sorted(groups)]

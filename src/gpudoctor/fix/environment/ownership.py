"""Whose a change is: the installer's, which may be taken back, or somebody else's, which may not.

While a fix runs, people and programs go on: a training writes its log, an editor saves, Python
compiles. What only installers write (site-packages, the scripts) and what their records name is
theirs; anything else that came or changed meanwhile is left alone and named.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from gpudoctor.fix.environment import parts as environments
from gpudoctor.fix.environment.around import is_as_recorded, with_folders
from gpudoctor.fix.environment.confined import Folder
from gpudoctor.fix.environment.installed import recorded, recorded_sums
from gpudoctor.fix.environment.parts import Environment, Part
from gpudoctor.model.value import dataclass, field

Action = Literal["put back", "set aside", "leave"]
"""`set aside`: put back as well, but what is there now is moved away and not removed."""

Plan = Mapping[str, Mapping[str, Action]]
"""What a restoration does: name of the part → path → action."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedPath:
    """A path of a part that is not as it was."""

    part: Part
    path: str
    is_there: bool
    is_recorded: bool = False
    """Whether it holds what an installer's record says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """What tells whose a change is."""

    recorded: frozenset[str]
    """Paths that the records of installers name, before the fix or now."""
    leftovers: frozenset[str] = field(default_factory=frozenset)
    """Names of files that a restoration before this one may have left."""
    sums: Mapping[str, str] = field(default_factory=dict)
    """What the records say of the content of files outside site-packages."""


def owners(before: Environment, tokens: Collection[str]) -> Owners:
    """Whose paths are, by the records of before and of now."""
    names = frozenset(f".gpudoctor-{token}" for token in tokens)
    # The folders that an installer made for its files are its too.
    paths = with_folders(before.recorded | recorded(before.prefix))
    sums = recorded_sums(before.prefix)
    return Owners(recorded=frozenset(paths), leftovers=names, sums=sums)


def plan(before: Environment, now: Mapping[str, Mapping[str, object]], who: Owners) -> Plan:
    """What to do with each path that differs between `before` and the trees of `now`.

    `now` is what each part holds: name of the part → path → entry.
    """
    result: dict[str, dict[str, Action]] = {}
    for part in before.parts:
        tree = now[part.name]
        changed = [p for p in part.tree.keys() | tree.keys() if part.tree.get(p) != tree.get(p)]
        installers = as_recorded(part, [path for path in changed if path in tree], who)
        result[part.name] = {
            path: action(
                ChangedPath(
                    part=part, path=path, is_there=path in tree, is_recorded=path in installers
                ),
                who,
            )
            for path in changed
            if not environments.is_bytecode(path)
        }
        result[part.name] |= _bytecode(part, changed, result[part.name])
    return result


def action(change: ChangedPath, who: Owners) -> Action:
    """What a restoration does with one path."""
    part, path = change.part, change.path
    was_there = path in part.tree
    if was_there and not change.is_there:
        return "put back"  # nothing is lost by it
    if path.rsplit("/", 1)[-1] in who.leftovers:
        return "put back"
    if environments.is_theirs(part, path):
        return "put back" if change.is_recorded else "set aside"
    if not part.recorded:
        return "set aside"
    shown = environments.within(part, path)
    if environments.is_in_site(shown) or shown in who.recorded:
        return "put back"
    if environments.is_installers_place(shown):
        return "put back" if _is_python(shown) else "set aside"  # a script of the person, perhaps
    folder = part.tree.get(path)
    if folder is not None and folder.kind == "folder":
        return "put back"  # its mode, or that it is a folder at all
    return "leave"


def _is_python(path: str) -> bool:
    """Whether a script is one that no record names: those of venv, virtualenv and conda."""
    name = path.rpartition("/")[2].lower()
    return name.startswith(("python", "pip", "activate", "deactivate", "pyvenv", "pydoc"))


def as_recorded(part: Part, paths: Collection[str], who: Owners) -> frozenset[str]:
    """Those paths of a project that hold what an installer's record says."""
    theirs = [path for path in paths if environments.is_theirs(part, path)]
    if not theirs:
        return frozenset()
    sums = {path: who.sums.get(environments.within(part, path), "") for path in theirs}
    with Folder(part.path) as folder:
        return frozenset(path for path in theirs if is_as_recorded(folder, path, sums))


def _bytecode(
    part: Part, changed: Collection[str], actions: Mapping[str, Action]
) -> dict[str, Action]:
    """What Python compiled goes with its source, and comes back if it was there."""
    result: dict[str, Action] = {}
    for path in changed:
        if not environments.is_bytecode(path):
            continue
        if path in part.tree:
            result[path] = "put back"
            continue
        folder = path.partition("__pycache__")[0]
        source = f"{folder}{path.rsplit('/', 1)[-1].partition('.')[0]}.py"
        gone = folder.rstrip("/") in actions or source in actions
        result[path] = "put back" if gone else "leave"
    return result

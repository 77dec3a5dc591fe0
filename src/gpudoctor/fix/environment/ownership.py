"""Whose a change is: the installer's, which may be taken back, or somebody else's, which may not.

While a fix runs, people and programs go on: a training writes its log, an editor saves, Python
compiles. What only installers write (site-packages, the scripts) and what their records name is
theirs; anything else that came or changed meanwhile is left alone and named.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from gpudoctor.fix.environment import parts as environments
from gpudoctor.fix.environment.installed import recorded
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """What tells whose a change is."""

    recorded: frozenset[str]
    """Paths that the records of installers name, before the fix or now."""
    leftovers: frozenset[str] = field(default_factory=frozenset)
    """Names of files that a restoration before this one may have left."""


def owners(before: Environment, tokens: Collection[str]) -> Owners:
    """Whose paths are, by the records of before and of now."""
    names = frozenset(f".gpudoctor-{token}" for token in tokens)
    paths = set(before.recorded | recorded(before.prefix))
    for path in tuple(paths):  # the folders that an installer made for its files are its too
        while (path := path.rpartition("/")[0]) and path not in paths:
            paths.add(path)
    return Owners(recorded=frozenset(paths), leftovers=names)


def plan(before: Environment, now: Mapping[str, Mapping[str, object]], who: Owners) -> Plan:
    """What to do with each path that differs between `before` and the trees of `now`.

    `now` is what each part holds: name of the part → path → entry.
    """
    result: dict[str, dict[str, Action]] = {}
    for part in before.parts:
        tree = now[part.name]
        changed = [p for p in part.tree.keys() | tree.keys() if part.tree.get(p) != tree.get(p)]
        result[part.name] = {
            path: action(ChangedPath(part=part, path=path, is_there=path in tree), who)
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
    if not part.recorded:
        return "set aside"
    shown = environments.within(part, path)
    if environments.is_installers_place(shown) or shown in who.recorded:
        return "put back"
    folder = part.tree.get(path)
    if folder is not None and folder.kind == "folder":
        return "put back"  # its mode, or that it is a folder at all
    return "leave"


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

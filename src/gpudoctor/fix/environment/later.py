"""What came or changed after a fix: somebody's work, which undoing the fix may not lose."""

from __future__ import annotations

import os
from collections.abc import Mapping

from gpudoctor.collect.long_paths import below
from gpudoctor.fix import pulse
from gpudoctor.fix.environment import parts as environments
from gpudoctor.fix.environment.ownership import Action, Owners, Plan, as_recorded
from gpudoctor.fix.environment.parts import Environment, Part
from gpudoctor.fix.environment.tree import Tree
from gpudoctor.model.value import dataclass

Path = tuple[str, str]
"""The name of a part, and a path in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """Changes that are not the fix's."""

    apart: tuple[Path, ...] = ()
    """They stand apart from what the fix changed, and can be left alone."""
    in_the_way: tuple[Path, ...] = ()
    """They lie on or among what must be put back."""


def losing_nothing(plan: Plan) -> Plan:
    """The plan where nobody knows what came after the fix, since its end is not known or lies in
    the future of a clock that was set back: whatever has to go is moved aside."""
    return {
        name: {
            path: "set aside" if each == "put back" and not environments.is_bytecode(path) else each
            for path, each in actions.items()
        }
        for name, actions in plan.items()
    }


def after_cut(before: Environment, plan: Plan, end_ns: int) -> Late:
    """What changed after a fix that was cut off at `end_ns`.

    The time of a file's last change of any kind (ctime), which nobody can set, tells. A package
    that came as a whole afterwards stands apart; a changed file among what the fix changed does
    not.
    """
    groups: dict[str, list[tuple[Path, bool]]] = {}
    for part in before.parts:
        for path, action in plan[part.name].items():
            if action == "leave" or environments.is_bytecode(path):
                continue
            if environments.is_theirs(part, path):
                continue  # an edit of a person is moved aside, as the plan says already
            late = _is_late(part, path, end_ns)
            if late is not None:
                group = _group(environments.within(part, path))
                groups.setdefault(group, []).append(((part.name, path), late))
    apart: list[Path] = []
    in_the_way: list[Path] = []
    for members in groups.values():
        late_ones = [path for path, late in members if late]
        (apart if len(late_ones) == len(members) else in_the_way).extend(late_ones)
    return Late(apart=tuple(apart), in_the_way=tuple(in_the_way))


def of_the_fix(
    before: Environment, after: Environment, now: Mapping[str, Tree], who: Owners
) -> Plan:
    """What undoing a finished fix does: it puts back what the fix changed, and nothing else."""
    result: dict[str, dict[str, Action]] = {}
    for part, later in zip(before.parts, after.parts, strict=True):
        tree = now[part.name]
        names = part.tree.keys() | later.tree.keys()
        changed = {name for name in names if part.tree.get(name) != later.tree.get(name)}
        # Where a folder became a link or a file, all that was in it has to come back.
        lost = {path for path in part.tree if _is_replaced(path, part.tree, later.tree, tree)}
        lost = {path for path in lost if any(_is_below(name, {path}) for name in changed)}
        changed |= lost | {path for path in part.tree if lost and _is_below(path, lost)}
        actions: dict[str, Action] = {
            path: "put back" for path in changed if part.tree.get(path) != tree.get(path)
        }
        there = [path for path in actions if path in tree and environments.is_theirs(part, path)]
        for path in set(there) - as_recorded(part, there, who):
            actions[path] = "set aside"  # the person may have edited it before the fix ended
        for path in tree:
            if path.rsplit("/", 1)[-1] in who.leftovers:
                actions[path] = "put back"
            # What Python compiled from the fix's files goes with them.
            if environments.is_bytecode(path) and path not in part.tree:
                folder = path.partition("__pycache__")[0]
                source = f"{folder}{path.rsplit('/', 1)[-1].partition('.')[0]}.py"
                if source in changed or folder.rstrip("/") in changed:
                    actions[path] = "put back"
        result[part.name] = actions
    return result


def after_commit(
    before: Environment, after: Environment, now: Mapping[str, Tree], who: Owners
) -> Late:
    """What changed after a finished fix, on or among what undoing it puts back."""
    found: list[Path] = []
    for part, later in zip(before.parts, after.parts, strict=True):
        tree = now[part.name]
        doomed = {
            path
            for path, entry in later.tree.items()
            if entry.kind == "folder" and path not in part.tree
        }
        for path in part.tree.keys() | later.tree.keys():
            old, new, present = part.tree.get(path), later.tree.get(path), tree.get(path)
            if _is_replaced(path, part.tree, later.tree, tree):
                found.append((part.name, path))
                continue
            if old == new or present in (None, old, new) or environments.is_bytecode(path):
                continue  # what somebody removed since is no loss
            # A folder has nothing of its own but its mode.
            folders = [e for e in (old, new, present) if e is not None and e.kind == "folder"]
            if len(folders) < 2 or present not in folders:
                found.append((part.name, path))
        found += [
            (part.name, path)
            for path, entry in tree.items()
            if path not in later.tree
            and path not in part.tree
            and entry.kind != "folder"
            and _is_below(path, doomed)
            and not environments.is_bytecode(path)
            and path.rsplit("/", 1)[-1] not in who.leftovers
        ]
    return Late(in_the_way=tuple(sorted(found)))


def _is_replaced(path: str, old: Tree, new: Tree, now: Tree) -> bool:
    """Whether a folder of before and after the fix is something else now: a link, a file."""
    kinds = [tree[path].kind if path in tree else "" for tree in (old, new, now)]
    return kinds[:2] == ["folder", "folder"] and kinds[2] not in ("", "folder")


def _is_below(path: str, folders: set[str]) -> bool:
    while "/" in path:
        path = path.rpartition("/")[0]
        if path in folders:
            return True
    return False


def _is_late(part: Part, path: str, end_ns: int) -> bool | None:
    """Whether a file changed after the end; `None` for a folder, which has no work of its own."""
    try:
        status = os.lstat(below(part.path, path))
    except OSError:
        return False  # it was removed: putting it back loses nothing
    entry = part.tree.get(path)
    if os.path.isdir(below(part.path, path)) and (entry is None or entry.kind == "folder"):
        return None
    return status.st_ctime_ns > end_ns + pulse.SLACK_NS


def _group(path: str) -> str:
    """What belongs together: a package with all in it, a script."""
    names = path.split("/")
    for site in ("site-packages", "dist-packages"):
        if site in names:
            return "/".join(names[: names.index(site) + 2])
    return path

"""A person's project, beside the environment: what is kept of it, and what changed in it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from gpudoctor.fix.environment import parts as environments
from gpudoctor.fix.environment.around import is_below
from gpudoctor.fix.environment.confined import Folder, move_between
from gpudoctor.fix.environment.installed import recorded
from gpudoctor.fix.environment.ownership import Plan
from gpudoctor.fix.environment.parts import Environment, Part
from gpudoctor.fix.environment.tree import Tree
from gpudoctor.fix.keeping.manifest import Kept
from gpudoctor.fix.keeping.present import is_kept
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What an installer changed that is no part of the environment."""

    changed: tuple[str, ...] = ()
    """What it changed or made, and what is kept brings back."""
    lost: tuple[str, ...] = ()
    """What it wrote where nothing is kept."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a person has to know of it, after a fix that was finished."""
        said = []
        if self.changed:
            said.append(
                f"The installer changed {_counted(self.changed)} that no environment's business "
                "is; `gpudoctor fix --undo` puts back what was there."
            )
        if self.lost:
            said.append(
                f"The installer wrote {_counted(self.lost)}, which lies outside the environment "
                "and of which nothing is kept: look whether it was yours."
            )
        return tuple(said)


def changes(before: Environment, after: Mapping[str, Tree]) -> Beside:
    """What an installer changed, by the trees of before and after."""
    changed = [
        os.path.join(part.path, path)
        for part in before.parts
        if part.project
        for path in sorted(part.tree.keys() | after[part.name].keys())
        if environments.is_theirs(part, path)
        and _file(part.tree.get(path), after[part.name].get(path))
    ]
    return Beside(changed=tuple(changed), lost=written_unkept(before))


def _file(old: object, new: object) -> bool:
    kinds = {getattr(entry, "kind", "folder") for entry in (old, new)}
    return old != new and kinds != {"folder"}


def written_unkept(before: Environment) -> tuple[str, ...]:
    """What the records of now name, those of before did not, and nothing is kept of."""
    found = []
    for path in sorted(recorded(before.prefix) - before.recorded):
        if environments.is_in_site(path) or environments.is_bytecode(path):
            continue
        whole = os.path.join(before.prefix, path)
        if os.path.lexists(whole) and not _is_covered(before, path, whole):
            found.append(whole)
    return tuple(found)


def _is_covered(before: Environment, path: str, whole: str) -> bool:
    """Whether some part would know if something had been at `path`."""
    for part in before.parts[1:]:
        if path.startswith(f"{part.name}/"):
            inside = path[len(part.name) + 1 :]
            return not is_below(inside, part.beyond)
    if is_below(path, before.parts[0].beyond):
        return False
    folder = os.path.realpath(os.path.dirname(whole))
    return any(f"{folder}/".startswith(f"{part.path}/") for part in before.parts)


def set_versions_aside(kept: Kept, plan: Plan) -> tuple[str, ...]:
    """Save what was at paths that somebody wrote anew, nobody knows who, and that are left alone.

    An installer that dies has not recorded all that it wrote, so a file outside site-packages that
    is another one now may be the person's work or the installer's: both versions stay.
    """
    found: list[str] = []
    for part, vault, sums in zip(kept.environment.parts, kept.vaults, kept.sums, strict=True):
        actions = plan.get(part.name, {})
        paths = [
            path
            for path, entry in part.tree.items()
            if entry.kind == "file"
            and actions.get(path, "leave") == "leave"
            and (path in actions or environments.is_theirs(part, path))
            and not environments.is_bytecode(path)
        ]
        if not paths or not os.path.isdir(part.path):
            continue
        with Folder(part.path) as folder, Folder(vault.files) as files:
            for path in paths:
                now, old = folder.status(path), files.status(path)
                if now is None or old is None or not stat.S_ISREG(now.st_mode):
                    continue
                if os.path.samestat(now, old) or is_kept(path, folder, files, sums):
                    continue
                os.makedirs(vault.aside, mode=0o700, exist_ok=True)
                with Folder(vault.aside) as aside:
                    name = path
                    while aside.status(name) is not None:
                        name += "~"
                    move_between(files, path, aside, name)
                found.append(os.path.join(part.path, path))
    return tuple(found)


def let_go(kept: Kept, after: Mapping[str, Tree]) -> None:
    """After a fix that was finished: what no installer changed in the project is not kept longer,
    for it would hold the space of what the person removes."""
    for part, vault in zip(kept.environment.parts, kept.vaults, strict=True):
        if not part.project:
            continue
        theirs = [path for path in part.tree if environments.is_theirs(part, path)]
        try:
            with Folder(vault.files) as files:
                for path in theirs:
                    same = part.tree[path] == after[part.name].get(path)
                    if same and part.tree[path].kind == "file":
                        files.remove(path)
                for path in sorted(theirs, key=len, reverse=True):
                    _remove_folder(part, files, path)
        except OSError:
            continue  # it goes with what is kept of the environment


def _remove_folder(part: Part, files: Folder, path: str) -> None:
    if part.tree[path].kind == "folder":
        try:
            files.remove(path)
        except OSError:  # something in it was changed
            pass


def _counted(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{paths[0]}{more}"

"""Putting an environment back, file by file, from what is kept of it.

Only what differs is touched, each file is replaced atomically, and doing it twice does no harm: a
restoration that was itself cut off is simply run again. An obstacle stops one path and not the
rest. What is said afterwards comes from a comparison of the whole.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable, Collection, Mapping

from gpudoctor.collect.long_paths import below, ordinary
from gpudoctor.fix.environment import parts as environments
from gpudoctor.fix.environment import tree as trees
from gpudoctor.fix.environment.confined import Folder, link_between, move_between
from gpudoctor.fix.environment.ownership import Action, Plan
from gpudoctor.fix.environment.parts import Part
from gpudoctor.fix.environment.tree import TreeEntry
from gpudoctor.fix.keeping import snapshot as snapshots
from gpudoctor.fix.keeping import vault as vaults
from gpudoctor.fix.keeping.beside import Beside
from gpudoctor.fix.keeping.manifest import Kept
from gpudoctor.fix.keeping.permitted import Permitted
from gpudoctor.fix.keeping.present import is_kept, present_in
from gpudoctor.fix.keeping.vault import Vault
from gpudoctor.model.value import dataclass, replace

_NOT_EMPTY = (errno.ENOTEMPTY, errno.EEXIST)
_RECORDS = ("/RECORD", "/installed-files.txt")
_ROUNDS = 2
"""An obstacle may be gone a moment later: what failed is tried once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """How a restoration ended, by a comparison of the environment with what it was."""

    paths: tuple[str, ...]
    """What was put back."""
    left: tuple[str, ...] = ()
    """What differs and was left alone, since no installer did it."""
    failed: tuple[tuple[str, str], ...] = ()
    """What could not be put back: path, and why."""
    aside: tuple[str, ...] = ()
    """Folders with what was moved out of the way."""
    beside: Beside = Beside()
    """What an installer had changed outside the environment: put back, or never kept."""
    versions: tuple[str, ...] = ()
    """Files outside the environment that somebody wrote anew, and that were left alone; what they
    were is set aside."""


def restore(kept: Kept, plan: Plan, without: Collection[str] = ()) -> Restored:
    """Carry out `plan`, and compare.

    Args:
        kept: the environment as it was.
        plan: what to do with each path that differs. Paths that it does not name are not touched.
        without: folders that are no part of the environment.
    """
    projects, rest = _apart(kept, plan)
    first = _carry_out(kept, projects, without)
    if first.failed:
        rest = _without_records(rest)
    then = _carry_out(kept, rest, without)
    aside = [vault.aside for vault in kept.vaults if os.path.isdir(vault.aside)]
    return Restored(
        paths=(*first.paths, *then.paths),
        left=(*first.left, *then.left),
        failed=(*first.failed, *then.failed),
        aside=tuple(aside),
    )


def _apart(kept: Kept, plan: Plan) -> tuple[Plan, Plan]:
    """What is done in a person's project, and the rest.

    The first comes first: only the records, which go with the rest, tell what belongs to it.
    """
    projects: dict[str, dict[str, Action]] = {}
    rest: dict[str, dict[str, Action]] = {}
    for part in kept.environment.parts:
        for path, action in plan.get(part.name, {}).items():
            group = projects if environments.is_theirs(part, path) else rest
            group.setdefault(part.name, {})[path] = action
        if not part.project:
            rest.setdefault(part.name, {})
    return projects, rest


def _without_records(plan: Plan) -> Plan:
    """The records stay until all in the project is as it was, so that the next undo knows it."""
    return {
        name: {path: action for path, action in actions.items() if not path.endswith(_RECORDS)}
        for name, actions in plan.items()
    }


def _carry_out(kept: Kept, plan: Plan, without: Collection[str]) -> Restored:
    paths: list[str] = []
    left: list[str] = []
    failed: list[tuple[str, str]] = []
    for part, vault, sums in zip(kept.environment.parts, kept.vaults, kept.sums, strict=True):
        if part.name not in plan:
            continue
        actions = plan[part.name]
        try:
            _make_root(part)
            with Folder(part.path) as folder, Folder(vault.files) as files:
                work = _Work(part, folder, files, vault, sums, actions)
                work.run()
            now = present_in(part, vault, sums, without, actions.keys())
        except OSError as error:
            failed.append((part.path, getattr(error, "strerror", None) or str(error)))
            continue
        for path in actions:
            different = part.tree.get(path) != now.get(path)
            shown = os.path.normpath(ordinary(below(part.path, path)))
            if not different:
                paths.append(shown)
            elif environments.is_bytecode(path):
                continue
            elif actions[path] == "leave" or path in work.written_into or work.holds_others(path):
                left.append(shown)
            else:
                failed.append((shown, work.errors.get(path, "it is not as it was")))
    return Restored(paths=tuple(paths), left=tuple(left), failed=tuple(failed))


def with_beside(restored: Restored, changed: Beside, versions: tuple[str, ...]) -> Restored:
    """The same, with what happened outside the environment; no path is named twice."""
    left = tuple(path for path in restored.left if path not in versions)
    return replace(restored, left=left, beside=changed, versions=versions)


def _make_root(part: Part) -> None:
    """The folder that a link leads to may have been removed with what was in it."""
    if not os.path.lexists(part.path):
        os.makedirs(part.path)
        os.chmod(part.path, part.mode)


class _Work:
    """The restoration of one part."""

    def __init__(
        self,
        part: Part,
        folder: Folder,
        files: Folder,
        vault: Vault,
        sums: Mapping[str, int],
        actions: Mapping[str, Action],
    ) -> None:
        self._part, self._folder, self._files = part, folder, files
        self._vault, self._sums, self._actions = vault, sums, actions
        self.errors: dict[str, str] = {}
        self.written_into: set[str] = set()
        self._others: set[str] = set()
        self._filled: set[str] = set()

    def run(self) -> None:
        order = sorted(
            (path for path, action in self._actions.items() if action != "leave"),
            key=lambda path: path.split("/"),
        )
        for path in (path for path, action in self._actions.items() if action == "leave"):
            self._note_others(path)
        tree = self._part.tree
        for _ in range(_ROUNDS):
            self.errors, self._filled = {}, set()
            for path in reversed(order):
                if path not in tree:
                    self._try(path, self._take_away)
            for path in order:
                if path in tree:
                    self._try(path, self._put_back)
            for path in reversed(order):  # a folder may only lose its write bit when it is filled
                if path in tree and tree[path].kind == "folder":
                    self._try(path, self._set_mode)
            if not self.errors and not self._filled:
                return

    def holds_others(self, path: str) -> bool:
        """Whether a folder that should go holds what was left alone."""
        return path not in self._part.tree and (path in self._others or path in self._filled)

    def _note_others(self, path: str) -> None:
        while "/" in path:
            path = path.rpartition("/")[0]
            self._others.add(path)

    def _try(self, path: str, action: Callable[[str], None]) -> None:
        try:
            try:
                action(path)
            except PermissionError:
                with Permitted(self._folder, path):
                    action(path)
        except OSError as error:
            self.errors[path] = error.strerror or str(error)
            self._folder.forget()

    def _take_away(self, path: str) -> None:
        if path in self._others:
            return
        status = self._folder.status(path)
        if status is None:
            return
        if self._actions[path] == "set aside" and not stat.S_ISDIR(status.st_mode):
            self._set_aside(path)
            return
        try:
            self._folder.remove(path)
        except OSError as error:
            if error.errno not in _NOT_EMPTY:
                raise
            self._filled.add(path)  # what is in it came meanwhile, or is a program's socket

    def _put_back(self, path: str) -> None:
        entry = self._part.tree[path]
        status = self._folder.status(path)
        now = self._entry(path, status)
        if now == entry and (
            entry.kind != "file" or is_kept(path, self._folder, self._files, self._sums)
        ):
            return
        if status is not None and entry.kind == "file" and self._is_kept_file(path, status):
            if stat.S_IMODE(status.st_mode) != entry.mode:
                self._folder.set_mode(path, entry.mode)
            self.written_into.add(path)
            return
        folders = now is not None and now.kind == entry.kind == "folder"
        if status is not None and self._actions[path] == "set aside" and not folders:
            self._set_aside(path)
        elif now is None or now.kind != entry.kind:
            self._clear(path, status)
        if entry.kind == "folder":
            self._folder.make_folder(path)
        elif entry.kind == "link":
            self._put_link(path, entry)
        else:
            self._put_file(path, entry)

    def _set_mode(self, path: str) -> None:
        status = self._folder.status(path)
        mode = self._part.tree[path].mode
        if status is not None and stat.S_IMODE(status.st_mode) != mode:
            self._folder.set_mode(path, mode)

    def _entry(self, path: str, status: os.stat_result | None) -> TreeEntry | None:
        if status is None:
            return None
        return trees.entry_from(status, below(self._folder.path, path))

    def _is_kept_file(self, path: str, status: os.stat_result) -> bool:
        """Whether the file that lies there is the very one that was kept, under another name."""
        kept = self._files.status(path)
        return kept is not None and os.path.samestat(kept, status)

    def _clear(self, path: str, status: os.stat_result | None) -> None:
        if status is None:
            return
        try:
            self._folder.remove(path)
        except OSError:
            # A folder that somebody has filled meanwhile stands where a file was.
            self._set_aside(path)

    def _set_aside(self, path: str) -> None:
        try:
            os.mkdir(self._vault.aside, 0o700)
        except FileExistsError:
            pass
        with Folder(self._vault.aside) as aside:
            name = path
            while aside.status(name) is not None:
                name += "~"
            move_between(self._folder, path, aside, name)

    def _put_link(self, path: str, entry: TreeEntry) -> None:
        partial = self._partial(path)
        self._folder.remove(partial)
        is_folder = sys.platform == "win32" and os.path.isdir(
            os.path.join(os.path.dirname(below(self._folder.path, path)), entry.target)
        )
        self._folder.make_link(entry.target, partial, folder=is_folder)
        self._folder.rename(partial, path)

    def _put_file(self, path: str, entry: TreeEntry) -> None:
        partial = self._partial(path)
        self._folder.remove(partial)
        try:
            if path in self._sums or not self._linked_back(path, partial):
                self._copied_back(path, partial, entry)
            self._folder.rename(partial, path)
        except OSError:
            self._remove_quietly(partial)
            raise

    def _linked_back(self, path: str, partial: str) -> bool:
        kept = self._files.status(path)
        if kept is None or not stat.S_ISREG(kept.st_mode):
            raise OSError(0, "its kept file is gone")
        entry = self._part.tree[path]
        if (kept.st_size, kept.st_mtime_ns) != (entry.size, entry.mtime_ns):
            # A program that holds the file open has gone on writing: what it wrote stays.
            self.written_into.add(path)
        try:
            link_between(self._files, path, self._folder, partial, make=True)
        except (OSError, NotImplementedError):
            return False
        if stat.S_IMODE(kept.st_mode) != entry.mode:
            self._folder.set_mode(partial, entry.mode)
        return True

    def _copied_back(self, path: str, partial: str, entry: TreeEntry) -> None:
        if self._files.status(path) is None:
            raise OSError(0, "its kept file is gone")
        crc = snapshots.copy(self._files, path, self._folder, partial, mtime_ns=entry.mtime_ns)
        if crc != self._sums.get(path, crc):
            raise OSError(0, "its kept copy is damaged")
        self._folder.set_mode(partial, entry.mode)

    def _partial(self, path: str) -> str:
        folder, slash, _ = path.rpartition("/")
        return f"{folder}{slash}.gpudoctor-{self._vault.token}"

    def _remove_quietly(self, path: str) -> None:
        try:
            self._folder.remove(path)
        except OSError:
            pass


def remove_vaults(kept: Kept, restored: Restored) -> None:
    """Remove what was kept once it is not needed; what was set aside stays."""
    for vault in kept.vaults:
        vaults.remove(vault, keep_aside=vault.aside in restored.aside)

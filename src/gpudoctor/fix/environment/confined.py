"""Paths that cannot leave a folder: each is resolved below an open directory, link by link refused.

A list of paths that is read back from a disk may be damaged or planted. `Folder` walks every path
from a directory that was opened once, one component at a time, and enters no symbolic link
(`openat` with `O_NOFOLLOW`). Windows has no such calls: there each component is looked at before
the path is used.
"""

from __future__ import annotations

import os
import stat
import sys
from types import TracebackType

from gpudoctor.collect.long_paths import extended

_OPEN = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_REPARSE = 0x400  # FILE_ATTRIBUTE_REPARSE_POINT: links and junctions


class OutsideError(OSError):
    """A path that is not plainly below its folder."""


def components(path: str) -> list[str]:
    """The parts of a relative path.

    Raises:
        OutsideError: it is absolute, climbs, or holds what no name can hold.
    """
    names = path.split("/")
    for name in names:
        strange = name in ("", ".", "..") or "\0" in name
        if strange or (sys.platform == "win32" and any(c in name for c in '\\:*?"<>|')):
            raise OutsideError(f"{path!r} is no path inside the folder")
    return names


class Folder:
    """An open directory and what is done below it. Paths are relative, with `/`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._root = extended(path)
        self._stack: list[tuple[str, int]] = []
        self._descriptor: int | None = None

    def __enter__(self) -> Folder:
        if sys.platform != "win32":
            self._descriptor = os.open(self._root, _OPEN)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave(0)
        if self._descriptor is not None:
            os.close(self._descriptor)

    def at(self, path: str, *, make: bool = False) -> tuple[str, int | None]:
        """The last name of `path` and the open directory that holds it, for calls of `os`.

        `make` makes folders on the way that are missing, for the owner alone.

        Raises:
            OSError: a folder on the way is missing, is a link, or cannot be opened.
        """
        *parents, name = components(path)
        if self._descriptor is None:
            return self._plain(parents, name, make=make), None
        common = 0
        for (held, _), wanted in zip(self._stack, parents, strict=False):
            if held != wanted:
                break
            common += 1
        self._leave(common)
        for parent in parents[common:]:
            above = self._stack[-1][1] if self._stack else self._descriptor
            if make:
                _make(parent, above)
            self._stack.append((parent, os.open(parent, _OPEN, dir_fd=above)))
        return name, self._stack[-1][1] if self._stack else self._descriptor

    def forget(self) -> None:
        """Let go of the folders that were entered: their names may mean others now."""
        self._leave(0)

    def status(self, path: str) -> os.stat_result | None:
        """`lstat`; `None` where there is nothing of that name, nor a folder to hold it."""
        try:
            name, parent = self.at(path)
            return os.stat(name, dir_fd=parent, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def open(self, path: str) -> int:
        """A descriptor for reading the file at `path`; a link is refused."""
        name, parent = self.at(path)
        return os.open(name, _READ, dir_fd=parent)

    def create(self, path: str, mode: int = 0o600, *, make: bool = False) -> int:
        """A descriptor for writing a file that was not there before."""
        name, parent = self.at(path, make=make)
        return os.open(name, _CREATE, mode, dir_fd=parent)

    def make_folder(self, path: str, mode: int = 0o700) -> None:
        """Make a folder; no error if it is there."""
        name, parent = self.at(path, make=True)
        try:
            os.mkdir(name, mode, dir_fd=parent)
        except FileExistsError:
            pass

    def make_link(self, target: str, path: str, *, folder: bool = False) -> None:
        """Make a symbolic link."""
        name, parent = self.at(path, make=True)
        os.symlink(target, name, target_is_directory=folder, dir_fd=parent)

    def rename(self, path: str, new: str) -> None:
        """Rename within one folder, over what has the new name."""
        name, _ = self.at(path)
        other, parent = self.at(new)
        os.replace(name, other, src_dir_fd=parent, dst_dir_fd=parent)

    def set_times(self, path: str, mtime_ns: int) -> None:
        """Set when the file at `path` was changed last."""
        name, parent = self.at(path)
        if os.utime in os.supports_follow_symlinks:
            os.utime(name, ns=(mtime_ns, mtime_ns), dir_fd=parent, follow_symlinks=False)
        else:
            os.utime(name, ns=(mtime_ns, mtime_ns))

    def set_mode(self, path: str, mode: int) -> None:
        """Set the mode of the file or folder at `path`, which must be no link."""
        name, parent = self.at(path)
        os.chmod(name, mode, dir_fd=parent)

    def remove(self, path: str) -> None:
        """Remove the file, the link or the empty folder at `path`; no error if there is none."""
        status = self.status(path)
        if status is None:
            return
        name, parent = self.at(path)
        if stat.S_ISDIR(status.st_mode) and not _is_reparse(status):
            self._forget_below(path)
            os.rmdir(name, dir_fd=parent)
        elif stat.S_ISDIR(status.st_mode):  # a junction
            os.rmdir(name)
        else:
            os.unlink(name, dir_fd=parent)

    def _forget_below(self, path: str) -> None:
        self._leave(len(components(path)) - 1)

    def _leave(self, depth: int) -> None:
        while len(self._stack) > depth:
            os.close(self._stack.pop()[1])

    def _plain(self, parents: list[str], name: str, *, make: bool) -> str:
        folder = self._root
        for parent in parents:
            folder = os.path.join(folder, parent)
            if make:
                _make(folder, None)
            status = os.lstat(folder)
            if not stat.S_ISDIR(status.st_mode) or _is_reparse(status):
                raise OutsideError(f"{folder} is no folder of its own")
        return os.path.join(folder, name)


def link_between(source: Folder, path: str, target: Folder, new: str, *, make: bool) -> None:
    """Give the file at `path` of `source` another name in `target` (a hard link)."""
    name, parent = source.at(path)
    other, above = target.at(new, make=make)
    os.link(name, other, src_dir_fd=parent, dst_dir_fd=above, follow_symlinks=False)


def move_between(source: Folder, path: str, target: Folder, new: str) -> None:
    """Move a file, link or folder to another folder of the same file system."""
    other, above = target.at(new, make=True)
    name, parent = source.at(path)
    source._forget_below(path)
    os.rename(name, other, src_dir_fd=parent, dst_dir_fd=above)


def _make(folder: str, parent: int | None) -> None:
    try:
        os.mkdir(folder, 0o700, dir_fd=parent)
    except FileExistsError:
        pass


def _is_reparse(status: os.stat_result) -> bool:
    return bool(getattr(status, "st_file_attributes", 0) & _REPARSE)

"""The files of a folder as a value that can be kept and compared."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Literal

from gpudoctor.model.value import dataclass, field

# What NFS and FUSE leave in place of a file that was removed while a program has it open.
TRANSIENT = (".nfs0", ".fuse_hidden")

Kind = Literal["file", "folder", "link"]

_REPARSE = 0x400  # FILE_ATTRIBUTE_REPARSE_POINT: on Windows, links and junctions


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One file, folder or symbolic link: what tells whether it changed.

    A changed file has another size or another time of change (nanoseconds), since installers
    write new files; `target` is where a link points.
    """

    kind: Kind
    mode: int
    size: int = 0
    mtime_ns: int = 0
    target: str = ""
    inode: int = field(default=0, compare=False)
    """Which file it was when it was looked at; 0 where the system does not say at once."""


class UnreadableError(OSError):
    """A folder cannot be read, so that it could not be restored either."""


Tree = Mapping[str, TreeEntry]
"""Path relative to a folder, with `/`, → entry; a folder stands before what is in it."""

Identity = tuple[int, int]
"""Device and inode of a file or folder."""


def scan(
    folder: str,
    skip: Collection[str] = (),
    without: Collection[Identity] = (),
    most: int | None = None,
) -> dict[str, TreeEntry]:
    """Everything below `folder`; links are not followed, nor a mount that leads back upwards.

    Args:
        folder: where to begin.
        skip: names directly in `folder` that are left out.
        without: folders that are left out wherever they are met (our own state).
        most: after how many entries it ends.

    Raises:
        UnreadableError: a folder cannot be read, so that it could not be restored either.
    """
    top = identity(folder)
    above = (*without, top) if top else tuple(without)
    return dict(islice(_walk(folder, "", skip, above), most))


def names(folder: str) -> list[str]:
    """The names in a folder; none if it is gone.

    Raises:
        UnreadableError: it cannot be read.
    """
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UnreadableError(f"{folder} cannot be read: {error.strerror}") from None


def _walk(
    folder: str, relative: str, skip: Collection[str], without: Collection[Identity]
) -> Iterator[tuple[str, TreeEntry]]:
    try:
        with os.scandir(folder) as found:
            items = sorted(found, key=lambda item: item.name)
    except FileNotFoundError:
        return
    except OSError as error:
        raise UnreadableError(f"{folder} cannot be read: {error.strerror}") from None
    for item in items:
        if (not relative and item.name in skip) or item.name.startswith(TRANSIENT):
            continue
        try:
            status = item.stat(follow_symlinks=False)
            entry = entry_from(status, item.path)
        except FileNotFoundError:  # removed between the listing and the look
            continue
        if entry is None:
            continue
        path = f"{relative}/{item.name}" if relative else item.name
        if entry.kind != "folder":
            yield path, entry
            continue
        itself = _identity(item.path, status)
        if itself in without:
            continue
        yield path, entry
        yield from _walk(item.path, path, (), (*without, itself) if itself else without)


def entry_from(status: os.stat_result, path: str) -> TreeEntry | None:
    """The entry of what was looked at; `None` if it is a socket or a device."""
    mode = stat.S_IMODE(status.st_mode)
    junction = getattr(status, "st_file_attributes", 0) & _REPARSE and stat.S_ISDIR(status.st_mode)
    if stat.S_ISLNK(status.st_mode) or junction:
        return TreeEntry("link", 0, target=os.readlink(path))
    if stat.S_ISDIR(status.st_mode):
        return TreeEntry("folder", mode)
    if stat.S_ISREG(status.st_mode):
        return TreeEntry("file", mode, status.st_size, status.st_mtime_ns, inode=status.st_ino)
    return None


def changed(before: Tree, after: Tree) -> list[str]:
    """Paths that differ between two trees, in order; a folder counts when it comes or goes."""
    names = sorted(before.keys() | after.keys(), key=lambda path: path.split("/"))
    return [name for name in names if before.get(name) != after.get(name)]


def identity(path: str) -> Identity | None:
    """Which folder `path` is, whatever it is called; `None` if there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino)


def _identity(path: str, status: os.stat_result) -> Identity | None:
    # Windows' directory listing does not tell the inode; it costs a call of its own there.
    return (status.st_dev, status.st_ino) if status.st_ino else identity(path)

"""The files of an environment as a value that can be kept and compared."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from typing import Literal

from gpudoctor.errors import FixFailedError
from gpudoctor.model.value import dataclass

Kind = Literal["file", "folder", "link"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, folder or symbolic link: what tells whether it changed.

    A changed file has another size or another time of change (nanoseconds), since installers
    write new files; `target` is where a link points.
    """

    kind: Kind
    mode: int
    size: int = 0
    mtime_ns: int = 0
    target: str = ""


Tree = Mapping[str, Entry]
"""Path relative to the environment's prefix, with `/`, → entry."""


def scan(prefix: str) -> dict[str, Entry]:
    """Everything below `prefix`; links are not followed.

    Raises:
        FixFailedError: a folder cannot be read, so that it could not be restored either.
    """
    entries: dict[str, Entry] = {}
    for path, item in _walk(prefix, ""):
        entries[path] = item
    return entries


def _walk(folder: str, relative: str) -> Iterator[tuple[str, Entry]]:
    try:
        with os.scandir(folder) as found:
            items = sorted(found, key=lambda item: item.name)
    except OSError as error:
        raise FixFailedError(f"{folder} cannot be read: {error.strerror}") from None
    for item in items:
        path = f"{relative}/{item.name}" if relative else item.name
        entry = entry_of(item.path)
        if entry is None:
            continue
        yield path, entry
        if entry.kind == "folder":
            yield from _walk(item.path, path)


def entry_of(path: str) -> Entry | None:
    """The entry at `path`; `None` if there is none, or if it is a socket or a device."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        return Entry("link", 0, target=os.readlink(path))
    if stat.S_ISDIR(status.st_mode):
        return Entry("folder", mode)
    if stat.S_ISREG(status.st_mode):
        return Entry("file", mode, status.st_size, status.st_mtime_ns)
    return None


def changed(before: Tree, after: Tree) -> list[str]:
    """Paths that differ between two trees, in order; a folder counts when it comes or goes."""
    names = sorted(before.keys() | after.keys())
    return [name for name in names if before.get(name) != after.get(name)]


def write(tree: Tree, path: str) -> None:
    """Keep a tree in a file, whole or not at all."""
    rows = [[name, e.kind, e.mode, e.size, e.mtime_ns, e.target] for name, e in tree.items()]
    partial = f"{path}.partial"
    with open(partial, "w", encoding="utf-8", errors="surrogateescape") as file:
        json.dump(rows, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def read(path: str) -> dict[str, Entry]:
    """The tree that `write` kept.

    Raises:
        OSError, ValueError: it is not there, or damaged.
    """
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        rows = json.load(file)
    return {
        name: Entry(kind, mode, size, mtime, link) for name, kind, mode, size, mtime, link in rows
    }

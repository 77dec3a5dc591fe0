"""What lies in the folder of an environment and is not the environment's: a person's project.

With `python -m venv .` the project's files lie beside the environment's own. A wheel may install
over them (`NAME.data/data/README.md`), and an installer then does so without a word. So they are
kept while a fix is at work, the nearest first, as second names that cost no space; and what an
installer did there is told from what the person did by the installers' records.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import stat
import unicodedata
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from itertools import islice

from gpudoctor.collect.long_paths import below
from gpudoctor.fix.environment import tree as trees
from gpudoctor.fix.environment.confined import Folder, OutsideError
from gpudoctor.fix.environment.tree import Tree, TreeEntry

MOST_KEPT = 50_000
"""Files and folders of a project of which something is kept: what a second or two allow."""
_ENVIRONMENT = frozenset(("pyvenv.cfg", "conda-meta"))
_CHUNK = 1 << 20


def scan(
    folder: str, names: Collection[str], without: Collection[trees.Identity], most: int = MOST_KEPT
) -> tuple[dict[str, TreeEntry], tuple[str, ...]]:
    """What lies below `names` in `folder`, the nearest first, and the paths that are beyond.

    Beyond is all below such a path: there is too much of it, it cannot be read, it lies on another
    file system, a link leads there, or it is an environment of its own, with fixes of its own.

    Raises:
        UnreadableError: something that we may read cannot be read.
    """
    found: dict[str, TreeEntry] = {}
    first = sorted(names)
    beyond = first[most:]
    pending = deque([("", first[:most])])
    room = most - len(first)
    device = os.stat(folder).st_dev
    while pending:
        above, inside = pending.popleft()
        for name in inside:
            path = f"{above}/{name}" if above else name
            whole = below(folder, path)
            try:
                status = os.lstat(whole)
                entry = trees.entry_from(status, whole)
            except FileNotFoundError:  # removed between the listing and the look
                continue
            except OSError as error:
                if os.access(os.path.dirname(whole), os.X_OK):
                    raise trees.UnreadableError(
                        f"{whole} cannot be read: {error.strerror}"
                    ) from None
                beyond.append(path)
                continue
            if entry is None or name.startswith(trees.TRANSIENT):
                continue
            if entry.kind == "folder" and (status.st_dev, status.st_ino) in without:
                continue
            found[path] = entry
            if entry.kind == "folder":
                names_in = _listed(whole, room) if status.st_dev == device else None
                if names_in is None or not _ENVIRONMENT.isdisjoint(names_in):
                    beyond.append(path)
                else:
                    pending.append((path, names_in))
                    room -= len(names_in)
            elif entry.kind == "link" and os.path.isdir(whole):
                beyond.append(path)
    return found, tuple(beyond)


def _listed(folder: str, most: int) -> list[str] | None:
    """The names in a folder; `None` if there are more than `most`, or nobody may know them."""
    if most <= 0:
        return None
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in islice(entries, most + 1)]
    except FileNotFoundError:
        return []
    except OSError as error:
        if os.access(folder, os.R_OK | os.X_OK):
            raise trees.UnreadableError(f"{folder} cannot be read: {error.strerror}") from None
        return None
    return sorted(names) if len(names) <= most else None


def again(folder: str, kept: Tree, beyond: Collection[str], touched: Iterable[str]) -> Tree:
    """The project as an installer has changed it: `kept`, but for the paths that it `touched`.

    What the person did meanwhile is not seen, and can so not be taken for the installer's.

    Raises:
        OSError: something that is there cannot be looked at.
    """
    result = dict(kept)
    spelt = {_folded(path): path for path in kept}
    with Folder(folder) as confined:
        for given in with_folders(touched):
            if is_below(given, beyond):
                continue
            status = _status(confined, given)
            path = _as_kept(confined, given, status, kept, spelt)
            entry = status and trees.entry_from(status, below(folder, path))
            if entry:
                result[path] = entry
            else:
                result.pop(path, None)
    return result


def _as_kept(
    folder: Folder,
    path: str,
    status: os.stat_result | None,
    kept: Tree,
    spelt: Mapping[str, str],
) -> str:
    """The path as it was spelt when it was kept, where the file system takes both for one.

    To macOS and Windows `readme.md` is `README.md`, and to macOS an `é` is its two halves.
    """
    other = spelt.get(_folded(path))
    if status is None or path in kept or other is None:
        return path
    there = _status(folder, other)
    return other if there is not None and os.path.samestat(status, there) else path


def _folded(path: str) -> str:
    return path.casefold() if path.isascii() else unicodedata.normalize("NFC", path).casefold()


def _status(folder: Folder, path: str) -> os.stat_result | None:
    """`lstat`; `None` where there is nothing, or a link on the way."""
    try:
        return folder.status(path)
    except OutsideError:
        return None
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return None


def with_folders(paths: Iterable[str]) -> set[str]:
    """The paths, and the folders that hold them."""
    found = set(paths)
    for path in tuple(found):
        while (path := path.rpartition("/")[0]) and path not in found:
            found.add(path)
    return found


def is_below(path: str, folders: Collection[str]) -> bool:
    """Whether `path` is one of `folders`, or lies below one."""
    while path:
        if path in folders:
            return True
        path = path.rpartition("/")[0]
    return False


def is_as_recorded(folder: Folder, path: str, sums: Mapping[str, str]) -> bool:
    """Whether the file at `path` holds what an installer's record says that it wrote there.

    Raises:
        OSError: it is there and cannot be read.
    """
    wanted = sums.get(path, "")
    status = _status(folder, path) if wanted.startswith("sha256=") else None
    if status is None or not stat.S_ISREG(status.st_mode):
        return False
    descriptor = folder.open(path)
    try:
        digest = hashlib.sha256()
        while data := os.read(descriptor, _CHUNK):
            digest.update(data)
    finally:
        os.close(descriptor)
    said = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
    return said == wanted.partition("=")[2].rstrip("=")

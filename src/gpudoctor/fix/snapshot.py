"""Keeping the installed files themselves, at the cost of names and not of bytes.

Every file of the environment is kept by a reflink where the file system has them (btrfs, XFS,
bcachefs), else by a hard link, else by a copy. A snapshot of a 6 GB environment therefore takes a
second or two and no space: an editable install, a source build or a deleted nightly, none of
which can be downloaded again, is kept like any other file.

A hard link shares its bytes with the original, so a program that wrote *into* an installed file
would change both. pip and uv replace files and never write into them; small files that people
and tools do edit in place (metadata, `.pth`, scripts) are copied all the same.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from typing import Literal

from gpudoctor.errors import FixFailedError
from gpudoctor.fix import tree as trees
from gpudoctor.fix.tree import Entry, Tree
from gpudoctor.model.value import dataclass

Method = Literal["reflink", "hard link", "copy"]

FILES = "files"
MANIFEST = "before.json"

# _IOW(0x94, 9, int) in linux/fs.h: share the blocks of one file with another.
_FICLONE = 0x40049409
_EDITED_IN_PLACE = (".pth", ".egg-link", ".py", ".cfg", ".json", ".txt", ".toml")
_COPY_BELOW_BYTES = 64 * 1024
"""Smaller files with those endings, and all metadata, are copied: together a few megabytes."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A kept environment: where its files lie, and what they were."""

    folder: str
    method: Method
    tree: Tree

    @property
    def files(self) -> str:
        """The folder that mirrors the environment."""
        return os.path.join(self.folder, FILES)


def take(
    prefix: str, folder: str, on_progress: Callable[[int, int], None] | None = None
) -> Snapshot:
    """Keep all files below `prefix` in `folder`, which must lie on the same file system.

    Raises:
        FixFailedError: it cannot be kept (no space for copies, a file that cannot be read).
    """
    before = trees.scan(prefix)
    files = os.path.join(folder, FILES)
    try:
        os.makedirs(files, exist_ok=True)
        method = cheapest_method(_sample(prefix, before), folder)
        if method == "copy":
            _check_space(before, folder)
        keep = _KEEPERS[method]
        total = len(before)
        for count, (name, entry) in enumerate(before.items()):
            _keep(os.path.join(prefix, name), os.path.join(files, name), entry, keep)
            if on_progress is not None and count % 5000 == 0:
                on_progress(count, total)
        trees.write(before, os.path.join(folder, MANIFEST))
    except OSError as error:
        what = error.filename or folder
        raise FixFailedError(f"{what} cannot be kept safe: {error.strerror or error}") from None
    return Snapshot(folder, method, before)


def load(folder: str) -> Snapshot | None:
    """A snapshot that was completed; `None` if it was cut off before it was whole."""
    try:
        tree = trees.read(os.path.join(folder, MANIFEST))
    except (OSError, ValueError):
        return None
    return Snapshot(folder, "hard link", tree)


def cheapest_method(sample: str, folder: str) -> Method:
    """What the file system can do between `sample`, a file of the environment, and `folder`.

    It is tried and not deduced: bind mounts and overlays refuse links within one device number.
    """
    target = os.path.join(folder, "probe")
    methods: tuple[Method, ...] = ("reflink", "hard link")
    for method in methods:
        try:
            _KEEPERS[method](sample, target)
        except (OSError, NotImplementedError):
            continue
        else:
            return method
        finally:
            _remove(target)
    return "copy"


def _sample(prefix: str, tree: Tree) -> str:
    files = (name for name, entry in tree.items() if entry.kind == "file")
    return os.path.join(prefix, next(files, "pyvenv.cfg"))


def copy_back(kept: str, target: str) -> None:
    """Put a kept file in its place, atomically: whoever looks sees the old or the new one."""
    partial = f"{target}.gpudoctor-restore"
    _remove(partial)
    try:
        _reflink(kept, partial)
        shutil.copystat(kept, partial)
    except (OSError, NotImplementedError):
        _remove(partial)
        try:
            os.link(kept, partial)
        except (OSError, NotImplementedError):
            shutil.copy2(kept, partial)
    os.replace(partial, target)


def _keep(source: str, target: str, entry: Entry, keep: Callable[[str, str], None]) -> None:
    if entry.kind == "folder":
        os.makedirs(target, exist_ok=True)
    elif entry.kind == "link":
        _remove(target)
        os.symlink(entry.target, target)
    else:
        _remove(target)
        (_copy if _edited_in_place(source, entry) else keep)(source, target)


def _edited_in_place(path: str, entry: Entry) -> bool:
    if ".dist-info" in path or ".egg-info" in path:
        return True
    small = entry.size < _COPY_BELOW_BYTES
    return small and (path.endswith(_EDITED_IN_PLACE) or "/bin/" in path or "Scripts" in path)


def _reflink(source: str, target: str) -> None:
    if sys.platform != "linux":
        raise NotImplementedError
    import fcntl

    with open(source, "rb") as old, open(target, "wb") as new:
        fcntl.ioctl(new.fileno(), _FICLONE, old.fileno())


def _reflink_with_times(source: str, target: str) -> None:
    _reflink(source, target)
    shutil.copystat(source, target)


def _hard_link(source: str, target: str) -> None:
    os.link(source, target, follow_symlinks=False)


def _copy(source: str, target: str) -> None:
    shutil.copy2(source, target, follow_symlinks=False)


_KEEPERS: dict[str, Callable[[str, str], None]] = {
    "reflink": _reflink_with_times,
    "hard link": _hard_link,
    "copy": _copy,
}


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _check_space(tree: Tree, folder: str) -> None:
    needed = sum(entry.size for entry in tree.values())
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise FixFailedError(
            f"the snapshot must be copied on this file system and needs {needed / 2**30:.1f} GiB; "
            f"{folder} has {free / 2**30:.1f} GiB free"
        )

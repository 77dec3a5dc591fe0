"""Keeping the installed files themselves, at the cost of names and not of bytes.

Every file of the environment is kept by a hard link, else by a reflink (btrfs, XFS, bcachefs, where
hard links do not reach), else by a copy. A snapshot of a 6 GB environment therefore takes a second
or two and no space: an editable install, a source build or a deleted nightly, none of which can be
downloaded again, is kept like any other file.

A hard link shares its bytes with the original. pip and uv replace files and never write into them,
so the kept name holds what was there. A program that goes on writing into an installed file (a log)
writes its own work, which nobody may take back. The few files that installers do edit in place
(metadata, scripts, `.pth`) are copied, each with a checksum.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
import zlib
from collections.abc import Callable, Collection, Iterable, Sequence

from gpudoctor.errors import FixFailedError
from gpudoctor.fix.environment import parts as environments
from gpudoctor.fix.environment.confined import Folder, link_between
from gpudoctor.fix.environment.parts import Environment, Part
from gpudoctor.fix.environment.tree import TreeEntry
from gpudoctor.fix.keeping import manifest, vault
from gpudoctor.fix.keeping.manifest import Kept
from gpudoctor.fix.keeping.vault import Vault
from gpudoctor.model.value import replace

if sys.platform != "win32":
    import fcntl

# _IOW(0x94, 9, int) in linux/fs.h: share the blocks of one file with another.
_FICLONE = 0x40049409
_EDITED_IN_PLACE = (".pth", ".egg-link", "pyvenv.cfg")
_PROJECT_FILE_BYTES = 1 << 20
_PROJECT_BYTES = 1 << 28
"""What of a person's project is copied where hard links do not reach: sources, and not data."""
_SCRIPT_BYTES = 1 << 18
"""Larger programs (interpreters) are no scripts that an installer writes anew."""
_CHUNK = 1 << 20

# What a file system says that has no hard links, or none between these two places.
_NO_LINK = tuple(
    getattr(errno, name)
    for name in ("EXDEV", "EPERM", "EMLINK", "EACCES", "ENOSYS", "EOPNOTSUPP", "ENOTSUP", "EINVAL")
)


def take(
    environment: Environment,
    vaults: Sequence[Vault],
    on_progress: Callable[[int, int], None] | None = None,
) -> Kept:
    """Keep all files of the environment in `vaults`, one for each part, which are made here.

    Raises:
        FixFailedError: it cannot be kept (no space for copies, a file that cannot be read).
    """
    total = sum(len(part.tree) for part in environment.parts)
    parts: list[Part] = []
    sums: list[dict[str, int]] = []
    done = 0
    try:
        for part, place in zip(environment.parts, vaults, strict=True):
            vault.make(place)
            copied, lost = _keep_part(part, place)
            parts.append(_without(part, lost))
            sums.append(copied)
            done += len(part.tree)
            if on_progress is not None:
                on_progress(done, total)
    except (OSError, NotImplementedError) as error:
        what = getattr(error, "filename", None) or environment.prefix
        why = getattr(error, "strerror", None) or error
        raise FixFailedError(f"{what} cannot be kept safe: {why}") from None
    found = replace(environment, parts=tuple(parts))
    return Kept(environment=found, vaults=tuple(vaults), sums=tuple(sums))


def _without(part: Part, lost: Collection[str]) -> Part:
    """The part, if nothing could be kept of these paths of a project."""
    if not lost:
        return part
    tree = {path: entry for path, entry in part.tree.items() if path not in lost}
    return replace(part, tree=tree, beyond=(*part.beyond, *lost))


def _keep_part(part: Part, place: Vault) -> tuple[dict[str, int], list[str]]:
    """The sums of what was copied, and the paths of a project of which nothing could be kept."""
    sums: dict[str, int] = {}
    lost: list[str] = []
    room = _PROJECT_BYTES
    with Folder(part.path) as source, Folder(place.files) as target:
        for path, entry in part.tree.items():
            if entry.kind != "file":
                continue
            if environments.is_theirs(part, path):
                small = entry.size <= min(room, _PROJECT_FILE_BYTES)
                crc = _keep_theirs(source, path, target, entry, small=small)
                if crc is None:
                    lost.append(path)
                elif crc:
                    room -= entry.size
                    sums |= crc
                continue
            in_place = _edited_in_place(environments.within(part, path), entry)
            if not in_place and _linked(source, path, target):
                continue
            if _cannot_change(source, path):
                continue
            _check_space(entry, target)
            sums[path] = copy(source, path, target, path, mtime_ns=entry.mtime_ns)
        # Links are in the file system's own journal; the bytes of copies are not yet on disk.
        _flush(target, sums)
    return sums, lost


def _keep_theirs(
    source: Folder, path: str, target: Folder, entry: TreeEntry, *, small: bool
) -> dict[str, int] | None:
    """Keep a file of a person's project, whose loss stops no fix: by a link; where links do not
    reach, a small one by a copy, whose sum this gives. `None` if nothing could be kept."""
    try:
        if _linked(source, path, target):
            return {}
        if small:
            return {path: copy(source, path, target, path, mtime_ns=entry.mtime_ns)}
    except FileNotFoundError:  # the person has removed it meanwhile
        pass
    except PermissionError:
        if _readable(source, path):
            raise
    target.remove(path)
    return None


def _readable(source: Folder, path: str) -> bool:
    name, parent = source.at(path)
    return os.access(name, os.R_OK, dir_fd=parent)


def _linked(source: Folder, path: str, target: Folder) -> bool:
    try:
        link_between(source, path, target, path, make=True)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno not in _NO_LINK:
            raise
        return False
    return True


def _cannot_change(source: Folder, path: str) -> bool:
    """Whether neither we nor an installer of ours could touch the file: it needs no copy."""
    if sys.platform == "win32" or os.geteuid() == 0:
        return False
    name, parent = source.at(path)
    if parent is None or os.access(name, os.W_OK, dir_fd=parent):
        return False
    folder = os.fstat(parent)
    owner = os.stat(name, dir_fd=parent, follow_symlinks=False).st_uid
    return os.geteuid() not in (folder.st_uid, owner) and not os.access(".", os.W_OK, dir_fd=parent)


def copy(source: Folder, path: str, target: Folder, new: str, *, mtime_ns: int) -> int:
    """Copy a file with its mode and its time of change; its CRC-32.

    Raises:
        OSError: it cannot be read, or not be written; what was written of it is left.
    """
    reading = source.open(path)
    try:
        mode = stat.S_IMODE(os.fstat(reading).st_mode)
        writing = target.create(new, make=True)
        try:
            crc = _pour(reading, writing)
            if hasattr(os, "fchmod"):
                os.fchmod(writing, mode)
            if sys.platform != "linux":
                os.fsync(writing)
        finally:
            os.close(writing)
    finally:
        os.close(reading)
    target.set_times(new, mtime_ns)
    return crc


def _pour(reading: int, writing: int) -> int:
    shared = _reflink(reading, writing)
    crc = 0
    while data := os.read(reading, _CHUNK):
        crc = zlib.crc32(data, crc)
        if not shared:
            manifest.write_all(writing, data)
    return crc


def _reflink(reading: int, writing: int) -> bool:
    if sys.platform != "linux":
        return False
    try:
        fcntl.ioctl(writing, _FICLONE, reading)
    except OSError:
        return False
    return True


def _flush(folder: Folder, paths: Iterable[str]) -> None:
    """Have the copies on disk, at once by their file system (Linux; elsewhere each was flushed).

    Never every file system of the machine, of which one may hang.
    """
    if sys.platform != "linux":
        return
    import ctypes

    descriptor = os.open(folder.path, os.O_RDONLY)
    try:
        if ctypes.CDLL(None).syncfs(descriptor) == 0:
            return
    except AttributeError:  # a C library without it
        pass
    finally:
        os.close(descriptor)
    for path in paths:
        descriptor = folder.open(path)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _edited_in_place(path: str, entry: TreeEntry) -> bool:
    script = path.startswith(("bin/", "Scripts/")) and entry.size < _SCRIPT_BYTES
    metadata = ".dist-info/" in path or ".egg-info" in path
    return script or metadata or path.endswith(_EDITED_IN_PLACE)


def _check_space(entry: TreeEntry, target: Folder) -> None:
    """A copy that does not fit is not begun: a full disk would hurt others than us."""
    if entry.size < 64 * _CHUNK:
        return

    free = shutil.disk_usage(target.path).free
    if entry.size > free - 256 * _CHUNK:
        raise FixFailedError(
            f"the snapshot must be copied on this file system and {target.path} has only "
            f"{free / 2**30:.1f} GiB free"
        )

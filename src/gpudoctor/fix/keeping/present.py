"""An environment as it is now, compared with what is kept of it.

Size and time of change tell most files apart at once. But conda, `cp -p` and reproducible builds
give a new file the time that they like, so a file counts as the old one only if it is the very file
that was kept, under another name, or holds the same bytes.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Collection, Mapping

from gpudoctor.fix.environment import parts as environments
from gpudoctor.fix.environment.confined import Folder
from gpudoctor.fix.environment.parts import Part
from gpudoctor.fix.environment.tree import Tree
from gpudoctor.fix.keeping.manifest import Kept
from gpudoctor.fix.keeping.vault import Vault
from gpudoctor.model.value import replace

_ANOTHER = "another file of the same size and time"
_SMALL = 1 << 20
"""Up to this size a copy is compared byte by byte: the number of a removed file is soon reused."""
_CHUNK = 1 << 20


def present(
    kept: Kept,
    without: Collection[str] = (),
    also: Mapping[str, Collection[str]] | None = None,
) -> dict[str, Tree]:
    """What each part holds now: name of the part → files; one that merely looks like the kept one
    differs from it in its `target`.

    Args:
        kept: the environment as it was.
        without: folders that are no part of it.
        also: paths of a project that are looked at though no record names them now.

    Raises:
        UnreadableError: a folder cannot be read.
    """
    rows = zip(kept.environment.parts, kept.vaults, kept.sums, strict=True)
    touched = environments.recorded_in_projects(kept.environment)
    for name, paths in (also or {}).items():
        touched[name].update(paths)
    return {
        part.name: present_in(part, vault, sums, without, touched[part.name])
        for part, vault, sums in rows
    }


def present_in(
    part: Part,
    vault: Vault,
    sums: Mapping[str, int],
    without: Collection[str] = (),
    touched: Collection[str] = (),
) -> Tree:
    """The same for one part; of a project, the paths that an installer `touched` are looked at."""
    tree = dict(environments.again(part, without, touched))
    suspects = [
        path
        for path, entry in part.tree.items()
        if entry.kind == "file"
        and (now := tree.get(path)) is not entry  # one that was not looked at
        and now == entry
        and now is not None
        and (now.inode != entry.inode or (path in sums and entry.size <= _SMALL))
        and not environments.is_bytecode(path)
    ]
    if suspects:
        try:
            with Folder(part.path) as folder, Folder(vault.files) as files:
                for path in suspects:
                    if not is_kept(path, folder, files, sums):
                        tree[path] = replace(tree[path], target=_ANOTHER)
        except OSError:  # what is kept is gone, which is said elsewhere: nothing to compare with
            pass
    return tree


def is_kept(path: str, folder: Folder, files: Folder, sums: Mapping[str, int]) -> bool:
    """Whether the file at `path` is the one that was kept, or holds its bytes."""
    try:
        kept, now = files.status(path), folder.status(path)
        if kept is None or now is None:
            return now is not None  # it could not be changed, and was not kept
        if os.path.samestat(kept, now):
            return True
        if kept.st_size != now.st_size:
            return False
        found = _checksum(folder, path)
        return found == (sums[path] if path in sums else _checksum(files, path))
    except OSError:
        return False


def _checksum(folder: Folder, path: str) -> int:
    descriptor = folder.open(path)
    try:
        crc = 0
        while data := os.read(descriptor, _CHUNK):
            crc = zlib.crc32(data, crc)
        return crc
    finally:
        os.close(descriptor)

"""The binaries of a folder, each once: an environment, an unpacked image, a build tree."""

from __future__ import annotations

import os
from collections.abc import Iterator

from gpudoctor.binaries.containers.record import attributions

_NEVER = frozenset({"__pycache__", ".git"})
_KERNELS = frozenset({"proc", "sys", "dev"})
_DEEPEST = 64


def candidates(root: str) -> Iterator[tuple[str, str | None]]:
    """The files below `root`, in the order of their names: what they are, their bytes say.

    Each comes with the distribution that brought it, if that is known.

    Links are not followed: what they lead to inside `root` is met under its own name, and in
    an unpacked image an absolute one leads out of it. Folders that cannot be read are passed
    over. Where a folder holds `*.dist-info`, its files are attributed by their RECORD.
    """
    owners: dict[str, str] = {}
    pending = [(root, 0)]
    while pending:
        folder, depth = pending.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        if any(entry.name.endswith(".dist-info") for entry in entries):
            owners.update(attributions(folder))
        below = []
        for entry in entries:
            try:
                if entry.is_symlink():
                    continue
                if entry.is_dir(follow_symlinks=False):
                    # The kernel's file systems are left out, but only at the root of an image.
                    kernels = depth == 0 and entry.name in _KERNELS
                    if entry.name not in _NEVER and not kernels:
                        below.append((entry.path, depth + 1))
                elif entry.is_file(follow_symlinks=False):
                    yield entry.path, owners.get(os.path.normpath(entry.path))
            except OSError:
                continue
        if depth < _DEEPEST:
            pending.extend(reversed(below))

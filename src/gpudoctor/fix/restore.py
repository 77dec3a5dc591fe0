"""Putting an environment back, file by file, from a snapshot.

Only what differs is touched, each file is replaced atomically, and doing it twice does no harm:
a restoration that was itself killed is simply run again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable

from gpudoctor.errors import FixFailedError, RestoreFailedError
from gpudoctor.fix import snapshot as snapshots
from gpudoctor.fix import tree as trees
from gpudoctor.fix.snapshot import Snapshot
from gpudoctor.fix.tree import Entry


def restore(prefix: str, snapshot: Snapshot, only: Iterable[str] | None = None) -> list[str]:
    """Make the environment what the snapshot says; the paths that were put back.

    Args:
        prefix: the environment.
        snapshot: what it was.
        only: restore these paths alone; everything that differs if it is `None`.

    Raises:
        RestoreFailedError: something could not be put back; says how to do it by hand.
    """
    try:
        wanted = trees.changed(snapshot.tree, trees.scan(prefix)) if only is None else sorted(only)
        for path in reversed(wanted):
            if path not in snapshot.tree:
                _remove(os.path.join(prefix, path))
        for path in wanted:
            entry = snapshot.tree.get(path)
            if entry is not None:
                _put_back(prefix, path, entry, snapshot)
        left = [path for path in wanted if not _is_back(prefix, path, snapshot)]
    except (OSError, FixFailedError) as error:
        raise RestoreFailedError(_by_hand(prefix, snapshot, str(error))) from None
    if left:
        raise RestoreFailedError(_by_hand(prefix, snapshot, f"{left[0]} is not as it was"))
    return wanted


def _put_back(prefix: str, path: str, entry: Entry, snapshot: Snapshot) -> None:
    target = os.path.join(prefix, path)
    now = trees.entry_of(target)
    if now == entry:
        return
    if now is not None and now.kind != entry.kind:
        _remove(target)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if entry.kind == "folder":
        os.makedirs(target, exist_ok=True)
        os.chmod(target, entry.mode)
    elif entry.kind == "link":
        _remove(target)
        os.symlink(entry.target, target)
    else:
        snapshots.copy_back(os.path.join(snapshot.files, path), target)


def _is_back(prefix: str, path: str, snapshot: Snapshot) -> bool:
    return trees.entry_of(os.path.join(prefix, path)) == snapshot.tree.get(path)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def _by_hand(prefix: str, snapshot: Snapshot, why: str) -> str:
    return (
        f"the environment could not be restored ({why}); its files as they were lie in "
        f"{snapshot.files}: copy them over {prefix} (cp -a {snapshot.files}/. {prefix}/), or run "
        "`gpudoctor fix --undo` again once the obstacle is gone"
    )

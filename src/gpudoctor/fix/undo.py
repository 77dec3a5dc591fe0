"""Undoing a fix: one that was cut off is put back whole, one that was finished step by step."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping

from gpudoctor.collect.python import fix_journal as place
from gpudoctor.errors import FixFailedError
from gpudoctor.fix import restore as restoring
from gpudoctor.fix import snapshot as snapshots
from gpudoctor.fix import tree as trees
from gpudoctor.fix.journal import Journal
from gpudoctor.fix.lock import EnvironmentLock
from gpudoctor.fix.snapshot import Snapshot
from gpudoctor.fix.transaction import AFTER
from gpudoctor.model.value import dataclass

WAIT_SECONDS = 900.0
"""How long undo waits for an installer that outlived its parent and still writes."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What undoing did: a sentence, and how many paths were put back."""

    text: str
    paths: int = 0


def undo(
    prefix: str,
    environ: Mapping[str, str],
    say: Callable[[str], None],
    wait_seconds: float = WAIT_SECONDS,
) -> Undone:
    """Put the environment at `prefix` back to where it was before its last fix.

    Raises:
        FixFailedError: it cannot be undone without losing what came after; nothing was changed.
        RestoreFailedError: something could not be put back.
    """
    folder = place.environment_folder(prefix, environ)
    fix = next((f for f in reversed(place.fixes(folder)) if _can_be_undone(f)), None)
    if fix is None:
        return Undone("there is nothing to undo")
    journal = Journal(fix)
    with EnvironmentLock(prefix, folder, _wait(say, wait_seconds)):
        kept = snapshots.load(_snapshot_folder(journal))
        if kept is None:
            journal.write("untouched", why="it was interrupted before the first change")
            return Undone("the fix was interrupted before its first change: nothing was changed")
        if journal.state() == "committed":
            return _undo_committed(prefix, journal, kept)
        journal.write("restoring")
        paths = restoring.restore(prefix, kept)
        journal.write("restored")
        shutil.rmtree(kept.folder, ignore_errors=True)
        return Undone(f"the interrupted fix was undone: {len(paths)} paths put back", len(paths))


def _undo_committed(prefix: str, journal: Journal, kept: Snapshot) -> Undone:
    after = trees.read(os.path.join(journal.folder, AFTER))
    changed = trees.changed(kept.tree, after)
    later = [
        path
        for path in changed
        if trees.entry_of(os.path.join(prefix, path)) not in (after.get(path), kept.tree.get(path))
        and "__pycache__" not in path
    ]
    later += _newer_below(prefix, changed, kept.tree, after)
    if later:
        raise FixFailedError(
            f"{len(later)} files that the fix installed were changed after it, {later[0]} among "
            "them: undoing would lose that; nothing was changed"
        )
    journal.write("restoring", committed=True)
    bytecode = _bytecode_below(prefix, changed, kept.tree)
    paths = restoring.restore(prefix, kept, [*changed, *bytecode])
    journal.write("undone")
    shutil.rmtree(kept.folder, ignore_errors=True)
    return Undone(f"the fix was undone: {len(paths)} paths put back", len(paths))


def _newer_below(
    prefix: str, changed: list[str], before: trees.Tree, after: trees.Tree
) -> list[str]:
    """Files that came after the fix into folders which undoing it would remove."""
    doomed = [p for p in changed if p not in before and after[p].kind == "folder"]
    found = []
    for folder in doomed:
        for root, _, names in os.walk(os.path.join(prefix, folder)):
            for name in names:
                path = os.path.relpath(os.path.join(root, name), prefix).replace(os.sep, "/")
                if path not in after and not name.endswith((".pyc", ".pyo")):
                    found.append(path)
    return found


def _bytecode_below(prefix: str, changed: list[str], before: trees.Tree) -> list[str]:
    """Compiled files that Python wrote after the fix beside the files that change: they go too."""
    folders = {os.path.dirname(path) for path in changed if path.endswith(".py")}
    found = []
    for folder in folders:
        cache = f"{folder}/__pycache__"
        try:
            names = os.listdir(os.path.join(prefix, cache))
        except OSError:
            continue
        found += [f"{cache}/{name}" for name in names if f"{cache}/{name}" not in before]
    return found


def _can_be_undone(fix: str) -> bool:
    records = place.read(fix)
    return bool(records) and records[-1].get("step") not in ("restored", "undone", "untouched")


def _snapshot_folder(journal: Journal) -> str:
    folders = [r.get("folder") for r in journal.records() if r.get("step") == "snapshot"]
    return str(folders[-1]) if folders else os.path.join(journal.folder, "missing")


def _wait(say: Callable[[str], None], seconds: float) -> float:
    say("waiting until nothing writes into the environment any more")
    return seconds

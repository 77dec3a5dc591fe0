"""The snapshots that are kept for undoing: listed, and removed."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping

from gpudoctor.collect.python import fix_journal as place
from gpudoctor.errors import UsageError
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One kept fix."""

    id: str
    prefix: str
    state: str
    """The last step of its journal: `committed`, or where it was cut off."""
    date: str
    """Local time, `2026-11-20 14:03`."""
    packages: str
    snapshot: str | None
    """Folder of the kept files; `None` once they are gone."""


def kept(environ: Mapping[str, str]) -> tuple[Kept, ...]:
    """All fixes of all environments, oldest first."""
    root = os.path.join(place.state_folder(environ), "fixes")
    found = [entry for folder in place.fixes(root) for entry in map(_kept, place.fixes(folder))]
    return tuple(sorted((entry for entry in found if entry), key=lambda entry: entry.id))


def forget(name: str, environ: Mapping[str, str]) -> tuple[Kept, ...]:
    """Remove the fix `name`, or `all` that are finished; what was removed.

    Raises:
        UsageError: there is none of that name, or it is unfinished and its snapshot is needed.
    """
    entries = kept(environ)
    wanted = [e for e in entries if name in ("all", e.id)]
    if not wanted and name != "all":
        names = ", ".join(entry.id for entry in entries) or "none"
        raise UsageError(f"no fix is called {name!r}; there are {names}")
    unfinished = [entry for entry in wanted if entry.state not in place.FINISHED]
    if unfinished and name != "all":
        raise UsageError(f"fix {name} is unfinished: undo it first (gpudoctor fix --undo)")
    gone = [entry for entry in wanted if entry not in unfinished]
    for entry in gone:
        if entry.snapshot:
            shutil.rmtree(entry.snapshot, ignore_errors=True)
        shutil.rmtree(_folder(entry, environ), ignore_errors=True)
    return tuple(gone)


def _kept(folder: str) -> Kept | None:
    records = place.read(folder)
    if not records:
        return None
    first = records[0]
    snapshots = [str(r["folder"]) for r in records if r.get("step") == "snapshot"]
    there = [path for path in snapshots if os.path.isdir(path)]
    moment = first.get("time")
    return Kept(
        id=os.path.basename(folder),
        prefix=str(first.get("prefix", "")),
        state=str(records[-1].get("step")),
        date=time.strftime("%Y-%m-%d %H:%M", time.localtime(moment if moment else 0)),
        packages=str(first.get("packages", "")),
        snapshot=there[-1] if there else None,
    )


def _folder(entry: Kept, environ: Mapping[str, str]) -> str:
    return os.path.join(place.environment_folder(entry.prefix, environ), entry.id)

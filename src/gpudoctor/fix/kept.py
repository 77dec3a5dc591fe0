"""The fixes whose files are kept for undoing: listed, and removed."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from gpudoctor.collect.python import fix_journal as place
from gpudoctor.collect.python.fix_journal import JournalReading
from gpudoctor.errors import UsageError
from gpudoctor.fix.installing.workshop import Workshop
from gpudoctor.fix.keeping import vault
from gpudoctor.fix.keeping.vault import Vault
from gpudoctor.fix.lock import EnvironmentLock
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFix:
    """One fix that is on the list."""

    id: str
    prefix: str
    state: str
    """The last step of its journal: `committed`, or where it was cut off; `damaged`."""
    date: str
    """Local time, `2026-11-20 14:03`; empty where nobody knows."""
    packages: str
    folder: str
    """Where its journal lies."""
    vaults: tuple[Vault, ...] = ()
    """Where its files are kept, as far as they are there."""

    @property
    def snapshot(self) -> str | None:
        """Folder of the kept files of the environment itself; `None` once they are gone."""
        return self.vaults[0].path if self.vaults else None


def kept(environ: Mapping[str, str]) -> tuple[KeptFix, ...]:
    """All fixes of all environments, oldest first.

    Raises:
        UsageError: a folder of them cannot be read.
    """
    root = os.path.join(place.state_folder(environ), "fixes")
    try:
        found = [_kept(fix) for folder in place.fixes(root) for fix in place.fixes(folder)]
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read: {error.strerror}") from None
    return tuple(sorted(found, key=lambda entry: (entry.date, entry.id)))


def forget(name: str, environ: Mapping[str, str]) -> tuple[KeptFix, ...]:
    """Remove the fix `name`, or `all` that are finished; what was removed.

    Raises:
        FixFailedError: a fix or an undoing of that environment is at work.
        UsageError: there is none of that name, it is unfinished and can still be undone, or it
            may not be removed by this user.
    """
    entries = kept(environ)
    wanted = [e for e in entries if name in ("all", e.id)]
    if not wanted and name != "all":
        names = ", ".join(entry.id for entry in entries) or "none"
        raise UsageError(f"no fix is called {name!r}; there are {names}")
    needed = [entry for entry in wanted if _is_needed(entry, one=name != "all")]
    if needed and name != "all":
        raise UsageError(
            f"fix {name} is unfinished: undo it first "
            f"(gpudoctor fix --undo --python {needed[0].prefix})"
        )
    gone = [entry for entry in wanted if entry not in needed]
    for entry in gone:
        folder = os.path.dirname(entry.folder)
        with EnvironmentLock(entry.prefix, folder):  # nobody is about to undo it
            forget_traces(entry.folder, entry.vaults)
            vault.discard(entry.folder)
        remove_empty(folder)
    stays = [entry.folder for entry in gone if os.path.lexists(entry.folder)]
    if stays and name != "all":
        raise UsageError(f"fix {name} cannot be removed: {stays[0]} may not be changed by you")
    return tuple(entry for entry in gone if entry.folder not in stays)


def clean(folder: str) -> None:
    """Remove what the finished fixes of an environment left because they were cut off at the end.

    `folder` is that of the environment, which must be locked.
    """
    for fix in place.fixes(folder):
        reading = place.read(fix)
        if reading.is_finished and reading.step != place.UNDOABLE:
            if reading.step == "untouched":
                forget_traces(fix, vaults_of(reading))
                continue
            for each in vaults_of(reading):
                vault.remove(each, keep_aside=True)
            Workshop(fix).clear()
    try:
        unborn = [name for name in os.listdir(folder) if name.startswith(".")]
    except OSError:
        return
    for name in unborn:
        vault.remove_tree(os.path.join(folder, name))


def forget_traces(fix: str, vaults: tuple[Vault, ...]) -> None:
    """Remove a fix with all that it made; what could not be removed is known the next time."""
    for each in vaults:
        vault.remove(each)
    cleared = Workshop(fix).clear()
    if cleared and not any(os.path.lexists(each.path) for each in vaults):
        vault.discard(fix)


def _is_needed(entry: KeptFix, *, one: bool) -> bool:
    """Whether removing it would take away the last way back.

    One that is named may go when it cannot be undone any more: damaged, or its files are gone.
    """
    if entry.state in place.FINISHED:
        return False
    return not (one and (entry.state == "damaged" or not entry.vaults))


def _kept(folder: str) -> KeptFix:
    reading = place.read(folder)
    first = reading.records[0] if reading.records else {}
    return KeptFix(
        id=os.path.basename(folder),
        prefix=str(first.get("prefix", "")),
        state="damaged" if reading.damage else str(reading.step),
        date=_date(first.get("time")),
        packages=str(first.get("packages", "")),
        folder=folder,
        vaults=tuple(each for each in vaults_of(reading) if os.path.isdir(each.path)),
    )


def vaults_of(reading: JournalReading) -> tuple[Vault, ...]:
    """Where a fix keeps files, or was about to; what is not said in that form is not believed."""
    planned = reading.last("snapshot").get("vaults")
    rows = [row for row in planned if isinstance(row, list)] if isinstance(planned, list) else []
    texts = [row for row in rows if [type(each) for each in row] == [str, str]]
    return tuple(Vault(path=path, token=token) for path, token in texts if os.path.isabs(path))


def _date(moment: object) -> str:
    if not isinstance(moment, (int, float)):
        return ""
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))
    except (OverflowError, ValueError, OSError):
        return ""


def remove_empty(folder: str) -> None:
    """The folder of an environment goes with its last fix."""
    lock = os.path.join(folder, "lock")
    try:
        if place.fixes(folder):
            return
        if os.path.exists(lock):
            os.unlink(lock)
        os.rmdir(folder)
    except OSError:
        pass

"""Snapshot, apply, verify, or back to where it was.

Every step stands in the journal before it begins, so whatever ends the process, the next one knows
what to do: before the snapshot is whole nothing was changed; after it, everything can be put back.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping

from gpudoctor.errors import FixFailedError, GpuDoctorError
from gpudoctor.fix import restore as restoring
from gpudoctor.fix import snapshot as snapshots
from gpudoctor.fix import tree as trees
from gpudoctor.fix.install import run_step
from gpudoctor.fix.journal import Journal
from gpudoctor.fix.lock import EnvironmentLock
from gpudoctor.fix.snapshot import Snapshot
from gpudoctor.model.value import dataclass, field

AFTER = "after.json"
SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a transaction does, to which environment."""

    prefix: str
    commands: tuple[tuple[str, ...], ...]
    """Argument lists, executed in this order without a shell."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables for the installer: where an index's credentials travel. Never written down."""
    secrets: tuple[str, ...] = ()
    """Texts that may not be shown or kept."""
    summary: Mapping[str, str] = field(default_factory=dict)
    """What the journal says of the fix: when, which packages."""


Verify = Callable[[], str | None]
"""Looks at the changed environment: `None` if it is cured, else what is wrong, as a clause."""

Say = Callable[[str], None]


def run(work: Work, folder: str, verify: Verify, say: Say, observe: Say | None = None) -> None:
    """Carry out the work in the environment at `work.prefix`; keep everything in `folder`.

    `observe` hears of each step once it is in the journal.

    Raises:
        FixFailedError: it failed, and the environment is as it was.
        RestoreFailedError: it failed, and so did the restoration.
        KeyboardInterrupt: interrupted; the environment is as it was.
    """
    with EnvironmentLock(work.prefix, os.path.dirname(folder)):
        os.makedirs(folder)
        journal = Journal(folder, observe)
        journal.write("begun", prefix=work.prefix, **work.summary)
        keep = snapshot_folder(work.prefix, folder)
        try:
            journal.write("snapshot", folder=keep)
            say("keeping the installed files safe")
            snapshot = snapshots.take(work.prefix, keep)
        except BaseException as error:
            shutil.rmtree(keep, ignore_errors=True)
            _note(journal, "untouched", why=str(error))
            raise
        _change(work, journal, snapshot, verify, say)


def snapshot_folder(prefix: str, folder: str) -> str:
    """Where a snapshot lies: in the fix's folder if that is on the same file system, else beside
    the environment, where links work."""
    inside = os.path.join(folder, SNAPSHOT)
    beside = os.path.join(
        os.path.dirname(os.path.realpath(prefix)), f".gpudoctor-{os.path.basename(folder)}"
    )
    same = os.stat(prefix).st_dev == os.stat(folder).st_dev
    if not same and os.access(os.path.dirname(beside), os.W_OK):
        inside = beside
    os.makedirs(inside, exist_ok=True)
    return inside


def _change(work: Work, journal: Journal, snapshot: Snapshot, verify: Verify, say: Say) -> None:
    try:
        for number, command in enumerate(work.commands):
            journal.write("applying", number=number, of=len(work.commands))
            run_step(command, work.environment, work.secrets, say)
        journal.write("applied")
        journal.write("verifying")
        say("verifying")
        wrong = verify()
        if wrong is not None:
            raise FixFailedError(f"the new installation did not stand the examination: {wrong}")
        trees.write(trees.scan(work.prefix), os.path.join(journal.folder, AFTER))
        journal.write("committed")
    except BaseException as error:
        _back(work.prefix, journal, snapshot, say)
        if isinstance(error, (GpuDoctorError, KeyboardInterrupt)):
            raise _as_failure(error) from None
        raise FixFailedError(f"{error}; the environment is as it was") from None


def _back(prefix: str, journal: Journal, snapshot: Snapshot, say: Say) -> None:
    _note(journal, "restoring")
    say("putting the environment back as it was")
    restoring.restore(prefix, snapshot)
    _note(journal, "restored")
    shutil.rmtree(snapshot.folder, ignore_errors=True)


def _as_failure(error: BaseException) -> BaseException:
    if isinstance(error, KeyboardInterrupt) or "as it was" in str(error):
        return error
    return FixFailedError(f"{error}; the environment is as it was")


def _note(journal: Journal, step: str, **details: str) -> None:
    """Write to the journal if that can be done: a full disk must not stop a restoration."""
    try:
        journal.write(step, **details)
    except OSError:
        pass

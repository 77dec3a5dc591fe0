"""The journal of one fix: a line for each step, on disk before the next step begins."""

from __future__ import annotations

import errno
import os
import secrets
import time
from collections.abc import Callable
from typing import Any

from gpudoctor.collect.python import fix_journal as place
from gpudoctor.collect.python.fix_journal import JournalReading
from gpudoctor.fix.keeping.manifest import write_all
from gpudoctor.fix.keeping.vault import remove_tree


class Journal:
    """Appends records; each is flushed to disk before `write` returns.

    The steps, in the order in which they can come: begun, snapshot (where files will be kept),
    kept (all of them are; or untouched: it ended here), applying (a command), applied, verifying,
    committed; restoring, restored, undone.
    """

    def __init__(self, folder: str, observer: Callable[[str], None] | None = None) -> None:
        self.folder = folder
        self._observer = observer

    def write(self, step: str, **details: Any) -> None:
        """Record a step; the observer hears of it once it is on disk.

        Raises:
            OSError: it cannot be written; the journal says what it said before.
        """
        path = os.path.join(self.folder, place.JOURNAL)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        try:
            data = _content(descriptor)
            end = data.rfind(b"\n") + 1  # a line that was cut off by a death is written over
            reading = place.parse(data, path)
            if end and reading.damage:
                raise OSError(errno.EIO, reading.damage)
            check = place.checksum(reading.records)
            record = {"step": step, "time": round(time.time(), 3), **details}
            try:
                os.ftruncate(descriptor, end)
                os.lseek(descriptor, end, os.SEEK_SET)
                write_all(descriptor, place.line_of(record, check)[0])
                os.fsync(descriptor)
            except OSError as error:
                error.filename = path  # whose disk is full
                os.ftruncate(descriptor, end)
                raise
        finally:
            os.close(descriptor)
        if self._observer is not None:
            self._observer(step)

    def note(self, step: str, **details: Any) -> bool:
        """`write` where a full disk must not stop what is being done; whether it was written."""
        try:
            self.write(step, **details)
        except OSError:
            return False
        return True

    def read(self) -> JournalReading:
        """What was recorded, checked."""
        return place.read(self.folder)


def begin(folder: str, observer: Callable[[str], None] | None = None, **details: Any) -> Journal:
    """Begin a fix in `folder`, that of its environment; the folder of the fix is new.

    Its name is a number that grows, the moment in UTC, and chance: neither a change of the time
    zone nor a second fix in the same second can mistake it.

    Raises:
        OSError: it cannot be made.
    """
    make_private(folder)
    known = [place.order(os.path.basename(fix))[0] for fix in place.fixes(folder)]
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    name = f"{max(known, default=0) + 1:04d}-{moment}-{secrets.token_hex(3)}"
    # It gets its name when its first record is written: a fix without a journal is then damage.
    hidden = os.path.join(folder, f".{name}")
    os.mkdir(hidden, 0o700)
    try:
        Journal(hidden).write("begun", id=name, **details)
        os.rename(hidden, os.path.join(folder, name))
    except OSError:
        remove_tree(hidden)
        raise
    journal = Journal(os.path.join(folder, name), observer)
    if observer is not None:
        observer("begun")
    return journal


def make_private(folder: str) -> None:
    """Make a folder, and those above it, for us alone.

    Raises:
        OSError: it cannot be made, or is there and belongs to another user.
    """
    missing = []
    above = folder
    while not os.path.isdir(above) and os.path.dirname(above) != above:
        missing.append(above)
        above = os.path.dirname(above)
    for path in reversed(missing):
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            if not os.path.isdir(path):
                raise
    if why := place.not_private(folder):
        raise PermissionError(13, why, folder)


def _content(descriptor: int) -> bytes:
    data = b""
    while piece := os.read(descriptor, 1 << 20):
        data += piece
    return data

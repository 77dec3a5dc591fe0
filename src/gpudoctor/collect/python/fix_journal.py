"""Where fixes of an environment keep their journals, and whether one of them is unfinished.

Nothing of the doctor's own stays in an environment: journals lie in the user's state folder,
one folder for each environment (its path, hashed), one below it for each fix.

A journal is checked when it is read: each line carries a checksum over itself and all lines before
it, and only the last line may be cut off, since a process dies while it writes. Anything else is
damage, which is said and never taken for "nothing happened".
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gpudoctor.collect.long_paths import ordinary, true_path
from gpudoctor.model.lazy import later
from gpudoctor.model.value import dataclass

if TYPE_CHECKING:
    import hashlib
    import zlib
else:  # 0.5 ms, which a check where nothing was ever fixed need not spend
    hashlib = later("hashlib")
    zlib = later("zlib")

JOURNAL = "journal.jsonl"

# The steps after which nothing is left to do; in every other state a fix is unfinished.
FINISHED = ("committed", "restored", "undone", "untouched")
UNDOABLE = "committed"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalReading:
    """The records of a journal as far as they can be believed."""

    records: tuple[dict[str, Any], ...] = ()
    damage: str | None = None
    """What is wrong with the journal, as a clause; `None` if it is sound."""

    @property
    def step(self) -> str | None:
        """The last step; `None` before the first."""
        return str(self.records[-1].get("step")) if self.records else None

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to do, which only a sound journal can say."""
        return self.damage is None and self.step in FINISHED

    def last(self, step: str) -> dict[str, Any]:
        """The last record of a step; empty if there is none."""
        return next((r for r in reversed(self.records) if r.get("step") == step), {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A fix that neither ended nor was undone."""

    folder: str
    damage: str | None = None
    """Why nothing is known of it, as a clause; `None` if its journal is sound."""


def state_folder(environ: Mapping[str, str]) -> str:
    """The folder for what must survive: XDG base directories, `%LOCALAPPDATA%`, or Library.

    A relative `XDG_STATE_HOME` is invalid and ignored, as the XDG specification wants it.
    """
    given = environ.get("GPUDOCTOR_STATE")
    if given:
        return os.path.abspath(given)
    if sys.platform == "win32":
        base = environ.get("LOCALAPPDATA") or os.path.expanduser(r"~\AppData\Local")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Application Support")
    else:
        base = environ.get("XDG_STATE_HOME", "")
        if not os.path.isabs(base):
            base = os.path.expanduser("~/.local/state")
    return os.path.join(base, "gpudoctor")


def environment_folder(prefix: str, environ: Mapping[str, str]) -> str:
    """The folder that holds the fixes of the environment at `prefix`."""
    real = os.path.normcase(ordinary(true_path(prefix)))
    key = hashlib.sha256(real.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in os.path.basename(real))
    return os.path.join(state_folder(environ), "fixes", f"{name[:40] or 'root'}-{key}")


def fixes(folder: str) -> list[str]:
    """The folders of the fixes below `folder`, oldest first.

    Their names begin with a number that grows, so no clock and no time zone decides the order.
    A name that begins with a dot is a fix that was cut off before it began.

    Raises:
        OSError: the folder is there and cannot be read, so that nobody knows.
    """
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    plain = sorted((name for name in names if not name.startswith(".")), key=order)
    return [os.path.join(folder, name) for name in plain]


def order(name: str) -> tuple[int, str]:
    """What fixes are sorted by: the number of their name, then the name."""
    number = name.partition("-")[0]
    return (int(number) if number.isdecimal() and len(number) < 12 else 0, name)


def read(fix: str) -> JournalReading:
    """The journal of a fix, checked."""
    if why := not_private(fix):
        return JournalReading(damage=why)
    path = os.path.join(fix, JOURNAL)
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return JournalReading(damage=f"{path} is gone")
    except OSError as error:
        return JournalReading(damage=f"{path} cannot be read: {error.strerror}")
    return parse(data, path)


def parse(data: bytes, path: str) -> JournalReading:
    """The records that the bytes of a journal hold, checked; `path` is for what is said."""
    *lines, _torn = data.split(b"\n")
    records: list[dict[str, Any]] = []
    check = 0
    for number, line in enumerate(lines, 1):
        record, check = _record(line, check)
        if record is None:
            return JournalReading(
                records=tuple(records), damage=f"line {number} of {path} is damaged"
            )
        records.append(record)
    if not records:
        return JournalReading(damage=f"{path} is empty")
    return JournalReading(records=tuple(records))


def line_of(record: Mapping[str, Any], check: int) -> tuple[bytes, int]:
    """A record as a line of a journal, and the checksum that the next line builds on."""
    body = json.dumps(record)
    check = _crc(body.encode(), check)
    return f'{body[:-1]}, "check": "{check:08x}"}}\n'.encode(), check


def checksum(records: tuple[dict[str, Any], ...]) -> int:
    """The checksum that the line after these records builds on."""
    check = 0
    for record in records:
        check = _crc(json.dumps(record).encode(), check)
    return check


def _record(line: bytes, before: int) -> tuple[dict[str, Any] | None, int]:
    try:
        record = json.loads(line)
        said = record.pop("check")
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None, 0
    check = _crc(json.dumps(record).encode(), before)
    if said != f"{check:08x}" or not isinstance(record.get("step"), str):
        return None, 0
    return record, check


def _crc(data: bytes, before: int) -> int:
    return zlib.crc32(data, before)


def not_private(path: str) -> str | None:
    """Why a folder is not one that only we can have written, as a clause; else `None`."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return f"{path} is gone"
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    if not stat.S_ISDIR(status.st_mode):
        return f"{path} is no folder"
    if sys.platform != "win32":
        if status.st_uid != os.geteuid():
            return f"{path} belongs to another user"
        if stat.S_IMODE(status.st_mode) & 0o022:
            return f"{path} can be written by others"
    return None


def unfinished(prefix: str, environ: Mapping[str, str]) -> Unfinished | None:
    """The last fix of this environment that neither ended nor was undone, or cannot be read.

    Raises:
        OSError: the folder of the fixes cannot be read.
    """
    try:
        os.stat(os.path.join(state_folder(environ), "fixes"))
    except (FileNotFoundError, NotADirectoryError):
        return None  # nothing was ever fixed here; loading hashlib would cost every check 5 ms
    return unfinished_in(environment_folder(prefix, environ))


def unfinished_in(folder: str) -> Unfinished | None:
    """The same for the environment whose fixes lie in `folder`."""
    for fix in reversed(fixes(folder)):
        reading = read(fix)
        if not reading.is_finished:
            return Unfinished(folder=fix, damage=reading.damage)
    return None

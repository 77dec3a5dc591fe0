"""A file system that fails, or dies, at a chosen call: put in place of `os` in the rooms of `fix`.

Every call that touches the disk is counted. At the chosen one the call fails with an error of the
system, or the process "dies": from then on no call does anything any more, as after SIGKILL. What
a dead process would have given back (descriptors, and with them its locks) is given back by
`end_of_process`.
"""

from __future__ import annotations

import errno
import importlib
import os
import pkgutil
import threading
from collections.abc import Iterator
from types import ModuleType

import gpudoctor.fix

DEATH = "death"
ERRORS = ("ENOSPC", "EROFS", "EACCES", "EXDEV", "ENOSYS", "EINTR", "EIO")

_CALLS = frozenset(
    [
        "open",
        "close",
        "read",
        "write",
        "fsync",
        "sync",
        "mkdir",
        "rmdir",
        "unlink",
        "rename",
        "replace",
        "link",
        "symlink",
        "readlink",
        "stat",
        "lstat",
        "fstat",
        "scandir",
        "listdir",
        "chmod",
        "fchmod",
        "utime",
        "ftruncate",
        "dup",
        "makedirs",
        "flock",
    ]
)
_SLOW = frozenset(("fsync", "sync"))
_LOOKING = frozenset(
    [
        *("close", "read", "fsync", "sync", "dup", "flock"),
        *("readlink", "stat", "lstat", "fstat", "scandir", "listdir"),
    ]
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Died(BaseException):
    """The process ended here."""


class Disk:
    """Counts calls and lets one of them fail."""

    def __init__(self) -> None:
        self.count = 0
        self.fatal = -1
        self.kind = ""
        self.dead = False
        self.open: set[int] = set()
        self.changing: set[int] = set()
        """Positions since `arm` before whose call the disk is another than at the call before."""
        self.failing: set[int] = set()
        """Positions since `arm` of calls that can fail: all but those that close."""
        self._changed = True
        self._thread = threading.get_ident()

    def arm(self, position: int, kind: str) -> None:
        """Let the call at `position` fail, counted from now."""
        self.count, self.fatal, self.kind, self.dead = 0, position, kind, False
        self.changing, self.failing, self._changed = set(), set(), True

    def changes(self) -> None:
        """Something happens that no call of ours does: an installer."""
        self._changed = True

    def disarm(self) -> None:
        self.arm(-1, "")

    def end_of_process(self) -> None:
        """What the system does when a process has died."""
        for descriptor in self.open:
            try:
                os.close(descriptor)
            except OSError:
                pass
        self.open = set()
        self.disarm()

    def before(self, name: str, *, changes: bool = True) -> bool:
        """Count a call; whether it must fail half-way (a write on a full disk).

        `changes` is whether the call can change the disk.

        Raises:
            Died, OSError: it is the one.
        """
        if threading.get_ident() != self._thread:
            if self.dead:
                raise OSError(errno.EIO, "the process is dead")
            return False
        if self.dead:
            raise Died
        # A write that dies is cut in half, which is a state of its own.
        if self._changed or name == "write":
            self.changing.add(self.count)
        if name != "close":
            self.failing.add(self.count)
        self._changed = changes
        self.count += 1
        if self.count - 1 != self.fatal:
            return False
        if self.kind == DEATH:
            self.dead = True
            if name != "write":
                raise Died
            return True
        if name == "write" and self.kind == "ENOSPC":
            return True
        # A close that fails has closed all the same (close(2)).
        if name != "close":
            raise OSError(getattr(errno, self.kind), os.strerror(getattr(errno, self.kind)))
        return False


class FaultyOs:
    """`os`, seen through a disk."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self.supports_follow_symlinks = os.supports_follow_symlinks | {self.utime}

    def __getattr__(self, name: str):
        value = getattr(os, name)
        if name not in _CALLS:
            return value
        call = self._call(name, value)
        setattr(self, name, call)
        return call

    def _call(self, name: str, real):
        disk = self._disk

        def call(*arguments, **named):
            reads = name == "open" and not arguments[1] & _WRITING
            half = disk.before(name, changes=not (reads or name in _LOOKING))
            if name in _SLOW:
                return None
            if half:
                descriptor, data = arguments
                real(descriptor, bytes(data)[: len(data) // 2])
                if disk.dead:
                    raise Died
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            result = real(*arguments, **named)
            if name in ("open", "dup"):
                disk.open.add(result)
            elif name == "close":
                disk.open.discard(arguments[0])
            return result

        return call


def install(monkeypatch, disk: Disk) -> None:
    """Let all modules of `fix`, and the journals, see the disk."""
    faulty = FaultyOs(disk)
    import builtins
    import fcntl

    def opened(*arguments, **named):
        disk.before("open")
        return builtins.open(*arguments, **named)

    locked = fcntl.flock

    def flock(*arguments):
        disk.before("flock", changes=False)
        return locked(*arguments)

    for module in _modules():
        if hasattr(module, "os"):
            monkeypatch.setattr(module, "os", faulty)
            monkeypatch.setattr(module, "open", opened, raising=False)
    monkeypatch.setattr(fcntl, "flock", flock)


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(gpudoctor.fix.__path__, "gpudoctor.fix."):
        if not found.name.endswith(("command", "permission")):
            yield importlib.import_module(found.name)
    yield importlib.import_module("gpudoctor.collect.python.fix_journal")

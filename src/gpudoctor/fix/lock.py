"""One fix at a time for an environment, across processes and also after a killed parent.

On POSIX the environment's own folder is locked (`flock`), so that two users with two home folders
exclude each other and no file is left in it. The lock belongs to the open descriptor, which the
installer inherits: when gpudoctor alone is killed, an installer that still writes still holds it.
A file system may have no such locks (Lustre without `-o flock`, some FUSE): then a file in the
state folder is locked, and where that has none either, one in the folder for temporary files; with
record locks where `flock` is missing altogether. Only "somebody holds it" counts as held. On
Windows a file in the state folder is locked, which no child inherits.
"""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import time
from types import TracebackType

from gpudoctor.collect.python.fix_journal import not_private
from gpudoctor.errors import FixFailedError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)


class EnvironmentLock:
    """Holds the lock while the `with` block runs.

    Raises:
        FixFailedError: another fix holds it and did not finish within `wait_seconds`, or nothing
            here can be locked.
    """

    def __init__(self, prefix: str, folder: str, wait_seconds: float = 0.0) -> None:
        self._prefix = prefix
        self._folder = folder
        self._wait = wait_seconds
        self.descriptor = -1

    def __enter__(self) -> EnvironmentLock:
        why = "nothing can be locked"
        for path in self._places():
            try:
                self.descriptor = _open(path, is_folder=path == self._prefix)
                self._acquire()
            except OSError as error:
                why = f"{path} cannot be locked: {error.strerror}"
                self._release()
                continue
            return self
        raise FixFailedError(f"{why}; nothing was changed")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._release()

    def _places(self) -> list[str]:
        inside = os.path.join(self._folder, "lock")
        if sys.platform == "win32":
            return [inside]
        name = f"gpudoctor-{os.geteuid()}"
        return [
            self._prefix,
            inside,
            os.path.join(tempfile.gettempdir(), name, os.path.basename(self._folder)),
        ]

    def _acquire(self) -> None:
        deadline = time.monotonic() + self._wait
        while not _try(self.descriptor):
            if time.monotonic() >= deadline:
                self._release()
                raise FixFailedError(
                    f"another fix of {self._prefix} is at work, or an installer that it started "
                    "still writes; nothing was changed"
                )
            time.sleep(0.1)

    def _release(self) -> None:
        if self.descriptor >= 0:
            try:
                os.close(self.descriptor)
            except OSError:  # it is closed all the same (close(2))
                pass
            self.descriptor = -1


def _open(path: str, *, is_folder: bool) -> int:
    if is_folder:
        descriptor = os.open(path, os.O_RDONLY)
    else:
        folder = os.path.dirname(path)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if why := not_private(folder):
            raise PermissionError(errno.EPERM, why, folder)
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(path, flags, 0o600)
    if sys.platform != "win32":
        os.set_inheritable(descriptor, True)  # noqa: FBT003 - os takes it by position
    return descriptor


def _try(descriptor: int) -> bool:
    """Whether it is ours now; `False` if somebody holds it.

    Raises:
        OSError: the file system has no locks.
    """
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            _lock_posix(descriptor)
    except InterruptedError:
        return False
    except OSError as error:
        if error.errno in _HELD:
            return False
        raise
    return True


def _lock_posix(descriptor: int) -> None:
    """`flock`, else a record lock (fcntl), which other systems of the kernel serve; a folder, which
    is open for reading, can have the first alone.

    Raises:
        OSError: somebody holds it, or there is neither.
    """
    exclusive = fcntl.LOCK_EX | fcntl.LOCK_NB
    try:
        fcntl.flock(descriptor, exclusive)
    except OSError as error:
        if error.errno in _HELD:
            raise
        fcntl.lockf(descriptor, exclusive)

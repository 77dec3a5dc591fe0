"""One fix at a time for an environment, across processes and also after a killed parent.

On POSIX the environment's own folder is locked (`flock`), so that two users with two home folders
exclude each other and no file is left in it. The lock belongs to the open descriptor, which the
installer inherits: when gpudoctor alone is killed, the installer that still writes still holds it.
On Windows a file in the state folder is locked, and the installer dies with its job object.
"""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType

from gpudoctor.errors import FixFailedError


class EnvironmentLock:
    """Holds the lock while the `with` block runs.

    Raises:
        FixFailedError: another fix holds it and did not finish within `wait_seconds`.
    """

    def __init__(self, prefix: str, folder: str, wait_seconds: float = 0.0) -> None:
        self._prefix = prefix
        self._file = os.path.join(folder, "lock")
        self._wait = wait_seconds
        self.descriptor = -1

    def __enter__(self) -> EnvironmentLock:
        if sys.platform == "win32":
            self.descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT)
        else:
            self.descriptor = os.open(self._prefix, os.O_RDONLY)
            os.set_inheritable(self.descriptor, True)  # noqa: FBT003 - os takes it by position
        deadline = time.monotonic() + self._wait
        while not self._try():
            if time.monotonic() >= deadline:
                os.close(self.descriptor)
                raise FixFailedError(
                    f"another fix of {self._prefix} is at work, or an installer that it started "
                    "still writes; nothing was changed"
                )
            time.sleep(0.1)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self.descriptor)

    def _try(self) -> bool:
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(self.descriptor, msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

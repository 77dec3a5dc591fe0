"""When a fix was at work last: what tells the installer's files from those that came later.

While a fix is at work, a file beside the kept ones is touched several times a second. After a kill
or a power cut, whatever changed later than that was somebody else's doing. The file lies on the
environment's file system where that can be, so that one clock stamps both.
"""

from __future__ import annotations

import os
import threading
from types import TracebackType

_NAME = "pulse"
_SECONDS = 0.2
SLACK_NS = 300_000_000
"""What an installer may still have written after the last touch. Too short a time makes undoing
ask where it need not; too long a one would take somebody's work for the installer's."""


class Pulse:
    """Touches the file while the `with` block runs."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, _NAME)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Pulse:
        _touch(self._path)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join()
        if os.path.exists(self._path):  # it goes with what is kept
            _touch(self._path)

    def _beat(self) -> None:
        while not self._end.wait(_SECONDS):
            _touch(self._path)


def last_ns(folder: str) -> int | None:
    """When the fix that keeps its files in `folder` was at work last; `None` if nobody knows."""
    try:
        return os.lstat(os.path.join(folder, _NAME)).st_ctime_ns
    except OSError:
        return None


def _touch(path: str) -> None:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        os.utime(path)
    except OSError:  # a full disk stops no fix
        pass

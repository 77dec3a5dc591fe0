"""Ctrl-C, SIGTERM and SIGHUP during a fix: the first ends the installer, none ends a restoration.

A fix that is told to end takes its change back and says so. A signal is heard only where the way to
the restoration is certain; elsewhere it waits for the next such place. While the environment is put
back, signals are answered with a line; that takes seconds. Whoever insists gets the truth, and the
command that finishes the work.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
INSIST = 4
"""Signals after which a restoration is given up."""


class Signals:
    """Takes the signals over while the `with` block runs; outside the main thread, none."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._came = 0
        self._heard_after: int | None = None
        self._old: dict[int, object] = {}

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():
            for name in _NAMES:
                number = getattr(signal, name, None)
                # What the caller ignores (nohup) stays ignored; `None` is not ours to put back.
                ignored = (None, signal.SIG_IGN)
                if number is not None and signal.getsignal(number) not in ignored:
                    self._old[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() itself gave

    @contextmanager
    def heard(self, after: int = 1) -> Iterator[None]:
        """In this block the `after`-th signal raises `KeyboardInterrupt`.

        Raises:
            KeyboardInterrupt: a signal came, now or while none was heard.
        """
        if after > 1:
            self._came = 0  # those that led here are not insisting
        self._heard_after = after
        try:
            if self._came >= after:
                raise KeyboardInterrupt
            yield
        finally:
            self._heard_after = None

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._came += 1
        if self._heard_after is None:
            return
        if self._came >= self._heard_after:
            self._heard_after = None  # once: nothing may interrupt what follows
            raise KeyboardInterrupt
        self._say("the environment is being put back; this ends by itself")

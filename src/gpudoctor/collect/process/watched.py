"""A child that is watched while it works: it reports line by line over a channel of its own.

`runner` waits for the end of short commands; this one may crash, hang or flood. What it prints is
kept in bounded tails, so that a gigabyte of output neither blocks it nor fills this process.
Ending it goes in steps: terminate (the worker then says where it stands), kill, and, where even
that does not help (a process that waits inside a driver cannot be killed), leave it behind and
say so.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Literal

from gpudoctor.collect.process import runner
from gpudoctor.collect.process.outcome import Stream, signal_name
from gpudoctor.collect.process.process import Process, spawn
from gpudoctor.model.value import dataclass

_TAIL_BYTES = 16 * 1024
_LINE_BYTES = 1024 * 1024
"""A longer line is nothing that a worker of ours writes."""
_READER_GRACE = 1.0
"""How long a pipe may stay open after the child's end (a grandchild may hold it)."""


class ChildEndedError(Exception):
    """Nothing more will come: the child has ended, or closed the channel, and all was read."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended. `status` is `None` where it could not be ended at all."""

    status: int | None
    signal: str | None
    """`SIGSEGV`; on Windows the name of the exception."""
    ended_by_us: bool

    @property
    def text(self) -> str:
        """`was ended by SIGSEGV`, `ended with exit status 0`, `could not be ended: …`."""
        if self.status is None:
            return "could not be ended: it waits inside the operating system or the driver"
        if self.signal:
            return f"was ended by {self.signal}"
        return f"ended with exit status {self.status}"


class WatchedChild:
    """A watched process. Use it as a context manager: leaving ends it and all it started."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._lines: deque[str] = deque()
        self._pending = b""
        self._tails: dict[Stream, bytes] = {"stdout": b"", "stderr": b""}
        self._ending: Ending | None = None
        self.printed_bytes = 0
        """How much it printed on stdout and stderr together."""
        runner.watch(self)

    @classmethod
    def start(
        cls, argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: str | None = None
    ) -> WatchedChild:
        """Start `argv`, in which `{channel}` becomes the channel's number.

        It gets a process group of its own, on Windows a job, and nothing on stdin.

        Raises:
            OSError: it cannot be started (no such file, no permission).
        """
        return cls(spawn(argv, os.environ if env is None else env, cwd, channel=True))

    @property
    def pid(self) -> int:
        """Its process id, which on POSIX is also its process group."""
        return self._process.pid

    def kill(self) -> None:
        """Kill it and all that it started."""
        self._process.kill()

    def read(self, seconds: float) -> str | None:
        """The next line of the channel; `None` if none came within `seconds`.

        Raises:
            ChildEndedError: the child has ended or closed the channel, and all was read.
        """
        end = time.monotonic() + seconds
        while not self._lines:
            if self._ending is not None or "channel" not in self._process.open_streams:
                raise ChildEndedError
            if self._process.poll() is not None:
                self._drain()
                if not self._lines:
                    raise ChildEndedError
                break
            left = end - time.monotonic()
            self._take(left)
            if left <= 0 and not self._lines:
                return None
        return self._lines.popleft()

    def wait(self, seconds: float) -> bool:
        """Whether the process ended within `seconds`."""
        end = time.monotonic() + seconds
        while self._ending is None and self._process.poll() is None:
            left = end - time.monotonic()
            if left <= 0:
                return False
            self._take(left)
        return True

    def tail(self, stream: Literal["stdout", "stderr"], count: int = 20) -> tuple[str, ...]:
        """The last lines of what it printed, as they are."""
        if self._ending is None and self._process.poll() is not None:
            self._drain()
        text = self._tails[stream].decode("utf-8", "replace")
        return tuple(line.rstrip() for line in text.splitlines() if line.strip())[-count:]

    def end(self, *, terminate_seconds: float = 1.0, kill_seconds: float = 5.0) -> Ending:
        """End it and everything in its group, in steps; says how it ended.

        A process that even a kill does not end within `kill_seconds` is left behind.
        """
        if self._ending is None:
            running = self._process.poll() is None
            if running and terminate_seconds > 0:
                self._process.terminate()
                self.wait(terminate_seconds)
            # Also if it has ended by itself: what it started (compilers' workers) must not
            # outlive it. It is not reaped before this, so its number cannot hit a stranger.
            self._process.kill()
            if self.wait(kill_seconds):
                self._drain()
                status = self._process.poll() or 0
                self._ending = Ending(status, signal_name(status), ended_by_us=running)
            else:
                self._ending = Ending(None, None, ended_by_us=True)
            self._process.close()
            runner.forget(self)
        return self._ending

    def __enter__(self) -> WatchedChild:
        return self

    def __exit__(self, *_: object) -> None:
        self.end(terminate_seconds=0)

    def _drain(self) -> None:
        """Read what was written before the end; a grandchild may hold a pipe open for ever."""
        end = time.monotonic() + _READER_GRACE
        while self._process.open_streams and (left := end - time.monotonic()) > 0:
            self._take(left)

    def _take(self, seconds: float) -> None:
        for stream, data in self._process.read(max(seconds, 0.0)):
            if stream == "channel":
                *whole, self._pending = (self._pending + data).split(b"\n")
                self._lines += [line.decode("utf-8", "replace") for line in whole]
                self._pending = self._pending[-_LINE_BYTES:]
            else:
                self._tails[stream] = (self._tails[stream] + data)[-_TAIL_BYTES:]
                self.printed_bytes += len(data)

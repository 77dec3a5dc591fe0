"""Starting processes, bounded in time and in output, and never waited for blindly.

A child is its own process group, so that a kill reaches what it started and the terminal's
Ctrl-C does not reach it behind our back. Its end is told by the kernel (`pidfd`, or asking again
and again), never by the end of its output: a grandchild may hold the pipe open for ever. A child
that does not die of SIGKILL sits in the kernel, usually in the driver; it is abandoned and said so.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from gpudoctor.collect.process.outcome import Outcome, Status, Stream, not_started, signal_name
from gpudoctor.collect.process.process import Process, spawn

OnChunk = Callable[[Stream, bytes], None]

OUTPUT_LIMIT = 1 << 20
"""Bytes kept of each stream; the rest is read and thrown away, so that the child can end."""
GRACE_SECONDS = 0.5
"""How long a killed child may take to die before it is abandoned."""


class Child:
    """A running child process; `wait` it once."""

    def __init__(self, process: Process, argv: Sequence[str], limit: int) -> None:
        self._process = process
        self._name = os.path.basename(argv[0]) or argv[0]
        self._limit = limit
        self._started = time.monotonic()
        self._kept: dict[Stream, bytearray] = {}
        self._truncated = False
        _alive.add(self)

    @property
    def pid(self) -> int:
        """Its process id, which on POSIX is also its process group."""
        return self._process.pid

    def kill(self) -> None:
        """Kill it and everything in its process group; no error if it is gone."""
        self._process.kill()

    def wait(self, seconds: float, on_chunk: OnChunk | None = None) -> Outcome:
        """Wait for its end, `seconds` at most, then kill it; never longer than the grace more.

        `on_chunk` is called in this thread with every piece of output as it comes.
        """
        try:
            status = self._pump(time.monotonic() + max(0.0, seconds), on_chunk)
            late = status is None
            if late:
                self.kill()
                status = self._pump(time.monotonic() + GRACE_SECONDS, on_chunk)
            self._drain(on_chunk)
            return self._outcome(status, late=late, seconds=seconds)
        except BaseException:
            # Whoever is told of the interruption may rely on it that the child writes no more.
            self.kill()
            self._pump(time.monotonic() + GRACE_SECONDS, None)
            raise
        finally:
            self._process.close()
            _alive.discard(self)

    def _pump(self, deadline: float, on_chunk: OnChunk | None) -> int | None:
        """Read until the process has ended; its raw status, `None` if the deadline came first."""
        while True:
            status = self._process.poll()
            if status is not None:
                return status
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            for stream, data in self._process.read(left):
                self._keep(stream, data, on_chunk)

    def _drain(self, on_chunk: OnChunk | None) -> None:
        """What already lies in the pipes, and no more: bounded though someone may go on writing."""
        room = 8 * self._limit
        while room > 0:
            pieces = self._process.read(0)
            if not pieces:
                return
            for stream, data in pieces:
                room -= len(data)
                self._keep(stream, data, on_chunk)

    def _keep(self, stream: Stream, data: bytes, on_chunk: OnChunk | None) -> None:
        kept = self._kept.setdefault(stream, bytearray())
        room = self._limit - len(kept)
        if len(data) > room:
            self._truncated = True
        kept += data[: max(0, room)]
        if on_chunk is not None:
            on_chunk(stream, data)

    def _outcome(self, status: int | None, *, late: bool, seconds: float) -> Outcome:
        code: int | None = None
        name: str | None = None
        verdict: Status
        if status is None:
            verdict = "abandoned"
            detail = (
                f"did not answer within {_span(seconds)} and could not be killed "
                f"(process {self.pid} is stuck in the kernel)"
            )
        elif late:
            verdict, detail = "timed-out", f"did not answer within {_span(seconds)}"
        elif (name := signal_name(status)) is not None:
            verdict, detail = "signalled", f"died of {name}"
        else:
            verdict, code = "exited", status
            detail = "" if status == 0 else f"ended with status {status}"
        kept = {stream: bytes(data) for stream, data in self._kept.items()}
        return Outcome(
            status=verdict,
            code=code,
            signal=name,
            stdout=kept.get("stdout", b""),
            stderr=kept.get("stderr", b""),
            truncated=self._truncated,
            seconds=time.monotonic() - self._started,
            name=self._name,
            detail=detail,
        )


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


class Running(Protocol):
    """What `kill_all` needs to know of a child."""

    def kill(self) -> None:
        """Kill it and all that it started."""


_alive: set[Running] = set()


def watch(child: Running) -> None:
    """Have `kill_all` kill this child too."""
    _alive.add(child)


def forget(child: Running) -> None:
    """It has ended."""
    _alive.discard(child)


def start(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    limit: int = OUTPUT_LIMIT,
) -> Child:
    """Start `argv` (looked up on the PATH of `env`) with an empty stdin; returns at once.

    Raises:
        OSError: it could not be started (no such program, no permission).
    """
    environment = dict(os.environ if env is None else env)
    return Child(spawn(argv, environment, cwd), argv, limit)


def run(
    argv: Sequence[str],
    *,
    seconds: float,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    limit: int = OUTPUT_LIMIT,
    on_chunk: OnChunk | None = None,
) -> Outcome:
    """Start `argv` and wait for its end, `seconds` at most; never raises for what it does."""
    try:
        child = start(argv, env=env, cwd=cwd, limit=limit)
    except (OSError, ValueError) as error:
        return not_started(argv[0], error)
    return child.wait(seconds, on_chunk)


def kill_all() -> None:
    """Kill every child that still runs: for Ctrl-C and for the end of the program."""
    for child in list(_alive):
        child.kill()

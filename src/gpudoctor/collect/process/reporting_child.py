"""A long-running child that reports line by line over a channel of its own.

`runner.py` starts short commands and waits for their end; this one is watched while it works,
and may crash, hang or flood. What it prints is read into bounded tails, so that a gigabyte of
output neither blocks it nor fills this process. Ending it goes in steps: terminate (the worker
then says where it stands), kill, and, where even that does not help (a process that waits
inside a driver cannot be killed), leave it behind and say so.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from gpudoctor.collect.process.outcome import signal_name
from gpudoctor.model.value import dataclass

if TYPE_CHECKING:
    import subprocess

CHANNEL = "{channel}"
"""Stands in `argv` for the channel's number: a descriptor, on Windows a handle."""

_TAIL_BYTES = 16 * 1024
_LINE_BYTES = 1024 * 1024
"""A longer line is nothing that a worker of ours writes."""
_READER_GRACE = 1.0
"""How long a pipe may stay open after the child's end (a grandchild may hold it)."""
_POLL_SECONDS = 0.02


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


class Child:
    """A watched process. Use it as a context manager: leaving ends it and all it started."""

    def __init__(self, process: subprocess.Popen[bytes], channel: int) -> None:
        self._process = process
        self._channel = channel
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._closed = False
        self._exited = threading.Event()
        self._ending: Ending | None = None
        self._tails = {"stdout": _Tail(process.stdout), "stderr": _Tail(process.stderr)}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        threading.Thread(target=self._wait, daemon=True).start()

    @classmethod
    def start(
        cls, argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: str | None = None
    ) -> Child:
        """Start `argv`, in which `{channel}` becomes the channel's number.

        It gets a process group of its own and nothing on stdin.

        Raises:
            OSError: it cannot be started (no such file, no permission).
        """
        import subprocess

        ours, theirs = os.pipe()
        try:
            options, number = _inherit(theirs)
            process = subprocess.Popen(
                [part.replace(CHANNEL, str(number)) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=None if env is None else dict(env),
                cwd=cwd,
                **options,
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        return cls(process, ours)

    @property
    def pid(self) -> int:
        """Its process id, which on POSIX is also its process group."""
        return self._process.pid

    @property
    def printed_bytes(self) -> int:
        """How much it printed on stdout and stderr together."""
        return sum(tail.total for tail in self._tails.values())

    def read(self, seconds: float) -> str | None:
        """The next line of the channel; `None` if none came within `seconds`.

        Raises:
            ChildEndedError: the child has ended or closed the channel, and all was read.
        """
        if self._closed:
            raise ChildEndedError
        try:
            line = self._lines.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            return None
        if line is None:
            self._closed = True
            raise ChildEndedError
        return line

    def wait(self, seconds: float) -> bool:
        """Whether the process ended within `seconds`."""
        return self._exited.wait(max(seconds, 0.0))

    def tail(self, stream: Literal["stdout", "stderr"], count: int = 20) -> tuple[str, ...]:
        """The last lines of what it printed, as they are."""
        if self._exited.is_set():
            self._tails[stream].settle()
        return self._tails[stream].lines(count)

    def end(self, *, terminate_seconds: float = 1.0, kill_seconds: float = 5.0) -> Ending:
        """End it and everything in its group, in steps; says how it ended.

        A process that even a kill does not end within `kill_seconds` is left behind.
        """
        if self._ending is None:
            running = not self._exited.is_set()
            if running and terminate_seconds > 0:
                self._terminate()
                self._exited.wait(terminate_seconds)
            # Also if it has ended by itself: what it started (compilers' workers) must not
            # outlive it. It is not reaped before this, so its number cannot hit a stranger.
            self._kill()
            if self._exited.wait(kill_seconds):
                status = self._process.wait()
                self._ending = Ending(status, signal_name(status), ended_by_us=running)
            else:
                self._ending = Ending(None, None, ended_by_us=True)
        return self._ending

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.end(terminate_seconds=0)

    def _read(self) -> None:
        pending = b""
        try:
            while chunk := os.read(self._channel, 65536):
                *whole, pending = (pending + chunk).split(b"\n")
                for line in whole:
                    self._lines.put(line.decode("utf-8", "replace"))
                pending = pending[-_LINE_BYTES:]
        except OSError:
            pass
        os.close(self._channel)
        self._lines.put(None)

    def _wait(self) -> None:
        """Tell the end of the process, on POSIX without reaping it where that can be done."""
        if sys.platform == "win32":
            self._process.wait()
        elif hasattr(os, "waitid"):
            try:
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            except ChildProcessError:
                pass  # somebody else reaped it: it has ended all the same
        else:  # macOS before Python 3.13
            while self._process.poll() is None:
                time.sleep(_POLL_SECONDS)
        # What the child wrote is read by then, even if a grandchild holds the channel open.
        self._reader.join(_READER_GRACE)
        self._exited.set()
        self._lines.put(None)

    def _terminate(self) -> None:
        if sys.platform != "win32":
            import signal

            self._signal_group(signal.SIGTERM)

    def _kill(self) -> None:
        if sys.platform != "win32":
            import signal

            self._signal_group(signal.SIGKILL)
        elif not self._exited.is_set():
            from gpudoctor.collect.process.runner import run

            run(["taskkill", "/F", "/T", "/PID", str(self.pid)], seconds=5)
            self._process.kill()

    def _signal_group(self, number: int) -> None:
        if sys.platform == "win32":
            return
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            pass  # nobody is left; macOS answers so for a group of zombies


class _Tail:
    """The last bytes of a stream, and how many there were."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._kept = b""
        self.total = 0
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        descriptor = self._stream.fileno()
        try:
            while chunk := os.read(descriptor, 65536):
                with self._lock:
                    self._kept = (self._kept + chunk)[-_TAIL_BYTES:]
                    self.total += len(chunk)
            self._stream.close()
        except OSError:
            return

    def settle(self) -> None:
        """Wait, not for ever, until all was read."""
        self._thread.join(_READER_GRACE)

    def lines(self, count: int) -> tuple[str, ...]:
        """The last lines that are not empty."""
        with self._lock:
            text = self._kept.decode("utf-8", "replace")
        return tuple(line.rstrip() for line in text.splitlines() if line.strip())[-count:]


def _inherit(theirs: int) -> tuple[dict[str, Any], int]:
    """Options of Popen that hand over the channel and set the process apart, and its number."""
    if sys.platform == "win32":
        import msvcrt
        import subprocess

        handle = msvcrt.get_osfhandle(theirs)
        os.set_handle_inheritable(handle, True)  # noqa: FBT003 - the function takes no keyword
        startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [handle]})
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return {"startupinfo": startup, "creationflags": flags}, handle
    else:  # noqa: RET505 - so that type checkers see each platform's own branch
        return {"pass_fds": (theirs,), "start_new_session": True}, theirs

"""A child process on Windows: `subprocess`, a job object, and a thread for each pipe.

Pipes cannot be polled there. The reading threads are daemons: one that a grandchild keeps
waiting is left behind and dies with us.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any

from gpudoctor.collect.process.job import Job, resume
from gpudoctor.collect.process.lookup import find_program
from gpudoctor.collect.process.outcome import Stream

_POLL_SECONDS = 0.005
_LAST_BYTES_SECONDS = 0.5
"""How long the reading threads may be silent, once the process has ended and a pipe is still
open: on a busy machine a thread gets no turn for a while, and a grandchild may hold the pipe."""
_LAST_SECONDS = 5.0
"""How long they are waited for in all: a grandchild may go on printing for ever."""
_CHUNK = 1 << 16
_SUSPENDED = 0x00000004  # CREATE_SUSPENDED, which subprocess has no name for


class WindowsProcess:
    """A process in a job of its own, with pipes read by threads."""

    def __init__(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: str | None, *, channel: bool = False
    ) -> None:
        flags = ("CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW")
        ours, theirs = os.pipe() if channel else (-1, -1)
        try:
            options, number = _inherit(theirs) if channel else ({}, 0)
            program = find_program(argv[0], env)
            arguments = [part.replace("{channel}", str(number)) for part in argv[1:]]
            self._process = subprocess.Popen(
                [program, *arguments],
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                # Zero elsewhere, so that this very class can be tried out on Linux.
                creationflags=sum(getattr(subprocess, flag, 0) for flag in flags)
                | (_SUSPENDED if sys.platform == "win32" else 0),
                **options,
            )
        except BaseException:
            if channel:
                os.close(ours)
            raise
        finally:
            if channel:
                os.close(theirs)
        self.pid = self._process.pid
        self._job = Job()
        self._last: float | None = None
        if sys.platform == "win32":
            try:
                # It runs only when it is in the job, so that nothing it starts is outside.
                self._job.take(int(self._process._handle))
                resume(int(self._process._handle))
            except BaseException:  # nobody would ever let it run
                self._process.kill()
                raise
        self._queue: queue.SimpleQueue[tuple[Stream, bytes]] = queue.SimpleQueue()
        self._open: set[Stream] = set()
        out, err = self._process.stdout, self._process.stderr
        if out is not None and err is not None:
            self._follow("stdout", out)
            self._follow("stderr", err)
        if channel:
            self._follow("channel", open(ours, "rb", buffering=0))  # noqa: SIM115 - the thread's

    def _follow(self, name: Stream, pipe: IO[bytes]) -> None:
        def read() -> None:
            # The file is closed by the thread alone: a descriptor that is closed while somebody
            # reads from it may be another file's the next moment.
            try:
                with pipe:
                    while data := os.read(pipe.fileno(), _CHUNK):
                        self._queue.put((name, data))
            except (OSError, ValueError):
                pass
            self._open.discard(name)
            self._queue.put((name, b""))  # wakes whoever waits

        self._open.add(name)
        threading.Thread(target=read, daemon=True).start()

    def poll(self) -> int | None:
        """Exit status; `None` while it runs."""
        return self._process.poll()

    def read(self, seconds: float) -> list[tuple[Stream, bytes]]:
        """What its pipes gave, waiting `seconds` at most for output or for its end."""
        running = self._process.poll() is None
        wait = min(max(seconds, 0.0), _POLL_SECONDS) if running else self._last_wait()
        while True:
            # Asked first: a stream is closed only after all that it gave lies in the queue.
            may_come = running or bool(self._open)
            pieces = self._waiting(wait if may_come else 0.0)
            given = [(name, data) for name, data in pieces if data]
            # The end of one stream says nothing of the others' last bytes.
            if given or running or not may_come or not pieces:
                return given

    def _last_wait(self) -> float:
        """How long what was written before the end may still be waited for."""
        if self._last is None:
            self._last = time.monotonic() + _LAST_SECONDS
        return min(_LAST_BYTES_SECONDS, max(0.0, self._last - time.monotonic()))

    def _waiting(self, seconds: float) -> list[tuple[Stream, bytes]]:
        """What lies in the queue, the ends of streams too; waits for the first piece."""
        pieces: list[tuple[Stream, bytes]] = []
        try:
            pieces.append(self._queue.get(timeout=seconds) if seconds else self._queue.get_nowait())
            while True:
                pieces.append(self._queue.get_nowait())
        except queue.Empty:
            return pieces

    @property
    def open_streams(self) -> frozenset[Stream]:
        """Those that somebody may still write to."""
        return frozenset(self._open)

    def terminate(self) -> None:
        """Nothing: Windows has no signal by which a process without a window is asked to end."""

    def kill(self) -> None:
        """Kill it and all that it started."""
        self._job.kill()
        try:
            self._process.kill()
        except OSError:
            pass

    def close(self) -> None:
        """End what it left behind; the pipes are left to the reading threads, which end then."""
        self._job.close()


class WindowsForeground:
    """A process in front: our console and our streams; its stderr goes to `errors`.

    It is in no job of ours: what it leaves running is the person's.
    """

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], errors: int) -> None:
        program = find_program(argv[0], env, anywhere=True)
        self._process = subprocess.Popen([program, *argv[1:]], env=dict(env), stderr=errors)
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Exit status; `None` while it runs."""
        return self._process.poll()

    def wait(self) -> int:
        """Exit status, when it has ended; in steps, so that Ctrl-C is heard."""
        while True:
            try:
                return self._process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue

    def send(self, number: int) -> None:
        """Pass a signal on to it."""
        self._process.send_signal(number)


def _inherit(theirs: int) -> tuple[dict[str, Any], int]:
    """Options of Popen that hand over the channel, and its number."""
    if sys.platform == "win32":
        import msvcrt

        handle = msvcrt.get_osfhandle(theirs)
        os.set_handle_inheritable(handle, True)  # noqa: FBT003 - the function takes no keyword
        startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [handle]})
        return {"startupinfo": startup}, handle
    else:  # noqa: RET505 - so that type checkers see each platform's own branch
        return {"pass_fds": (theirs,)}, theirs

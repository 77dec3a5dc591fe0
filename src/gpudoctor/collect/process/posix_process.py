"""A child process on POSIX: `os.posix_spawn`, a process group, pipes that are polled.

Importing `subprocess` alone would cost 10 ms of the 150 that a whole check may take.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Mapping, Sequence

from gpudoctor.collect.process.lookup import find_program
from gpudoctor.collect.process.outcome import Stream

if sys.platform != "win32":
    import fcntl

_CHANNEL_NUMBER = 3
"""The descriptor under which a child gets its channel; those below are its standard streams."""
_POLL_SECONDS = 0.005
"""How often the end of a process is asked for where the kernel cannot tell it by itself."""
_CHUNK = 1 << 16
_CLD_EXITED = 1


class PosixProcess:
    """A process in its own group, with pipes that are read without blocking."""

    def __init__(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: str | None, *, channel: bool = False
    ) -> None:
        names: list[tuple[Stream, int]] = [("stdout", 1), ("stderr", 2)]
        if channel:
            names.append(("channel", _CHANNEL_NUMBER))
        self._pipes: dict[int, Stream] = {}
        self._pidfd: int | None = None
        theirs: list[tuple[int, int]] = []
        try:
            for name, target in names:
                ours, end = _pipe()
                self._pipes[ours] = name
                theirs.append((end, target))
            program = find_program(argv[0], env)
            arguments = [part.replace("{channel}", str(_CHANNEL_NUMBER)) for part in argv]
            self.pid = _spawn(program, arguments, env, cwd, theirs)
        except BaseException:
            self.close()
            raise
        finally:
            for end, _ in theirs:
                os.close(end)
        self._status: int | None = None
        self._reaped = False
        self._pidfd = _open_pidfd(self.pid)

    def poll(self) -> int | None:
        """Exit status, negative for a signal; `None` while it runs.

        It is not reaped by this, so that its number cannot become a stranger's while its group
        may still be killed.
        """
        if self._status is None:
            self._status = self._look()
        return self._status

    def _look(self) -> int | None:
        if not hasattr(os, "waitid"):  # macOS before Python 3.13
            return self._reap()
        try:
            found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:  # somebody else reaped it: its status is lost
            self._reaped = True
            return 0
        if found is None:
            return None
        return found.si_status if found.si_code == _CLD_EXITED else -found.si_status

    def _reap(self) -> int | None:
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            self._reaped = True
            return 0
        if not pid:
            return None
        self._reaped = True
        return os.waitstatus_to_exitcode(status)

    def read(self, seconds: float) -> list[tuple[Stream, bytes]]:
        """What its pipes hold, waiting `seconds` at most for output or for its end."""
        poller = select.poll()
        for descriptor in self._pipes:
            poller.register(descriptor, select.POLLIN)
        if self._status is None and self._pidfd is not None:
            poller.register(self._pidfd, select.POLLIN)
        elif self._status is None:
            seconds = min(seconds, _POLL_SECONDS)
        elif not self._pipes:
            return []
        pieces: list[tuple[Stream, bytes]] = []
        for descriptor, _ in poller.poll(max(0.0, seconds) * 1000):
            if descriptor not in self._pipes:
                continue
            try:
                data = os.read(descriptor, _CHUNK)
            except BlockingIOError:
                continue
            if data:
                pieces.append((self._pipes[descriptor], data))
            else:
                del self._pipes[descriptor]
                os.close(descriptor)
        return pieces

    @property
    def open_streams(self) -> frozenset[Stream]:
        """Those that somebody may still write to."""
        return frozenset(self._pipes.values())

    def terminate(self) -> None:
        """Ask it and its group to end."""
        self._signal(15)

    def kill(self) -> None:
        """Kill it and its group, also if it has ended by itself and left others behind."""
        self._signal(9)

    def _signal(self, number: int) -> None:
        if self._reaped:
            return
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            pass  # nobody is left; macOS answers so for a group of zombies

    def close(self) -> None:
        """Give the pipes back, and the process to the system."""
        for descriptor in self._pipes:
            os.close(descriptor)
        self._pipes = {}
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None
        if getattr(self, "_status", None) is not None and not self._reaped:
            self._reap()


class PosixForeground:
    """A process in front: our terminal, our group, our streams; its stderr goes to `errors`."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], errors: int) -> None:
        program = find_program(argv[0], env, anywhere=True)
        self.pid = _spawn(program, list(argv), env, None, [(errors, 2)], foreground=True)
        self._status: int | None = None

    def poll(self) -> int | None:
        """Exit status, negative for a signal; `None` while it runs."""
        if self._status is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                self._status = 0
            else:
                self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status

    def wait(self) -> int:
        """Exit status, when it has ended."""
        while (status := self.poll()) is None:
            time.sleep(_POLL_SECONDS)
        return status

    def send(self, number: int) -> None:
        """Pass a signal on to it."""
        if self.poll() is None:
            os.kill(self.pid, number)


def _spawn(
    program: str,
    arguments: list[str],
    env: Mapping[str, str],
    cwd: str | None,
    pipes: list[tuple[int, int]],
    *,
    foreground: bool = False,
) -> int:
    actions: list[tuple[object, ...]] = [
        (os.POSIX_SPAWN_DUP2, end, target) for end, target in pipes
    ]
    if foreground:
        # What Python ignores for itself, a command should meet as it does from a shell.
        return os.posix_spawn(
            program, arguments, env, file_actions=actions, setsigdef=(signal.SIGPIPE,)
        )
    if cwd is not None:
        # posix_spawn cannot change the folder; the shell can, and is handed the command as
        # arguments, never as text to be parsed.
        script = 'cd -- "$1" && shift && exec "$@"'
        arguments = ["sh", "-c", script, "sh", cwd, program, *arguments[1:]]
        program = "/bin/sh"
    return os.posix_spawn(
        program,
        arguments,
        env,
        file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), *actions],
        setpgroup=0,
        setsigmask=(),
        setsigdef=(signal.SIGPIPE, signal.SIGINT, signal.SIGTERM),
    )


def _pipe() -> tuple[int, int]:
    """A pipe with descriptors above those that a child's streams take.

    Where our own stdout is closed, a pipe would get number 1, and setting up the child's
    streams would overwrite it.
    """
    ends = []
    for end in os.pipe():
        if end > _CHANNEL_NUMBER:
            ends.append(end)
            continue
        ends.append(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _CHANNEL_NUMBER + 1))
        os.close(end)
    os.set_blocking(ends[0], False)
    return ends[0], ends[1]


def _open_pidfd(pid: int) -> int | None:
    """A descriptor that becomes readable when the process ends (Linux from 5.3)."""
    opener = getattr(os, "pidfd_open", None)
    if opener is None:
        return None
    try:
        descriptor: int = opener(pid)
    except OSError:
        return None
    return descriptor

"""Starting and reading a process on POSIX and on Windows, behind one small interface.

POSIX uses `os.posix_spawn`: importing `subprocess` alone would cost 10 ms of the 150 that a
whole check may take. Only `runner` uses this module.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Protocol

from gpudoctor.collect.process.outcome import Stream

_HIGHEST_STREAM = 2
_POLL_SECONDS = 0.005
"""How often the end of a process is asked for where the kernel cannot tell it by itself."""
_CHUNK = 1 << 16


class Process(Protocol):
    """A started process, its end and its pipes."""

    pid: int

    def poll(self) -> int | None:
        """Exit status, negative for a signal; `None` while it runs."""

    def read(self, seconds: float) -> list[tuple[Stream, bytes]]:
        """What its pipes hold, waiting `seconds` at most for output or for its end."""

    def kill(self) -> None:
        """Kill it and its group."""

    def close(self) -> None:
        """Give the pipes back."""


def spawn(argv: Sequence[str], env: Mapping[str, str], cwd: str | None) -> Process:
    """Start a process with an empty stdin.

    Raises:
        OSError: it could not be started.
    """
    if sys.platform == "win32":
        from gpudoctor.collect.process.process_windows import WindowsProcess

        return WindowsProcess(argv, env, cwd)
    return PosixProcess(argv, env, cwd)


class PosixProcess:
    """A process in its own group, with pipes that are read without blocking."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cwd: str | None) -> None:
        names: tuple[tuple[Stream, int], ...] = (("stdout", 1), ("stderr", 2))
        self._pipes: dict[int, Stream] = {}
        theirs: list[tuple[int, int]] = []
        try:
            for name, target in names:
                ours, end = _pipe()
                self._pipes[ours] = name
                theirs.append((end, target))
            self.pid = _posix_spawn(argv, env, cwd, theirs)
        except BaseException:
            self.close()
            raise
        finally:
            for end, _ in theirs:
                os.close(end)
        self._status: int | None = None
        self._pidfd = _open_pidfd(self.pid)

    def poll(self) -> int | None:
        """Exit status, negative for a signal; `None` while it runs."""
        if self._status is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # somebody else reaped it: its status is lost
                self._status = 0
            else:
                if pid:
                    self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def read(self, seconds: float) -> list[tuple[Stream, bytes]]:
        """What its pipes hold, waiting `seconds` at most for output or for its end."""
        import select

        poller = select.poll()
        for descriptor in self._pipes:
            poller.register(descriptor, select.POLLIN)
        if self._pidfd is not None:
            poller.register(self._pidfd, select.POLLIN)
        else:
            seconds = min(seconds, _POLL_SECONDS)
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

    def kill(self) -> None:
        """Kill it and its group."""
        if self._status is not None:
            return
        try:
            os.killpg(self.pid, 9)
        except (ProcessLookupError, PermissionError):
            pass

    def close(self) -> None:
        """Give the pipes back."""
        for descriptor in self._pipes:
            os.close(descriptor)
        self._pipes = {}
        if getattr(self, "_pidfd", None) is not None:
            os.close(self._pidfd)  # type: ignore[arg-type]  # checked on the line above
            self._pidfd = None


def _posix_spawn(
    argv: Sequence[str], env: Mapping[str, str], cwd: str | None, pipes: list[tuple[int, int]]
) -> int:
    import signal

    program = _find(argv[0], env)
    actions: list[tuple[object, ...]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        *((os.POSIX_SPAWN_DUP2, end, target) for end, target in pipes),
    ]
    arguments = list(argv)
    if cwd is not None:
        # posix_spawn cannot change the folder; the shell can, and is handed the command as
        # arguments, never as text to be parsed.
        arguments = ["sh", "-c", 'cd -- "$1" && shift && exec "$@"', "sh", cwd, program, *argv[1:]]
        program = "/bin/sh"
    return os.posix_spawn(
        program,
        arguments,
        env,
        file_actions=actions,
        setpgroup=0,
        setsigmask=(),
        setsigdef=(signal.SIGPIPE, signal.SIGINT),
    )


def _find(program: str, env: Mapping[str, str]) -> str:
    """The program's path. The error of posix_spawn would not tell a missing one by its name.

    A folder of the PATH that is named relative to the current one is passed over: what lies in
    the folder that the person stands in may be a stranger's.
    """
    if os.sep in program:
        candidates = [program]
    else:
        folders = env.get("PATH", os.defpath).split(os.pathsep)
        candidates = [os.path.join(folder, program) for folder in folders if os.path.isabs(folder)]
    for candidate in candidates:
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    if any(os.path.isfile(candidate) for candidate in candidates):
        raise PermissionError(13, "it is not executable", program)
    raise FileNotFoundError(2, "no such program", program)


def _pipe() -> tuple[int, int]:
    """A pipe with descriptors above those that a child's streams take.

    Where our own stdout is closed, a pipe would get number 1, and setting up the child's
    streams would overwrite it.
    """
    import fcntl

    ends = []
    for end in os.pipe():
        if end > _HIGHEST_STREAM:
            ends.append(end)
            continue
        ends.append(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _HIGHEST_STREAM + 1))
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

"""What a started process offers, the same on POSIX and on Windows; `spawn` starts one.

`posix` and `windows` are the only modules that start anything.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from gpudoctor.collect.process.outcome import Stream
from gpudoctor.collect.process.posix_process import PosixForeground, PosixProcess
from gpudoctor.model.lazy import later

if TYPE_CHECKING:
    from gpudoctor.collect.process import windows_process
else:  # loaded on Windows
    windows_process = later("gpudoctor.collect.process.windows_process")


class Process(Protocol):
    """A process that works for us: its end, its pipes, and all that it starts in turn."""

    pid: int

    def poll(self) -> int | None:
        """Exit status, negative for a signal; `None` while it runs."""

    def read(self, seconds: float) -> list[tuple[Stream, bytes]]:
        """What its pipes hold, waiting `seconds` at most for output or for its end."""

    @property
    def open_streams(self) -> frozenset[Stream]:
        """Those that somebody may still write to."""

    def terminate(self) -> None:
        """Ask it to end, where the system has a way to ask."""

    def kill(self) -> None:
        """Kill it and all that it started."""

    def close(self) -> None:
        """Give the pipes back."""


class Foreground(Protocol):
    """A command of the person's own, started in front: it has our terminal and our streams."""

    pid: int

    def poll(self) -> int | None:
        """Exit status, negative for a signal; `None` while it runs."""

    def wait(self) -> int:
        """Exit status, when it has ended."""

    def send(self, number: int) -> None:
        """Pass a signal on to it."""


def spawn(
    argv: Sequence[str], env: Mapping[str, str], cwd: str | None, *, channel: bool = False
) -> Process:
    """Start a process with an empty stdin.

    With `channel`, `{channel}` in `argv` becomes the number of a pipe for it to write to: a
    descriptor, on Windows a handle.

    Raises:
        OSError: it could not be started.
    """
    if sys.platform == "win32":
        return windows_process.WindowsProcess(argv, env, cwd, channel=channel)

    return PosixProcess(argv, env, cwd, channel=channel)


def spawn_in_front(argv: Sequence[str], env: Mapping[str, str], errors: int) -> Foreground:
    """Start a command that has our terminal, stdin and stdout; its stderr goes to `errors`.

    Raises:
        OSError: it could not be started.
    """
    if sys.platform == "win32":
        return windows_process.WindowsForeground(argv, env, errors)

    return PosixForeground(argv, env, errors)

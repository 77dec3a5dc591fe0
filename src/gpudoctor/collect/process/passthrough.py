"""Runs a command as if nothing stood in front of it, and keeps the tail of its stderr.

stdin and stdout are handed on as they are; stderr goes through here, over a pseudo-terminal where
ours is a terminal (colours, progress bars and `isatty` stay), over a pipe where it is not.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from gpudoctor.model.value import dataclass

TAIL_BYTES = 256 * 2**10
"""How much of stderr is kept, from its end: a traceback of a hundred ranks fits."""
_DRAIN_SECONDS = 0.3
_BLOCK = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a command ended."""

    returncode: int
    """As a shell counts it: the exit code, or 128 and the signal's number."""
    signal: int | None = None
    tail: bytes = b""
    """The end of its stderr, at most `TAIL_BYTES`."""
    error: str | None = None
    """Why it could not be started."""


def passthrough(argv: Sequence[str], environment: Mapping[str, str] | None = None) -> Outcome:
    """Run `argv` to its end with our own terminal, streams and signals.

    Signals that reach us (SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2) are passed on; an interrupt
    from the keyboard reaches the command by itself, which decides what comes of it.
    """
    import subprocess

    reader, writer = _channel()
    try:
        child = subprocess.Popen(
            list(argv),
            stderr=writer,
            env=None if environment is None else dict(environment),
        )
    except FileNotFoundError:
        _close(reader, writer)
        return Outcome(returncode=127, error=f"{argv[0]}: command not found")
    except (OSError, ValueError) as error:
        _close(reader, writer)
        why = getattr(error, "strerror", None) or str(error)
        return Outcome(returncode=126, error=f"{argv[0]} cannot be started: {why}")
    os.close(writer)
    tail = bytearray()
    with _signals_to(child.send_signal), _size_of_window(reader):
        _pump(reader, tail, lambda: child.poll() is not None)
        code = _wait(child.wait)
    _close(reader)
    if code < 0:
        return Outcome(returncode=128 - code, signal=-code, tail=bytes(tail))
    return Outcome(returncode=code, tail=bytes(tail))


def _wait(wait: Callable[[], int]) -> int:
    while True:
        try:
            return wait()
        except KeyboardInterrupt:  # the command got it too, and is what we wait for
            continue


def _channel() -> tuple[int, int]:
    """Our end and the command's end of its stderr."""
    if os.name == "posix" and _is_terminal(2):
        import pty
        import termios

        reader, writer = pty.openpty()
        # The real terminal turns line feeds into line ends; doing it twice would not be the same.
        settings = termios.tcgetattr(writer)
        settings[1] &= ~termios.OPOST
        termios.tcsetattr(writer, termios.TCSANOW, settings)
        _copy_size(reader)
        return reader, writer
    return os.pipe()


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def _pump(reader: int, tail: bytearray, ended: Callable[[], bool]) -> None:
    """Copy to our stderr until the end; children that outlive the command are not waited for."""
    if os.name != "posix":
        while block := _read(reader):
            _keep(block, tail)
        return
    import select

    deadline: float | None = None
    while True:
        try:
            ready, _, _ = select.select([reader], [], [], 0.05)
        except InterruptedError:
            continue
        except KeyboardInterrupt:
            continue
        if ready:
            block = _read(reader)
            if not block:
                return
            _keep(block, tail)
        elif ended():
            return
        if deadline is None and ended():
            deadline = time.monotonic() + _DRAIN_SECONDS
        if deadline is not None and time.monotonic() > deadline:
            return


def _read(reader: int) -> bytes:
    """The next block; empty at the end (a pseudo-terminal says it with EIO)."""
    while True:
        try:
            return os.read(reader, _BLOCK)
        except (InterruptedError, KeyboardInterrupt):
            continue
        except OSError:
            return b""


def _keep(block: bytes, tail: bytearray) -> None:
    tail += block
    if len(tail) > 2 * TAIL_BYTES:
        del tail[:-TAIL_BYTES]
    view = memoryview(block)
    while view:
        try:
            view = view[os.write(2, view) :]
        except (InterruptedError, BlockingIOError):
            continue
        except OSError:  # nobody reads our stderr any more; the command goes on
            return


@contextlib.contextmanager
def _signals_to(send: Callable[[int], None]) -> Iterator[None]:
    """Pass on the signals that are sent to us; leave the keyboard's to the command."""
    names = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGCONT")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    previous: dict[int, object] = {}

    def forward(number: int, _frame: object) -> None:
        with contextlib.suppress(OSError, ValueError):
            send(number)

    def leave(_number: int, _frame: object) -> None:
        return

    try:
        for number in numbers:
            previous[number] = signal.signal(number, forward)
        previous[signal.SIGINT] = signal.signal(signal.SIGINT, leave)
    except ValueError:  # not in the main thread, where signals do not arrive
        pass
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal returned


@contextlib.contextmanager
def _size_of_window(reader: int) -> Iterator[None]:
    """Keep the pseudo-terminal as large as the window."""
    if not hasattr(signal, "SIGWINCH") or not _is_terminal(reader):
        yield
        return
    try:
        previous = signal.signal(signal.SIGWINCH, lambda _n, _f: _copy_size(reader))
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, previous)


def _copy_size(descriptor: int) -> None:
    if sys.platform == "win32":
        return
    import fcntl
    import termios

    with contextlib.suppress(OSError):
        size = fcntl.ioctl(2, termios.TIOCGWINSZ, b"\0" * 8)
        fcntl.ioctl(descriptor, termios.TIOCSWINSZ, size)


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptor)

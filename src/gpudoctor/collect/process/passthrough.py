"""Runs a command as if nothing stood in front of it, and keeps the tail of its stderr.

stdin and stdout are handed on as they are; stderr goes through here, over a pseudo-terminal where
ours is a terminal (colours, progress bars and `isatty` stay), over a pipe where it is not.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from gpudoctor.collect.process.outcome import not_started, signal_name
from gpudoctor.collect.process.process import Foreground, spawn_in_front
from gpudoctor.model.value import dataclass

if sys.platform != "win32":
    import fcntl
    import termios

TAIL_BYTES = 256 * 2**10
"""How much of stderr is kept, from its end: a traceback of a hundred ranks fits."""
_DRAIN_SECONDS = 0.3
_BLOCK = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command that ran in front ended."""

    returncode: int
    """As a shell counts it: the exit code, or 128 and the signal's number; on Windows the whole
    exit status, which is an exception's number where one ended it."""
    signal: str | None = None
    """`SIGSEGV`; on Windows the name of the exception, `ACCESS_VIOLATION`."""
    tail: bytes = b""
    """The end of its stderr, at most `TAIL_BYTES`."""
    error: str | None = None
    """Why it could not be started."""


def passthrough(argv: Sequence[str], environment: Mapping[str, str] | None = None) -> Ran:
    """Run `argv` to its end with our own terminal, streams and signals.

    Signals that reach us (SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2) are passed on; an interrupt
    from the keyboard reaches the command by itself, which decides what comes of it. What it
    leaves running in the background is not waited for.
    """
    reader, writer = _channel()
    env = dict(os.environ if environment is None else environment)
    try:
        child = spawn_in_front(argv, env, writer)
    except (OSError, ValueError) as error:
        _close(reader, writer)
        outcome = not_started(argv[0], error)
        if outcome.problem == "not-found":
            return Ran(returncode=127, error=f"{argv[0]}: command not found")
        return Ran(returncode=126, error=outcome.reason)
    os.close(writer)
    tail = bytearray()
    with _signals_to(child.send), _size_of_window(reader):
        _pump(reader, tail, child)
        code = _wait(child.wait)
    if os.name == "posix":  # on Windows a thread may still wait for what a grandchild writes
        _close(reader)
    name = signal_name(code)
    return Ran(returncode=128 - code if code < 0 else code, signal=name, tail=bytes(tail))


def _wait(wait: Callable[[], int]) -> int:
    while True:
        try:
            return wait()
        except KeyboardInterrupt:  # the command got it too, and is what we wait for
            continue


def _channel() -> tuple[int, int]:
    """Our end and the command's end of its stderr."""
    if sys.platform != "win32" and _is_terminal(2):
        import pty

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


def _pump(reader: int, tail: bytearray, child: Foreground) -> None:
    """Copy to our stderr until the end; children that outlive the command are not waited for."""
    if os.name != "posix":
        _pump_by_thread(reader, tail, child)
        return
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
        elif child.poll() is not None:
            return
        if deadline is None and child.poll() is not None:
            deadline = time.monotonic() + _DRAIN_SECONDS
        if deadline is not None and time.monotonic() > deadline:
            return


def _pump_by_thread(reader: int, tail: bytearray, child: Foreground) -> None:
    """The same where a pipe cannot be polled: a thread copies, and is left behind at the end."""

    def copy() -> None:
        while block := _read(reader):
            _keep(block, tail)

    thread = threading.Thread(target=copy, daemon=True)
    thread.start()
    _wait(child.wait)
    thread.join(_DRAIN_SECONDS)


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
    with contextlib.suppress(OSError):
        size = fcntl.ioctl(2, termios.TIOCGWINSZ, b"\0" * 8)
        fcntl.ioctl(descriptor, termios.TIOCSWINSZ, size)


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptor)

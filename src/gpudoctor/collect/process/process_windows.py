"""A child process on Windows: `subprocess`, and a thread for each pipe.

Pipes cannot be polled there. The reading threads are daemons: one that a grandchild keeps
waiting is left behind and dies with us.
"""

from __future__ import annotations

import queue
import subprocess
import threading
from collections.abc import Mapping, Sequence
from typing import IO

from gpudoctor.collect.process.outcome import Stream

_POLL_SECONDS = 0.005
_CHUNK = 1 << 16


class WindowsProcess:
    """A process in a group of its own, with pipes read by threads."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cwd: str | None) -> None:
        flags = ("CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW")
        self._process = subprocess.Popen(
            list(argv),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            # Zero elsewhere, so that this very class can be tried out on Linux.
            creationflags=sum(getattr(subprocess, flag, 0) for flag in flags),
        )
        self.pid = self._process.pid
        out, err = self._process.stdout, self._process.stderr
        pipes: list[tuple[Stream, IO[bytes]]] = []
        if out is not None:
            pipes.append(("stdout", out))
        if err is not None:
            pipes.append(("stderr", err))
        self._queue: queue.SimpleQueue[tuple[Stream, bytes]] = queue.SimpleQueue()
        self._readers = [
            threading.Thread(target=self._follow, args=pipe, daemon=True) for pipe in pipes
        ]
        for reader in self._readers:
            reader.start()

    def _follow(self, name: Stream, stream: IO[bytes]) -> None:
        try:
            while data := stream.read(_CHUNK):
                self._queue.put((name, data))
        except (OSError, ValueError):
            return

    def poll(self) -> int | None:
        """Exit status; `None` while it runs."""
        return self._process.poll()

    def read(self, seconds: float) -> list[tuple[Stream, bytes]]:
        """What its pipes gave, waiting `seconds` at most."""
        if seconds <= 0 and self._process.poll() is not None:
            for reader in self._readers:  # the last bytes may still be on their way
                reader.join(0.05)
        pieces: list[tuple[Stream, bytes]] = []
        try:
            pieces.append(self._queue.get(timeout=min(max(seconds, 0.0), _POLL_SECONDS)))
            while True:
                pieces.append(self._queue.get_nowait())
        except queue.Empty:
            return pieces

    def kill(self) -> None:
        """Kill it; what it started itself lives on, as Windows has no process groups to kill."""
        try:
            self._process.kill()
        except OSError:
            pass

    def close(self) -> None:
        """Leave the pipes to the reading threads, which end with them."""

"""Running an installer: no shell, bounded, its output passed on line by line without secrets."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from gpudoctor.collect.process import runner
from gpudoctor.errors import FixFailedError
from gpudoctor.fix.installing import isolation
from gpudoctor.fix.installing.scrub import scrub
from gpudoctor.fix.installing.workshop import Workshop

STEP_SECONDS = 3 * 3600.0
"""Limit of one command: gigabytes over a slow line take an hour, not a day."""

_TAIL_LINES = 4


def run_step(
    argv: Sequence[str],
    extra: Mapping[str, str],
    secrets: Sequence[str],
    say: Callable[[str], None],
    workshop: Workshop,
    seconds: float = STEP_SECONDS,
) -> None:
    """Run one command of a fix and pass its lines on to `say`.

    Raises:
        FixFailedError: it could not be started, failed, or did not end in time.
    """
    lines = _Lines(lambda line: say(f"  {scrub(line, secrets)}"))
    outcome = runner.run(
        isolation.dying_with_us(isolation.command(argv, os.environ)),
        seconds=seconds,
        env=isolation.environment(os.environ, extra, workshop),
        cwd=workshop.folder,
        on_chunk=lambda _stream, data: lines.feed(data),
    )
    lines.end()
    if not outcome.ok:
        said = "; ".join(scrub(line, secrets) for line in lines.last if line.strip())
        reason = scrub(outcome.reason_for(os.path.basename(argv[0])), secrets)
        raise FixFailedError(f"{reason}{': ' + said if said else ''}")


class _Lines:
    """Cuts a stream of bytes into lines and keeps the last few that tell of an error."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._rest = b""
        self.last: list[str] = []

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            self._line(line)
        if len(self._rest) > 1 << 16:
            self.end()

    def end(self) -> None:
        if self._rest:
            self._line(self._rest)
        self._rest = b""

    def _line(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip()
        if not text:
            return
        self._say(text[:500])
        grave = text.lower().startswith(("error", "  ×", "  ╰", "caused by"))
        if grave or "error" in text.lower():
            self.last = [*self.last, text[:300]][-_TAIL_LINES:]

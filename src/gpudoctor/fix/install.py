"""Running an installer: no shell, bounded, its output passed on line by line without secrets."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from gpudoctor.errors import FixFailedError
from gpudoctor.fix.scrub import scrub

STEP_SECONDS = 3 * 3600.0
"""Limit of one command: gigabytes over a slow line take an hour, not a day."""

# An index that stops answering must fail soon enough to be told apart from a slow one. pip waits
# 15 s and tries 5 times more, uv 30 s and 3 times; what the user has set is left alone.
_PATIENCE = {"PIP_DEFAULT_TIMEOUT": "30", "PIP_RETRIES": "2", "UV_HTTP_TIMEOUT": "60"}
_QUIET = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "PYTHONUNBUFFERED": "1",
    "PIP_PROGRESS_BAR": "off",
    "UV_NO_PROGRESS": "1",
}
_TAIL_LINES = 4


def run_step(
    argv: Sequence[str],
    extra: Mapping[str, str],
    secrets: Sequence[str],
    say: Callable[[str], None],
    seconds: float = STEP_SECONDS,
) -> None:
    """Run one command of a fix and pass its lines on to `say`.

    Raises:
        FixFailedError: it could not be started, failed, or did not end in time.
    """
    from gpudoctor.collect.process import runner

    lines = _Lines(lambda line: say(f"  {scrub(line, secrets)}"))
    environment = {**_PATIENCE, **os.environ, **_QUIET, **extra}
    # An interpreter that another one points at would install somewhere else.
    for name in ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_USER"):
        environment.pop(name, None)
    outcome = runner.run(
        list(argv),
        seconds=seconds,
        env=environment,
        on_chunk=lambda _stream, data: lines.feed(data),
    )
    lines.end()
    if not outcome.ok:
        said = "; ".join(scrub(line, secrets) for line in lines.last if line.strip())
        reason = scrub(outcome.reason or "it failed", secrets)
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

"""What `gpudoctor scan` does; its plain form needs no typer (see `plain.py`)."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from gpudoctor.cli import output
from gpudoctor.cli.plain import REPORT_FLAGS, read

_FLAGS = {word: REPORT_FLAGS[word] for word in ("--json", "-q", "--quiet")}
_FORMATS = ("text", "json", "markdown")
_PATIENCE_SECONDS = 1.0


def execute(
    paths: Sequence[str],
    gpus: Sequence[str] | None,
    *,
    format_: str = "text",
    outputs: Sequence[str] | None = None,
    quiet: bool = False,
    verbose: int = 0,
    color: str = "auto",
) -> int:
    """Scan, put the result out, and give the exit code.

    Raises:
        UsageError: a path, a GPU, a format or a colour is not known, or a named file cannot be
            read.
    """
    output.check_format(format_, _FORMATS)

    # What `app.scan` calls: the Python API loads what every report needs.
    from gpudoctor.examine.scanning import scan_paths
    from gpudoctor.report.views.scan_view import render

    style = output.style_for(color, quiet=quiet, verbose=verbose)
    table = scan_paths(paths, gpus, os.environ, None if quiet else _Progress())
    output.emit(
        lambda name, drawn: render(table, name, drawn),
        style,
        format_=format_,
        outputs=outputs,
        formats=_FORMATS,
    )
    return table.exit_code


def plain(arguments: Sequence[str]) -> int | None:
    """Run `scan` with these arguments, if they are plain; `None`: they are not, nothing was done.

    Raises:
        UsageError: as `execute`.
    """
    chosen = read(arguments, flags=_FLAGS, values=(), lists={"--gpu": "gpus"}, paths="paths")
    if chosen is None or "paths" not in chosen:
        return None
    return execute(chosen.pop("paths"), chosen.pop("gpus", None), **chosen)


class _Progress:
    """A line on stderr each second, from the end of the first on."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _PATIENCE_SECONDS
        self._path = ""
        self._bytes = 0

    def __call__(self, path: str, count: int) -> None:
        if path != self._path:
            self._path, self._bytes = path, 0
        self._bytes += count
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _PATIENCE_SECONDS
            unpacked = f" ({self._bytes >> 20} MiB unpacked)" if self._bytes else ""
            output.progress(f"reading {path}{unpacked}")

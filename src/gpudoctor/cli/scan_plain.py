"""What `gpudoctor scan` does, and its plain form without typer.

Importing typer takes more than half of a scan of one library of a gigabyte (55 of 90 ms). Command
lines of paths, `--gpu`, `--json` and `-q` alone, as scripts have them by the hundred, are read
here; everything else (help, other options, mistakes) is left to `scan.py`, which ends in the same
`execute`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from gpudoctor.cli import output

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
    import os

    # What `app.scan` calls: the Python API loads what every report needs.
    from gpudoctor.examine.scanning import scan_paths
    from gpudoctor.report.scan import render

    style = output.style_for(color, quiet=quiet, verbose=verbose)
    table = scan_paths(paths, gpus, os.environ, None if quiet else _Progress())
    output.emit(
        lambda name, drawn: render(table, name, drawn),
        style,
        format_=format_,
        outputs=outputs,
        formats=_FORMATS,
    )
    return 1 if gpus and table.fails else 0


def plain(arguments: Sequence[str]) -> int | None:
    """Run `scan` with these arguments, if they are plain; `None`: they are not, nothing was done.

    Raises:
        UsageError: as `execute`.
    """
    paths: list[str] = []
    gpus: list[str] = []
    format_, quiet = "text", False
    rest = iter(arguments)
    for word in rest:
        if word == "--gpu":
            value = next(rest, "-")
            if value.startswith("-"):
                return None
            gpus.append(value)
        elif word == "--json":
            format_ = "json"
        elif word in ("-q", "--quiet"):
            quiet = True
        elif word.startswith("-"):
            return None
        else:
            paths.append(word)
    return execute(paths, gpus, format_=format_, quiet=quiet) if paths else None


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

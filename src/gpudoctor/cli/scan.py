"""`gpudoctor scan`: which GPUs the machine code in binaries runs on."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from gpudoctor.cli import common

_FORMATS = ("text", "json", "markdown")
_PATIENCE_SECONDS = 1.0


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("scan")(scan)


def scan(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Libraries, wheels, folders.")
    ],
    gpu: Annotated[
        list[str] | None,
        typer.Option("--gpu", metavar="NAME|sm_XX|X.Y", help="Judge for this GPU (repeatable)."),
    ] = None,
    format_: common.FormatOption = "text",
    json: common.JsonOption = False,
    output: common.OutputOption = None,
    quiet: common.QuietOption = False,
    verbose: common.VerboseOption = 0,
    color: common.ColorOption = "auto",
) -> int:
    """Say which GPUs the machine code in files, wheels, environments and folders runs on."""
    common.check_format("json" if json else format_, _FORMATS)
    import os

    # What `app.scan` calls: the Python API loads what every report needs, which takes longer
    # than a library of a gigabyte.
    from gpudoctor.examine.scanning import scan_paths
    from gpudoctor.report.scan import render

    style = common.style_for(color, quiet=quiet, verbose=verbose)
    table = scan_paths(paths, gpu, os.environ, None if quiet else _Progress())
    common.emit(
        lambda name, drawn: render(table, name, drawn),
        style,
        format_=format_,
        json=json,
        outputs=output,
        formats=_FORMATS,
    )
    return 1 if gpu and table.fails else 0


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
            common.progress(f"reading {path}{unpacked}")

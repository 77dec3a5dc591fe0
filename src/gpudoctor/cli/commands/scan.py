"""`gpudoctor scan`: which GPUs the machine code in binaries runs on."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from functools import partial

from gpudoctor.cli.command import CommandDefinition, CommandOption
from gpudoctor.cli.output import Output, progress

_PATIENCE_SECONDS = 1.0


def execute(output: Output, *, paths: Sequence[str], gpu: Sequence[str]) -> int:
    """Scan, put the result out, and give the exit code.

    Raises:
        UsageError: a path or a GPU is not known, or a named file cannot be read.
    """
    # What `app.scan` calls: the Python API loads what every report needs.
    from gpudoctor.examine.scanning import scan_paths
    from gpudoctor.report.views.scan_view import render

    table = scan_paths(
        paths, gpu or None, os.environ, None if output.style.quiet else _ScanProgress()
    )
    output.emit(partial(render, table))
    return table.exit_code


class _ScanProgress:
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
            progress(f"reading {path}{unpacked}")


COMMAND = CommandDefinition(
    name="scan",
    help="Say which GPUs the machine code in files, wheels, environments and folders runs on.",
    short="Which GPUs does the machine code in these files run on?",
    operand=CommandOption("paths", "Libraries, wheels, folders.", "PATH...", "many"),
    options=(CommandOption("--gpu", "Judge for this GPU (repeatable).", "NAME|sm_XX|X.Y", "many"),),
    formats=("text", "markdown", "json"),
    run=execute,
)

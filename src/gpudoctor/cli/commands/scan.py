"""`gpudoctor scan`: which GPUs the machine code in binaries runs on."""

from __future__ import annotations

from typing import Annotated

import typer

from gpudoctor.cli import common
from gpudoctor.cli.commands import scan_plain


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("scan", short_help="Which GPUs does the machine code in these files run on?")(scan)


def scan(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Libraries, wheels, folders.")
    ],
    gpu: Annotated[
        list[str] | None,
        typer.Option("--gpu", metavar="NAME|sm_XX|X.Y", help="Judge for this GPU (repeatable)."),
    ] = None,
    format_: common.TextMarkdownJsonOption = "text",
    json: common.JsonOption = False,
    output: common.OutputOption = None,
    quiet: common.QuietOption = False,
    verbose: common.VerboseOption = 0,
    color: common.ColorOption = "auto",
) -> int:
    """Say which GPUs the machine code in files, wheels, environments and folders runs on."""
    return scan_plain.execute(
        paths,
        gpu,
        format_="json" if json else format_,
        outputs=output,
        quiet=quiet,
        verbose=verbose,
        color=color,
    )

"""The options that every command takes, and how its result is put out."""

from __future__ import annotations

from typing import Annotated

import typer

from gpudoctor.cli.output import FORMATS as FORMATS
from gpudoctor.cli.output import check_format as check_format
from gpudoctor.cli.output import check_outputs as check_outputs
from gpudoctor.cli.output import check_timeout as check_timeout
from gpudoctor.cli.output import emit as emit
from gpudoctor.cli.output import progress as progress
from gpudoctor.cli.output import read_input as read_input
from gpudoctor.cli.output import save as save
from gpudoctor.cli.output import style_for as style_for
from gpudoctor.cli.output import write as write

FormatOption = Annotated[
    str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.", metavar="FORMAT")
]
TextJsonOption = Annotated[
    str, typer.Option("--format", help="One of text, json.", metavar="FORMAT")
]
TextMarkdownJsonOption = Annotated[
    str, typer.Option("--format", help="One of text, markdown, json.", metavar="FORMAT")
]
JsonOption = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
OutputOption = Annotated[
    list[str] | None,
    typer.Option("--output", metavar="FORMAT=PATH", help="Write this format to a file as well."),
]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="Say only what matters.")]
VerboseOption = Annotated[
    int,
    typer.Option(
        "-v",
        "--verbose",
        count=True,
        show_default=False,
        help="Say more: facts, sources, timings.",
    ),
]
ColorOption = Annotated[
    str, typer.Option("--color", metavar="WHEN", help="One of auto, always, never.")
]
PythonOption = Annotated[
    str | None,
    typer.Option(
        "--python", metavar="PATH", help="The interpreter or environment folder to examine."
    ),
]
TimeoutOption = Annotated[
    float | None,
    typer.Option("--timeout", metavar="SECONDS", help="Deadline of the whole command."),
]

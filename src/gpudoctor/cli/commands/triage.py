"""`gpudoctor triage`: what a traceback, a log or a pasted report says is wrong."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from gpudoctor.cli import common
from gpudoctor.errors import UsageError

if TYPE_CHECKING:  # the module that makes reports is loaded by the command alone
    from gpudoctor.model.report import Report


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(
        "triage", short_help="What does this traceback, log or pasted report say is wrong?"
    )(triage)


def triage(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The text; - is stdin.")],
    no_redact: Annotated[
        bool,
        typer.Option("--no-redact", help="Keep names, paths and identifiers of the text."),
    ] = False,
    format_: common.FormatOption = "text",
    json: common.JsonOption = False,
    output: common.OutputOption = None,
    quiet: common.QuietOption = False,
    verbose: common.VerboseOption = 0,
    color: common.ColorOption = "auto",
) -> int:
    """What does this text say is wrong? A traceback, a training log, collect_env, nvidia-smi."""
    from gpudoctor.report import render

    style = common.style_for(color, quiet=quiet, verbose=verbose)
    common.check_format("json" if json else format_)
    report = _report(file, keep_private=no_redact)
    common.emit(
        lambda name, how: render(report, name, how),
        style,
        format_=format_,
        json=json,
        outputs=output,
    )
    return report.exit_code


def _report(file: str, *, keep_private: bool) -> Report:
    from gpudoctor.triage import report

    name = "standard input" if file == "-" else file
    try:
        if file == "-":
            if sys.stdin.isatty():
                end = "Ctrl-Z and Enter" if sys.platform == "win32" else "Ctrl-D"
                common.progress(f"Waiting for the text: paste it, then press {end}.")
            return report.of_stream(sys.stdin.buffer, keep_private=keep_private)
        with open(file, "rb") as stream:
            return report.of_stream(stream, keep_private=keep_private)
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from None
    except ValueError:
        raise UsageError(f"{name!r} is no file name") from None

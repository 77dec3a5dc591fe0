"""`gpudoctor triage`: what a traceback, a log or a pasted report says is wrong."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gpudoctor.cli import output as out
from gpudoctor.cli.command import CommandDefinition, CommandOption, output_options
from gpudoctor.errors import UsageError
from gpudoctor.report import FORMATS, render

if TYPE_CHECKING:  # the module that makes reports is loaded by the command alone
    from gpudoctor.model.report import Report


def execute(
    *,
    file: str,
    no_redact: bool,
    format_: str,
    json: bool,
    output: Sequence[str] | None,
    quiet: bool,
    verbose: int,
    color: str,
) -> int:
    """Judge a text, put the report out, and give the exit code.

    Raises:
        UsageError: a format or a colour is not known, or the file cannot be read.
    """
    style = out.style_for(color, quiet=quiet, verbose=verbose)
    out.check_format("json" if json else format_)
    report = _report(file, keep_private=no_redact)
    out.emit(
        lambda name, how: render(report, name, how),
        style,
        format_=format_,
        json=json,
        outputs=output,
    )
    return report.exit_code


def _report(file: str, *, keep_private: bool) -> Report:
    from gpudoctor.triage import report_on_text as report

    name = "standard input" if file == "-" else file
    try:
        if file == "-":
            if sys.stdin.isatty():
                end = "Ctrl-Z and Enter" if sys.platform == "win32" else "Ctrl-D"
                out.progress(f"Waiting for the text: paste it, then press {end}.")
            return report.of_stream(sys.stdin.buffer, keep_private=keep_private)
        with open(file, "rb") as stream:
            return report.of_stream(stream, keep_private=keep_private)
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from None
    except ValueError:
        raise UsageError(f"{name!r} is no file name") from None


COMMAND = CommandDefinition(
    name="triage",
    help="What does this text say is wrong? A traceback, a training log, collect_env, nvidia-smi.",
    short="What does this traceback, log or pasted report say is wrong?",
    operand=CommandOption("file", "The text; - is stdin.", "FILE"),
    options=(
        CommandOption("--no-redact", "Keep names, paths and identifiers of the text.", kind="flag"),
        *output_options(FORMATS),
    ),
    run=execute,
)
register = COMMAND.register
plain = COMMAND.plain

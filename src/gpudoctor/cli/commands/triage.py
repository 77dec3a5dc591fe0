"""`gpudoctor triage`: what a traceback, a log or a pasted report says is wrong."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from gpudoctor.cli.command import CommandDefinition, CommandOption
from gpudoctor.cli.output import Output, progress
from gpudoctor.errors import UsageError
from gpudoctor.report import render

if TYPE_CHECKING:  # the module that makes reports is loaded by the command alone
    from gpudoctor.model.report import Report


def execute(output: Output, *, file: str, no_redact: bool) -> int:
    """Judge a text, put the report out, and give the exit code.

    Raises:
        UsageError: the file cannot be read.
    """
    report = _report(file, keep_private=no_redact)
    output.emit(partial(render, report))
    return report.exit_code


def _report(file: str, *, keep_private: bool) -> Report:
    from gpudoctor.triage import report_on_text as report

    name = "standard input" if file == "-" else file
    try:
        if file == "-":
            if sys.stdin.isatty():
                end = "Ctrl-Z and Enter" if sys.platform == "win32" else "Ctrl-D"
                progress(f"Waiting for the text: paste it, then press {end}.")
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
    ),
    run=execute,
)

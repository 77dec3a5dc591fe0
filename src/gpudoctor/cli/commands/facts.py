"""`gpudoctor facts`: this machine as one fact sheet, private details removed."""

from __future__ import annotations

from functools import partial

from gpudoctor.cli.command import PYTHON, TIMEOUT, CommandDefinition, CommandOption
from gpudoctor.cli.output import Output


def execute(output: Output, *, python: str | None, no_redact: bool, timeout: float | None) -> int:
    """Collect the facts, put them out, and give the exit code."""
    from gpudoctor import app
    from gpudoctor.report.views.facts_view import render

    output.emit(partial(render, app.facts(python=python, redact=not no_redact, timeout=timeout)))
    return 0


COMMAND = CommandDefinition(
    name="facts",
    help="Save this machine as one fact sheet; `gpudoctor check --facts FILE` replays it.",
    short="Save this machine as a fact sheet without private details.",
    options=(
        PYTHON,
        CommandOption("--no-redact", "Keep UUIDs, user names and paths.", kind="flag"),
        TIMEOUT,
    ),
    formats=("text", "json"),
    default_format="json",
    run=execute,
)

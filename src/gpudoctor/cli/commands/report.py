"""`gpudoctor report`: one table from the saved reports and fact sheets of many machines."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from gpudoctor.cli.command import FAIL_ON, CommandDefinition, CommandOption
from gpudoctor.cli.output import Output


def execute(
    output: Output, *, files: Sequence[str], expect: str | None, fail_on: str | None
) -> int:
    """Read the reports, put their table out, and give the exit code.

    Raises:
        UsageError: a file cannot be read, or a value is not known.
    """
    from gpudoctor import app
    from gpudoctor.fleet.render import render

    found = app.report(files, expect=expect, fail_on=fail_on or "error")
    output.emit(partial(render, found))
    return found.exit_code


COMMAND = CommandDefinition(
    name="report",
    help="One table from the saved reports and fact sheets of many machines, differences first.",
    short="Many machines' saved reports as one, differences first.",
    operand=CommandOption(
        "files", "Reports, fact sheets, JSON lines of them, folders; - is stdin.", "FILE...", "many"
    ),
    options=(
        CommandOption("--expect", "Machines that must have reported: n[01-48].", "HOSTLIST"),
        FAIL_ON,
    ),
    run=execute,
)

"""`gpudoctor report`: one table from the saved reports and fact sheets of many machines."""

from __future__ import annotations

from typing import Annotated

import typer

from gpudoctor.cli import common


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("report", short_help="Many machines' saved reports as one, differences first.")(
        report
    )


def report(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Reports, fact sheets, JSON lines of them, folders; - is stdin.",
        ),
    ],
    expect: Annotated[
        str | None,
        typer.Option(
            "--expect", metavar="HOSTLIST", help="Machines that must have reported: n[01-48]."
        ),
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option("--fail-on", metavar="LEVEL", help="One of error, warning, never."),
    ] = None,
    format_: common.FormatOption = "text",
    json: common.JsonOption = False,
    output: common.OutputOption = None,
    quiet: common.QuietOption = False,
    verbose: common.VerboseOption = 0,
    color: common.ColorOption = "auto",
) -> int:
    """One table from the saved reports and fact sheets of many machines, differences first."""
    style = common.style_for(color, quiet=quiet, verbose=verbose)
    common.check_format("json" if json else format_)
    common.check_outputs(output)
    from gpudoctor import app as api
    from gpudoctor.fleet.render import render

    found = api.report(files, expect=expect, fail_on=fail_on or "error")
    common.emit(
        lambda name, how: render(found, name, how),
        style,
        format_=format_,
        json=json,
        outputs=output,
    )
    return found.exit_code

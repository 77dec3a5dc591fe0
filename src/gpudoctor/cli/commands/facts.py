"""`gpudoctor facts`: this machine as one fact sheet, private details removed."""

from __future__ import annotations

from typing import Annotated

import typer

from gpudoctor.cli import common

_FORMATS = ("json", "text")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("facts", short_help="Save this machine as a fact sheet without private details.")(
        facts
    )


def facts(
    python: common.PythonOption = None,
    no_redact: Annotated[
        bool, typer.Option("--no-redact", help="Keep UUIDs, user names and paths.")
    ] = False,
    timeout: common.TimeoutOption = None,
    format_: common.TextJsonOption = "json",
    json: common.JsonOption = False,
    output: common.OutputOption = None,
    quiet: common.QuietOption = False,  # noqa: ARG001 - every command takes it
    verbose: common.VerboseOption = 0,
    color: common.ColorOption = "auto",
) -> int:
    """Save this machine as one fact sheet; `gpudoctor check --facts FILE` replays it."""
    common.check_format("json" if json else format_, _FORMATS)
    common.check_timeout(timeout)
    from gpudoctor import app as api
    from gpudoctor.report.views.facts_view import render

    sheet = api.facts(python=python, redact=not no_redact, timeout=timeout)
    common.emit(
        lambda name, style: render(sheet, name, style),
        common.style_for(color, verbose=verbose),
        format_=format_,
        json=json,
        outputs=output,
        formats=_FORMATS,
    )
    return 0

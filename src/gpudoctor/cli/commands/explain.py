"""`gpudoctor explain`: a finding, an error, an architecture, a variant, or a GPU, explained."""

from __future__ import annotations

from typing import Annotated

import typer

from gpudoctor.cli import common

_FORMATS = ("text", "markdown", "json")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("explain", short_help="A finding, an error, an architecture, a GPU, explained.")(
        explain
    )


def explain(
    what: Annotated[
        list[str],
        typer.Argument(help="GPU201, 803, CUDNN_STATUS_…, sm_120, cu128, 'RTX 3090' …"),
    ],
    format_: common.TextMarkdownJsonOption = "text",
    json: common.JsonOption = False,
    output: common.OutputOption = None,
    quiet: common.QuietOption = False,  # noqa: ARG001 - every command takes it
    verbose: common.VerboseOption = 0,
    color: common.ColorOption = "auto",
) -> int:
    """Explain a finding, an error, an architecture, a variant of torch, a variable, or a GPU."""
    common.check_format("json" if json else format_, _FORMATS)
    from gpudoctor.examine.explain import explain as explain_
    from gpudoctor.report.views.documentation import render

    page = explain_(" ".join(what))
    common.emit(
        lambda name, style: render(page, name, style),
        common.style_for(color, verbose=verbose),
        format_=format_,
        json=json,
        outputs=output,
        formats=_FORMATS,
    )
    return 0

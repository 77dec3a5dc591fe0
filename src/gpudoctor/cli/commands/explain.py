"""`gpudoctor explain`: a finding, an error, an architecture, a variant, or a GPU, explained."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from gpudoctor.cli.command import CommandDefinition, CommandOption
from gpudoctor.cli.output import Output


def execute(output: Output, *, what: Sequence[str]) -> int:
    """Find the page, put it out, and give the exit code.

    Raises:
        UsageError: nobody knows it; names the nearest.
    """
    from gpudoctor.examine.explain import explain
    from gpudoctor.report.views.documentation import render

    output.emit(partial(render, explain(" ".join(what))))
    return 0


COMMAND = CommandDefinition(
    name="explain",
    help="Explain a finding, an error, an architecture, a variant of torch, a variable, or a GPU.",
    short="A finding, an error, an architecture, a GPU, explained.",
    operand=CommandOption(
        "what", "GPU201, 803, CUDNN_STATUS_…, sm_120, cu128, 'RTX 3090' …", kind="many"
    ),
    formats=("text", "markdown", "json"),
    run=execute,
)

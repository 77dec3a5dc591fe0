"""`gpudoctor check`: will PyTorch run on the GPUs of this machine, and what to type if not."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gpudoctor.cli import common
from gpudoctor.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("check")(check)


def check(
    python: common.PythonOption = None,
    facts: Annotated[
        str | None,
        typer.Option("--facts", metavar="FILE", help="Judge a saved machine; - is stdin."),
    ] = None,
    smoke: Annotated[
        str | None,
        typer.Option(
            "--smoke",
            metavar="LEVEL",
            help="Run kernels: off, quick or full. Default: quick where a GPU can be used.",
        ),
    ] = None,
    policy: Annotated[
        str | None, typer.Option("--policy", metavar="FILE", help="A YAML file: what counts.")
    ] = None,
    allow_cpu: Annotated[
        bool, typer.Option("--allow-cpu", help="Having no usable GPU is not an error.")
    ] = False,
    fail_on: Annotated[
        str | None,
        typer.Option("--fail-on", metavar="LEVEL", help="One of error, warning, never."),
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option("--select", metavar="CODE", help="Judge only these codes or names."),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="CODE", help="Leave out these codes or names."),
    ] = None,
    timeout: common.TimeoutOption = None,
    format_: common.FormatOption = "text",
    json: common.JsonOption = False,
    output: common.OutputOption = None,
    quiet: common.QuietOption = False,
    verbose: common.VerboseOption = 0,
    color: common.ColorOption = "auto",
) -> int:
    """Will PyTorch, and every CUDA extension beside it, run on the GPUs of this machine?"""
    from gpudoctor import app as api
    from gpudoctor.report import render

    style = common.style_for(color, quiet=quiet, verbose=verbose)
    common.check_format("json" if json else format_)
    if smoke not in (None, "off", "quick", "full"):
        raise UsageError(f"--smoke takes off, quick or full, not {smoke!r}")
    common.check_timeout(timeout)
    # A line a kernel test while somebody watches; a log has the results, and the steps with -v.
    told = verbose > 0 or (sys.stderr is not None and sys.stderr.isatty())
    report = api.check(
        python=python,
        facts=None if facts is None else common.read_input(facts),
        facts_name=facts or "",
        smoke=smoke,
        policy=api.policy(
            policy, fail_on=fail_on, allow_cpu=allow_cpu, select=select, ignore=ignore
        ),
        timeout=timeout,
        progress=lambda message: common.progress(message, quiet=quiet or not told),
    )
    common.emit(
        lambda name, how: render(report, name, how),
        style,
        format_=format_,
        json=json,
        outputs=output,
    )
    return report.exit_code

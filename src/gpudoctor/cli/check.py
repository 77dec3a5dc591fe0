"""`gpudoctor check`: will PyTorch run on the GPUs of this machine, and what to type if not."""

from __future__ import annotations

from typing import Annotated

import typer

from gpudoctor.cli import check_plain, common


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(
        "check", short_help="Will PyTorch, and every CUDA extension, run on the GPUs here?"
    )(check)


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
    return check_plain.execute(
        python=python,
        facts=facts,
        smoke=smoke,
        policy=policy,
        allow_cpu=allow_cpu,
        fail_on=fail_on,
        select=select,
        ignore=ignore,
        timeout=timeout,
        format_="json" if json else format_,
        outputs=output,
        quiet=quiet,
        verbose=verbose,
        color=color,
    )

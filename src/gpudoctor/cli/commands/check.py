"""`gpudoctor check`: will PyTorch run on the GPUs of this machine, and what to type if not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from gpudoctor.cli.command import (
    FAIL_ON,
    PYTHON,
    SMOKE_LEVELS,
    TIMEOUT,
    CommandDefinition,
    CommandOption,
)
from gpudoctor.cli.output import Output, read_input
from gpudoctor.errors import UsageError
from gpudoctor.report import render


def execute(
    output: Output,
    *,
    python: str | None,
    all_: bool,
    facts: str | None,
    smoke: str | None,
    policy: str | None,
    allow_cpu: bool,
    fail_on: str | None,
    select: Sequence[str],
    ignore: Sequence[str],
    timeout: float | None,
) -> int:
    """Examine, put the report out, and give the exit code.

    Raises:
        UsageError: an option's value is not known, or a named file cannot be read.
    """
    if all_ and (python is not None or facts is not None):
        raise UsageError("--all looks at every environment here: no --python and no --facts")
    from gpudoctor import app

    if all_:
        from gpudoctor.report import environment_table

        judged = app.check_all(
            policy=policy,
            allow_cpu=allow_cpu,
            fail_on=fail_on,
            select=select,
            ignore=ignore,
            timeout=timeout,
        )
        output.emit(partial(environment_table.render, judged))
        return environment_table.exit_code(judged)
    report = app.check(
        python=python,
        facts=None if facts is None else read_input(facts),
        facts_name=facts or "",
        smoke=smoke,
        policy=policy,
        allow_cpu=allow_cpu,
        fail_on=fail_on,
        select=select,
        ignore=ignore,
        timeout=timeout,
        progress=output.step,
    )
    output.emit(partial(render, report))
    return report.exit_code


COMMAND = CommandDefinition(
    name="check",
    help="Will PyTorch, and every CUDA extension beside it, run on the GPUs of this machine?",
    short="Will PyTorch, and every CUDA extension, run on the GPUs here?",
    options=(
        PYTHON,
        CommandOption(
            "--all",
            "Every environment that is found here, in one table.",
            kind="flag",
            called="all_",
        ),
        CommandOption("--facts", "Judge a saved machine; - is stdin.", "FILE"),
        CommandOption(
            "--smoke",
            "Run kernels: off, quick or full. Default: quick where a GPU can be used.",
            "LEVEL",
            choices=SMOKE_LEVELS,
        ),
        CommandOption(
            "--policy", "What counts, in YAML or TOML; else the project's settings.", "FILE"
        ),
        CommandOption("--allow-cpu", "Having no usable GPU is not an error.", kind="flag"),
        FAIL_ON,
        CommandOption("--select", "Judge only these codes or names.", "CODE", "many"),
        CommandOption("--ignore", "Leave out these codes or names.", "CODE", "many"),
        TIMEOUT,
    ),
    run=execute,
)

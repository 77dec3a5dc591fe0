"""`gpudoctor check`: will PyTorch run on the GPUs of this machine, and what to type if not."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gpudoctor.cli import output as out
from gpudoctor.cli.command import (
    FAIL_ON,
    PYTHON,
    TIMEOUT,
    CommandDefinition,
    CommandOption,
    output_options,
)
from gpudoctor.errors import UsageError
from gpudoctor.report import FORMATS, render


def execute(
    *,
    python: str | None,
    all_: bool,
    facts: str | None,
    smoke: str | None,
    policy: str | None,
    allow_cpu: bool,
    fail_on: str | None,
    select: Sequence[str] | None,
    ignore: Sequence[str] | None,
    timeout: float | None,
    format_: str,
    json: bool,
    output: Sequence[str] | None,
    quiet: bool,
    verbose: int,
    color: str,
) -> int:
    """Examine, put the report out, and give the exit code.

    Raises:
        UsageError: an option's value is not known, or a named file cannot be read.
    """
    style = out.style_for(color, quiet=quiet, verbose=verbose)
    out.check_format("json" if json else format_)
    out.check_outputs(output)
    if smoke not in (None, "off", "quick", "full"):
        raise UsageError(f"--smoke takes off, quick or full, not {smoke!r}")
    out.check_timeout(timeout)
    if all_ and (python is not None or facts is not None):
        raise UsageError("--all looks at every environment here: no --python and no --facts")
    from gpudoctor import app as api

    if all_:
        from gpudoctor.report import environment_table as environments

        judged = api.check_all(
            policy=policy,
            allow_cpu=allow_cpu,
            fail_on=fail_on,
            select=select or (),
            ignore=ignore or (),
            timeout=timeout,
        )
        out.emit(
            lambda name, drawn: environments.render(judged, name, drawn),
            style,
            format_=format_,
            json=json,
            outputs=output,
        )
        return environments.exit_code(judged)
    # A line a kernel test while somebody watches; a log has the results, and the steps with -v.
    told = verbose > 0 or (sys.stderr is not None and sys.stderr.isatty())
    report = api.check(
        python=python,
        facts=None if facts is None else out.read_input(facts),
        facts_name=facts or "",
        smoke=smoke,
        policy=policy,
        allow_cpu=allow_cpu,
        fail_on=fail_on,
        select=select or (),
        ignore=ignore or (),
        timeout=timeout,
        progress=lambda message: out.progress(message, quiet=quiet or not told),
    )
    out.emit(
        lambda name, drawn: render(report, name, drawn),
        style,
        format_=format_,
        json=json,
        outputs=output,
    )
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
        ),
        CommandOption(
            "--policy", "What counts, in YAML or TOML; else the project's settings.", "FILE"
        ),
        CommandOption("--allow-cpu", "Having no usable GPU is not an error.", kind="flag"),
        FAIL_ON,
        CommandOption("--select", "Judge only these codes or names.", "CODE", "many"),
        CommandOption("--ignore", "Leave out these codes or names.", "CODE", "many"),
        TIMEOUT,
        *output_options(FORMATS),
    ),
    run=execute,
)
register = COMMAND.register
plain = COMMAND.plain

"""What `gpudoctor check` does; its plain form needs no typer (see `plain.py`)."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gpudoctor.cli import output
from gpudoctor.cli.plain import REPORT_FLAGS, read
from gpudoctor.errors import UsageError

_FLAGS = {**REPORT_FLAGS, "--allow-cpu": ("allow_cpu", True)}
_VALUES = ("--python", "--facts", "--smoke", "--fail-on", "--policy", "--color")


def execute(
    *,
    python: str | None = None,
    facts: str | None = None,
    smoke: str | None = None,
    policy: str | None = None,
    allow_cpu: bool = False,
    fail_on: str | None = None,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] | None = None,
    timeout: float | None = None,
    format_: str = "text",
    outputs: Sequence[str] | None = None,
    quiet: bool = False,
    verbose: int = 0,
    color: str = "auto",
) -> int:
    """Examine, put the report out, and give the exit code.

    Raises:
        UsageError: an option's value is not known, or a named file cannot be read.
    """
    style = output.style_for(color, quiet=quiet, verbose=verbose)
    output.check_format(format_)
    if smoke not in (None, "off", "quick", "full"):
        raise UsageError(f"--smoke takes off, quick or full, not {smoke!r}")
    output.check_timeout(timeout)
    from gpudoctor import app as api
    from gpudoctor.report import render

    # A line a kernel test while somebody watches; a log has the results, and the steps with -v.
    told = verbose > 0 or (sys.stderr is not None and sys.stderr.isatty())
    report = api.check(
        python=python,
        facts=None if facts is None else output.read_input(facts),
        facts_name=facts or "",
        smoke=smoke,
        policy=policy,
        allow_cpu=allow_cpu,
        fail_on=fail_on,
        select=select or (),
        ignore=ignore or (),
        timeout=timeout,
        progress=lambda message: output.progress(message, quiet=quiet or not told),
    )
    output.emit(
        lambda name, drawn: render(report, name, drawn), style, format_=format_, outputs=outputs
    )
    return report.exit_code


def plain(arguments: Sequence[str]) -> int | None:
    """Run `check` with these arguments, if they are plain; `None`: they are not, nothing was done.

    Raises:
        UsageError: as `execute`.
    """
    chosen = read(arguments, flags=_FLAGS, values=_VALUES)
    return None if chosen is None else execute(**chosen)

"""`gpudoctor fix`: the commands that cure the environment, and their safe execution."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from gpudoctor.cli.command import (
    PYTHON,
    SMOKE_LEVELS,
    TIMEOUT,
    CommandDefinition,
    CommandOption,
)
from gpudoctor.cli.commands import fix_kept
from gpudoctor.cli.output import Output, progress
from gpudoctor.errors import UsageError
from gpudoctor.model.lazy import later
from gpudoctor.model.value import replace
from gpudoctor.report import render

if TYPE_CHECKING:
    from gpudoctor import app, prescribe
    from gpudoctor.examine import options as visit_options
    from gpudoctor.examine.options import VisitOptions
    from gpudoctor.fix import ours
    from gpudoctor.fix.procedure import Done
    from gpudoctor.model.report import Report
    from gpudoctor.report import shells
else:  # loaded when the command runs
    app = later("gpudoctor.app")
    ours = later("gpudoctor.fix.ours")
    prescribe = later("gpudoctor.prescribe")
    shells = later("gpudoctor.report.shells")
    visit_options = later("gpudoctor.examine.options")


def execute(
    output: Output,
    *,
    python: str | None,
    dry_run: bool,
    yes: bool,
    tool: str,
    torch: str | None,
    channel: str,
    index_url: str | None,
    from_source: bool,
    smoke: str | None,
    undo: bool,
    set_aside: bool,
    list_: bool,
    forget: str | None,
    timeout: float | None,
) -> int:
    """Print the commands that cure the environment, ask, and carry them out as a transaction.

    Raises:
        GpuDoctorError: as `app.fix` and `app.undo`.
        UsageError: an option's value is not known, or nobody can be asked.
    """
    if forget:
        return fix_kept.forget(output, forget)
    if list_:
        return fix_kept.kept(output)
    if undo:
        return fix_kept.undo(output, python, set_aside=set_aside)
    options = visit_options.VisitOptions(
        python=python,
        smoke=app.level(smoke),
        timeout_seconds=timeout,
        prescribe=prescribe.Options(
            tool=tool,
            torch_spec=torch,
            channel=channel,
            index_url=index_url,
            from_source=from_source,
        ),
    )
    report = app.fix_plan(options)
    if not dry_run:
        app.refuse_unfinished(report)
    prescription = report.prescription
    nothing = prescription is None or prescription.status == "not-needed"
    impossible = prescription is not None and prescription.status == "impossible"
    if dry_run or nothing or impossible:
        # What could not be judged is not known to be in order.
        unjudged = nothing and (prescription is None or report.exit_code == 3)
        return _ended(output, report, 1 if impossible else 3 if unjudged else 0)
    return _apply(output, report, options, yes=yes)


def _apply(output: Output, report: Report, options: VisitOptions, *, yes: bool) -> int:
    steps = report.prescription.steps if report.prescription else ()
    if not ours.split(steps)[0]:
        code = _ended(output, report, 1)
        output.progress(
            "Nothing was changed: not all of these steps are ours to take, since fix changes no "
            "driver, no lock file and no system."
        )
        return code
    if not yes:
        _preview(output, report)
        if not _confirmed():
            progress("Nothing was changed.")
            return 1
    done = app.carry_out(report, options, output.progress)
    for change in done.changes:
        output.progress(f"  {change}")
    for sentence in done.outside:
        progress(sentence)
    code = _ended(output, done.report, 1 if done.report.verdict == "broken" else 0)
    _remaining(output, done)
    return code


def _remaining(output: Output, done: Done) -> None:
    for step in done.remaining:
        typed = " ".join(command.text for command in shells.commands(step, (output.style.shell,)))
        progress(f"Left to you: {step.text} {typed}".rstrip())


def _preview(output: Output, report: Report) -> None:
    """What is asked about; on stderr where stdout is for one document in another format."""
    if output.format == "text":
        _ended(Output(output.style), report, 0)
    else:
        sys.stderr.write(render(report, "text", output.style))
        sys.stderr.flush()


def _confirmed() -> bool:
    """Asks at a terminal; elsewhere `--yes` is needed.

    Raises:
        UsageError: stdin is no terminal.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("stdin is no terminal, so nobody can be asked; say --yes, or --dry-run")
    sys.stderr.write("Carry these commands out? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _ended(output: Output, report: Report, code: int) -> int:
    """Put the report out with the exit code that the command ends with, and give the code."""
    output.emit(partial(render, replace(report, exit_code=code)))
    return code


COMMAND = CommandDefinition(
    name="fix",
    help="Print the commands that cure the environment, ask, and carry them out as a transaction.",
    short="Cure the environment, as a transaction that can be undone.",
    options=(
        PYTHON,
        CommandOption("--dry-run", "Print the commands and change nothing.", kind="flag"),
        CommandOption("--yes -y", "Do not ask.", kind="flag", called="yes"),
        CommandOption(
            "--tool", "One of auto, pip, uv, conda, pixi, poetry.", "NAME", default="auto"
        ),
        CommandOption("--torch", "Pin torch: 2.9.1, '>=2.8,<2.11'.", "SPEC"),
        CommandOption("--channel", "stable or nightly.", "NAME", default="stable"),
        CommandOption("--index-url", "A mirror of the wheel index's root.", "URL"),
        CommandOption("--from-source", "Print the recipe of a source build.", kind="flag"),
        CommandOption("--smoke", "Verify with: off, quick, full.", "LEVEL", choices=SMOKE_LEVELS),
        CommandOption("--undo", "Put back what the last fix did.", kind="flag"),
        CommandOption(
            "--set-aside", "With --undo: move aside what came after the fix.", kind="flag"
        ),
        CommandOption("--list", "List the kept fixes.", kind="flag", called="list_"),
        CommandOption("--forget", "Remove a kept fix (or all finished ones).", "ID"),
        TIMEOUT,
    ),
    run=execute,
)

"""`gpudoctor fix`: the commands that cure the environment, and their safe execution."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from gpudoctor.cli import common
from gpudoctor.cli.commands import fix_kept
from gpudoctor.errors import UsageError
from gpudoctor.model.value import replace
from gpudoctor.report import render

if TYPE_CHECKING:
    from gpudoctor.fix.procedure import Done
    from gpudoctor.model.report import Report
    from gpudoctor.report.style import Style


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("fix", short_help="Cure the environment, as a transaction that can be undone.")(fix)


def fix(
    python: common.PythonOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the commands and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    tool: Annotated[
        str,
        typer.Option("--tool", metavar="NAME", help="One of auto, pip, uv, conda, pixi, poetry."),
    ] = "auto",
    torch: Annotated[
        str | None, typer.Option("--torch", metavar="SPEC", help="Pin torch: 2.9.1, '>=2.8,<2.11'.")
    ] = None,
    channel: Annotated[
        str, typer.Option("--channel", metavar="NAME", help="stable or nightly.")
    ] = "stable",
    index_url: Annotated[
        str | None,
        typer.Option("--index-url", metavar="URL", help="A mirror of the wheel index's root."),
    ] = None,
    from_source: Annotated[
        bool, typer.Option("--from-source", help="Print the recipe of a source build.")
    ] = False,
    smoke: Annotated[
        str | None, typer.Option("--smoke", metavar="LEVEL", help="Verify with: off, quick, full.")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Put back what the last fix did.")] = False,
    set_aside: Annotated[
        bool,
        typer.Option("--set-aside", help="With --undo: move aside what came after the fix."),
    ] = False,
    list_: Annotated[bool, typer.Option("--list", help="List the kept fixes.")] = False,
    forget: Annotated[
        str | None,
        typer.Option("--forget", metavar="ID", help="Remove a kept fix (or all finished ones)."),
    ] = None,
    timeout: common.TimeoutOption = None,
    format_: common.FormatOption = "text",
    json: common.JsonOption = False,
    output: common.OutputOption = None,
    quiet: common.QuietOption = False,
    verbose: common.VerboseOption = 0,
    color: common.ColorOption = "auto",
) -> int:
    """Print the commands that cure the environment, ask, and carry them out as a transaction."""
    style = common.style_for(color, quiet=quiet, verbose=verbose)
    common.check_format("json" if json else format_)
    common.check_timeout(timeout)
    chosen = "json" if json else format_
    if forget:
        return fix_kept.forget(forget, style, chosen, output)
    if list_:
        return fix_kept.kept(style, chosen, output)
    if undo:
        return fix_kept.undo(python, style, chosen, output, set_aside=set_aside)
    from gpudoctor import app as api
    from gpudoctor.examine.options import VisitOptions
    from gpudoctor.prescribe import Options

    if smoke not in (None, "off", "quick", "full"):
        raise UsageError(f"--smoke takes off, quick or full, not {smoke!r}")
    options = VisitOptions(
        python=python,
        smoke=api.level(smoke),
        timeout_seconds=timeout,
        prescribe=Options(
            tool=tool,
            torch_spec=torch,
            channel=channel,
            index_url=index_url,
            from_source=from_source,
        ),
    )
    report = api.fix_plan(options)
    if not dry_run:
        api.refuse_unfinished(report)
    prescription = report.prescription
    nothing = prescription is None or prescription.status == "not-needed"
    impossible = prescription is not None and prescription.status == "impossible"
    if dry_run or nothing or impossible:
        # What could not be judged is not known to be in order.
        unjudged = nothing and (prescription is None or report.exit_code == 3)
        code = 1 if impossible else 3 if unjudged else 0
        _emit(report, style, code, format_=format_, json=json, outputs=output)
        return code
    return _apply(
        report, options, style, yes=yes, quiet=quiet, format_=format_, json=json, output=output
    )


def _apply(
    report: Report,
    options: object,
    style: Style,
    *,
    yes: bool,
    quiet: bool,
    format_: str,
    json: bool,
    output: list[str] | None,
) -> int:
    from gpudoctor import app as api
    from gpudoctor.examine.options import VisitOptions
    from gpudoctor.fix.ours import split

    assert isinstance(options, VisitOptions)  # noqa: S101 - for the type checker
    steps = report.prescription.steps if report.prescription else ()
    if not split(steps)[0]:
        _emit(report, style, 1, format_=format_, json=json, outputs=output)
        common.progress(
            "Nothing was changed: not all of these steps are ours to take, since fix changes no "
            "driver, no lock file and no system.",
            quiet=quiet,
        )
        return 1
    if not yes:
        if json or format_ != "text":
            _preview(report, style)
        else:
            _emit(report, style, 0)
        if not _confirmed():
            common.progress("Nothing was changed.")
            return 1
    done = api.carry_out(report, options, lambda line: common.progress(line, quiet=quiet))
    for change in done.changes:
        common.progress(f"  {change}", quiet=quiet)
    code = 1 if done.report.verdict == "broken" else 0
    _emit(done.report, style, code, format_=format_, json=json, outputs=output)
    _remaining(done, style)
    return code


def _remaining(done: Done, style: Style) -> None:
    from gpudoctor.report.shells import commands

    for step in done.remaining:
        typed = " ".join(command.text for command in commands(step, (style.shell,)))
        common.progress(f"Left to you: {step.text} {typed}".rstrip())


def _preview(report: Report, style: Style) -> None:
    """What is asked about, on stderr: stdout is for the one document that was asked for."""
    sys.stderr.write(render(report, "text", style))
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


def _emit(
    report: Report,
    style: Style,
    code: int,
    *,
    format_: str = "text",
    json: bool = False,
    outputs: list[str] | None = None,
) -> None:
    shown = replace(report, exit_code=code)
    common.emit(
        lambda name, how: render(shown, name, how),
        style,
        format_=format_,
        json=json,
        outputs=outputs,
    )

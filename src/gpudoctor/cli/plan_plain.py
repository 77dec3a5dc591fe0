"""What `gpudoctor plan` does; its plain form needs no typer (see `plain.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gpudoctor.cli import output
from gpudoctor.cli.plain import REPORT_FLAGS, read
from gpudoctor.model.value import replace

if TYPE_CHECKING:  # loaded when the command runs
    from gpudoctor.model.report import Report
    from gpudoctor.report.style import Style

_FLAGS = {**REPORT_FLAGS, "--from-source": ("from_source", True)}
_VALUES = ("--driver", "--os", "--arch", "--python", "--torch", "--channel", "--tool", "--color",
           "--facts")  # fmt: skip
_LISTS = {"--gpu": "gpus", "--requirements": "requirements", "--extra": "extras",
          "--group": "groups"}  # fmt: skip


def execute(
    *,
    gpus: Sequence[str] | None = None,
    driver: str | None = None,
    os: str | None = None,
    arch: str | None = None,
    python: str | None = None,
    torch: str | None = None,
    channel: str = "stable",
    tool: str = "auto",
    index_url: str | None = None,
    from_source: bool = False,
    requirements: Sequence[str] | None = None,
    extras: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    facts: str | None = None,
    format_: str = "text",
    outputs: Sequence[str] | None = None,
    quiet: bool = False,
    verbose: int = 0,
    color: str = "auto",
) -> int:
    """Plan, or judge a requirements file, put the report out, and give the exit code.

    Raises:
        UsageError: a GPU, a version, an option's value is not known, or a named file cannot be
            read.
    """
    from gpudoctor import app
    from gpudoctor.errors import UsageError

    style = output.style_for(color, quiet=quiet, verbose=verbose)
    output.check_format(format_)
    if not gpus and facts is None:
        raise UsageError("plan needs a GPU: --gpu '5060 ti', --gpu sm_120 or --gpu 12.0")
    from gpudoctor.cli import this_machine

    filled = None
    if facts is None:
        filled = this_machine.fill(gpus or (), os, arch, python)
        os, arch, python = filled.os, filled.arch, filled.python
    report = app.plan(
        gpus=gpus or (),
        driver=driver,
        os=os,
        arch=arch,
        python=python,
        torch=torch,
        channel=channel,
        tool=tool,
        index_url=index_url,
        from_source=from_source,
        requirements=requirements or (),
        extras=extras or (),
        groups=groups or (),
        facts=None if facts is None else output.read_input(facts),
        facts_name=facts or "",
    )
    if filled is not None:
        sources = {**report.sheet.sources, **dict.fromkeys(filled.paths, this_machine.SOURCE)}
        report = replace(report, sheet=replace(report.sheet, sources=sources))
    output.emit(
        lambda name, how: _render(report, name, how, torch),
        style,
        format_=format_,
        outputs=outputs,
    )
    return report.exit_code


def plain(arguments: Sequence[str]) -> int | None:
    """Run `plan` with these arguments, if they are plain; `None`: they are not, nothing was done.

    Raises:
        UsageError: as `execute`.
    """
    chosen = read(arguments, flags=_FLAGS, values=_VALUES, lists=_LISTS)
    return None if chosen is None else execute(**chosen)


def _render(report: Report, format_: str, style: Style, torch: str | None) -> str:
    from gpudoctor.report import render

    if style.verbose < 2 or report.about != "plan":
        return render(report, format_, style)
    from gpudoctor.prescribe import considered
    from gpudoctor.report.plan import considered as section

    return render(report, format_, style, (section(considered(report.sheet, torch)),))

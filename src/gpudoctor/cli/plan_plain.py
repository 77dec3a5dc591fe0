"""What `gpudoctor plan` does; its plain form needs no typer (see `plain.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gpudoctor.cli import output
from gpudoctor.cli.plain import REPORT_FLAGS, read

if TYPE_CHECKING:  # loaded when the command runs
    from gpudoctor.model.report import Report
    from gpudoctor.prescribe import PlanRequest
    from gpudoctor.report.style import Style

_FLAGS = {**REPORT_FLAGS, "--from-source": ("from_source", True)}
_VALUES = ("--driver", "--os", "--arch", "--python", "--torch", "--channel", "--tool", "--color")


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
    requirements: str | None = None,
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
    from gpudoctor.errors import UsageError
    from gpudoctor.prescribe import PlanRequest

    style = output.style_for(color, quiet=quiet, verbose=verbose)
    output.check_format(format_)
    if not gpus:
        raise UsageError("plan needs a GPU: --gpu '5060 ti', --gpu sm_120 or --gpu 12.0")
    text = None if requirements is None else output.read_input(requirements)
    request = PlanRequest(
        gpus=tuple(gpus),
        driver=driver,
        os=os,
        arch=arch,
        python=python,
        torch=torch,
        channel=channel,
        tool=tool,
        index_url=index_url,
        from_source=from_source,
        requirements=text.decode("utf-8", "replace") if isinstance(text, bytes) else text,
        requirements_name=requirements or "requirements.txt",
    )
    report = _judged(request) if requirements is not None else _planned(request)
    output.emit(
        lambda name, how: _render(report, name, how, request),
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
    chosen = read(arguments, flags=_FLAGS, values=_VALUES, lists={"--gpu": "gpus"})
    return None if chosen is None else execute(**chosen)


def _planned(request: PlanRequest) -> Report:
    from gpudoctor import __version__
    from gpudoctor.kb import info
    from gpudoctor.model.report import Knowledge, Report
    from gpudoctor.prescribe import plan as plan_
    from gpudoctor.prescribe.plan import nothing_fits

    sheet, prescription = plan_(request)
    possible = prescription.status != "impossible"
    return Report(
        version=__version__,
        knowledge=Knowledge(version=info.version(), date=info.date()),
        verdict="healthy" if possible else "broken",
        exit_code=0 if possible else 1,
        sheet=sheet,
        findings=() if possible else (nothing_fits(prescription),),
        prescription=prescription,
    )


def _judged(request: PlanRequest) -> Report:
    from gpudoctor.examine.options import VisitOptions
    from gpudoctor.examine.visit import conclude
    from gpudoctor.prescribe import judge_requirements

    sheet, judgement, prescription = judge_requirements(request)
    return conclude(
        sheet,
        judgement.findings,
        VisitOptions(),
        not_judged=judgement.not_judged,
        prescription=prescription,
    )


def _render(report: Report, format_: str, style: Style, request: PlanRequest) -> str:
    if format_ != "text" or request.requirements is not None:
        from gpudoctor.report import render

        return render(report, format_, style)
    from gpudoctor.report.plan_text import render as render_plan

    considered = None
    if style.verbose > 1:
        from gpudoctor.prescribe import considered as considered_

        considered = considered_(report.sheet, request.torch)
    return render_plan(report, style, considered)

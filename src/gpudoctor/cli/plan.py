"""`gpudoctor plan`: what to install on a machine that is not at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gpudoctor.cli import common

if TYPE_CHECKING:  # loaded when the command runs
    from gpudoctor.model.report import Report
    from gpudoctor.prescribe import PlanRequest
    from gpudoctor.report.style import Style


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("plan")(plan)


def plan(
    gpu: Annotated[
        list[str] | None,
        typer.Option(
            "--gpu",
            metavar="NAME",
            help="A GPU as people write it ('5060 ti'), sm_120, or 12.0. Once for each card.",
        ),
    ] = None,
    driver: Annotated[
        str | None, typer.Option("--driver", metavar="VERSION", help="570.172.08, or 570.")
    ] = None,
    os: Annotated[
        str | None,
        typer.Option("--os", metavar="NAME", help="One of linux, windows, wsl, macos."),
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option("--arch", metavar="NAME", help="One of x86_64, aarch64, arm64."),
    ] = None,
    python: Annotated[
        str | None, typer.Option("--python", metavar="VERSION", help="3.12, or 3.13t.")
    ] = None,
    torch: Annotated[
        str | None,
        typer.Option("--torch", metavar="SPEC", help="A version or a specifier of torch."),
    ] = None,
    channel: Annotated[
        str, typer.Option("--channel", metavar="NAME", help="stable or nightly.")
    ] = "stable",
    tool: Annotated[
        str,
        typer.Option("--tool", metavar="NAME", help="One of pip, uv, conda, pixi, poetry."),
    ] = "auto",
    index_url: Annotated[
        str | None,
        typer.Option("--index-url", metavar="URL", help="A mirror of the wheel index's root."),
    ] = None,
    from_source: Annotated[
        bool, typer.Option("--from-source", help="Print how to build torch.")
    ] = False,
    requirements: Annotated[
        str | None,
        typer.Option(
            "--requirements", metavar="FILE", help="Judge what a requirements file installs."
        ),
    ] = None,
    format_: common.FormatOption = "text",
    json: common.JsonOption = False,
    output: common.OutputOption = None,
    quiet: common.QuietOption = False,
    verbose: common.VerboseOption = 0,
    color: common.ColorOption = "auto",
) -> int:
    """What to install on a machine that is not at hand."""
    from gpudoctor.errors import UsageError
    from gpudoctor.prescribe import PlanRequest

    style = common.style_for(color, quiet=quiet, verbose=verbose)
    common.check_format("json" if json else format_)
    if not gpu:
        raise UsageError("plan needs a GPU: --gpu '5060 ti', --gpu sm_120 or --gpu 12.0")
    text = None if requirements is None else common.read_input(requirements)
    request = PlanRequest(
        gpus=tuple(gpu),
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
    common.emit(
        lambda name, how: _render(report, name, how, request),
        style,
        format_=format_,
        json=json,
        outputs=output,
    )
    return report.exit_code


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

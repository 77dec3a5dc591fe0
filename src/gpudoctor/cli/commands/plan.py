"""`gpudoctor plan`: what to install on a machine that is not at hand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from gpudoctor.cli.command import CommandDefinition, CommandOption
from gpudoctor.cli.output import Output, read_input
from gpudoctor.errors import UsageError
from gpudoctor.model.lazy import later
from gpudoctor.model.value import replace
from gpudoctor.report import render

if TYPE_CHECKING:
    from gpudoctor import app
    from gpudoctor.cli import this_machine
    from gpudoctor.model.report import Report
    from gpudoctor.prescribe import plan as plans
    from gpudoctor.report import cell_table
    from gpudoctor.report.style import Style
    from gpudoctor.report.views import plan_view
else:  # loaded when the command runs
    app = later("gpudoctor.app")
    cell_table = later("gpudoctor.report.cell_table")
    plans = later("gpudoctor.prescribe.plan")
    plan_view = later("gpudoctor.report.views.plan_view")
    this_machine = later("gpudoctor.cli.this_machine")

_NO_GPU = "plan needs a GPU: --gpu '5060 ti', --gpu sm_120 or --gpu 12.0"
_MAC = "Apple silicon"


def execute(
    output: Output,
    *,
    gpu: Sequence[str],
    driver: str | None,
    os: str | None,
    arch: str | None,
    python: str | None,
    torch: str | None,
    channel: str,
    tool: str,
    index_url: str | None,
    from_source: bool,
    requirements: Sequence[str],
    extra: Sequence[str],
    group: Sequence[str],
    facts: str | None,
    policy: str | None,
) -> int:
    """Plan, or judge install files, put the report out, and give the exit code.

    Raises:
        UsageError: a GPU, a version, an option's value is not known, or a named file cannot be
            read.
    """
    if policy is not None and not requirements:
        raise UsageError("--policy judges install files: name them with --requirements")
    if not gpu and facts is None and not requirements:
        if os != "macos":
            raise UsageError(_NO_GPU)
        gpu = (_MAC,)  # there is one kind of GPU there

    settings = app.settings(policy) if requirements else None
    if settings is not None and not gpu and facts is None:
        if not settings.matrix:
            raise UsageError(f"{_NO_GPU}; or the machines in [tool.gpudoctor.matrix]")

        judged = app.plan_cells(
            requirements,
            settings,
            driver=driver,
            os=os,
            arch=arch,
            python=python,
            torch=torch,
            channel=channel,
            tool=tool,
            index_url=index_url,
            extras=extra,
            groups=group,
        )
        output.emit(partial(cell_table.render, judged))
        return cell_table.exit_code(judged)
    filled = None
    if facts is None:
        filled = this_machine.fill(gpu, os, arch, python)
        os, arch, python = filled.os, filled.arch, filled.python
    report = app.plan(
        gpus=gpu,
        driver=driver,
        os=os,
        arch=arch,
        python=python,
        torch=torch,
        channel=channel,
        tool=tool,
        index_url=index_url,
        from_source=from_source,
        requirements=requirements,
        extras=extra,
        groups=group,
        facts=None if facts is None else read_input(facts),
        facts_name=facts or "",
        policy=settings,
    )
    if filled is not None:
        sources = {**report.sheet.sources, **dict.fromkeys(filled.paths, this_machine.SOURCE)}
        report = replace(report, sheet=replace(report.sheet, sources=sources))
    output.emit(partial(_render, report, torch))
    return report.exit_code


def _render(report: Report, torch: str | None, format_: str, style: Style) -> str:
    if style.verbose < 2 or report.about != "plan":
        return render(report, format_, style)

    return render(
        report, format_, style, (plan_view.considered(plans.considered(report.sheet, torch)),)
    )


COMMAND = CommandDefinition(
    name="plan",
    help="What to install on a machine that is not at hand.",
    options=(
        CommandOption(
            "--gpu",
            "A GPU as people write it ('5060 ti'), sm_120, or 12.0. Once for each card.",
            "NAME",
            "many",
        ),
        CommandOption("--driver", "570.172.08, or 570.", "VERSION"),
        CommandOption("--os", "One of linux, windows, wsl, macos.", "NAME"),
        CommandOption("--arch", "One of x86_64, aarch64, arm64.", "NAME"),
        CommandOption("--python", "3.12, or 3.13t.", "VERSION"),
        CommandOption("--torch", "A version or a specifier of torch.", "SPEC"),
        CommandOption("--channel", "stable or nightly.", "NAME", default="stable"),
        CommandOption("--tool", "One of pip, uv, conda, pixi, poetry.", "NAME", default="auto"),
        CommandOption("--index-url", "A mirror of the wheel index's root.", "URL"),
        CommandOption("--from-source", "Print how to build torch.", kind="flag"),
        CommandOption(
            "--requirements",
            "Judge what a requirements file, manifest, lock or folder installs; repeatable.",
            "FILE",
            "many",
        ),
        CommandOption("--extra", "An extra of the project to install.", "NAME", "many"),
        CommandOption("--group", "A dependency group to install.", "NAME", "many"),
        CommandOption("--facts", "Judge for a machine that was saved.", "FILE"),
        CommandOption(
            "--policy",
            "What counts, and the machines where no --gpu names one; else the project's settings.",
            "FILE",
        ),
    ),
    run=execute,
)

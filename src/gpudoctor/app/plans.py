"""A machine that is not at hand: `plan`, and the cells of a matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from gpudoctor import __version__, results
from gpudoctor import arguments as given
from gpudoctor.app.machines import of_files, policy_of
from gpudoctor.app.sheets import Facts, saved_sheet
from gpudoctor.errors import UsageError
from gpudoctor.examine.options import VisitOptions
from gpudoctor.examine.settings.policy import Policy
from gpudoctor.kb import info
from gpudoctor.model import report as model_report
from gpudoctor.model.lazy import later
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import replace
from gpudoctor.prescribe import PlanRequest, prescribe
from gpudoctor.prescribe.plan import nothing_fits, options_of, sheet_of, stated_over
from gpudoctor.prescribe.plan import plan as make

if TYPE_CHECKING:  # loaded by the one function that gives it
    from gpudoctor.examine import cells, preflight
    from gpudoctor.examine.cells import JudgedCell
    from gpudoctor.prescribe import Options, PlanRequest
else:  # loaded when they are needed
    cells = later("gpudoctor.examine.cells")
    preflight = later("gpudoctor.examine.preflight")


def plan(
    *,
    gpus: Sequence[str] = (),
    driver: str | int | None = None,
    os: str | None = None,
    arch: str | None = None,
    python: str | None = None,
    torch: str | None = None,
    channel: str = "stable",
    tool: str = "auto",
    index_url: str | None = None,
    from_source: bool = False,
    requirements: Sequence[str] = (),
    extras: Sequence[str] = (),
    groups: Sequence[str] = (),
    facts: Facts | None = None,
    facts_name: str = "",
    policy: str | PathLike[str] | Mapping[str, Any] | Policy | None = None,
) -> results.Report:
    """What to install on a machine that is not at hand; with `requirements`, whether they do.

    What is not said is not known: unlike the command, this takes nothing from this machine.

    Args:
        gpus: as people write them: `"5060 ti"`, `"sm_120"`, `"12.0"`; once for each card.
        driver: `"570.172.08"`, or `"570"` for the newest of that branch.
        os: `linux`, `windows`, `wsl` or `macos`.
        arch: `x86_64`, `aarch64` or `arm64`.
        python: `"3.12"`, `"3.13t"`.
        torch: a version or a specifier.
        channel: `stable` or `nightly`.
        tool: whose commands: `auto`, `pip`, `uv`, `conda`, `pixi` or `poetry`.
        index_url: a mirror of the wheel index's root.
        from_source: how to build torch.
        requirements: requirements files, manifests, locks or folders to judge.
        extras: the extras that they install.
        groups: the dependency groups that they install.
        facts: the machine, saved; what else is said is put over it.
        facts_name: how a message calls it.
        policy: a policy file, or what one says: how the findings about the files are weighed.

    Raises:
        UsageError: an argument is wrong, or a file cannot be read.
    """
    request = PlanRequest(
        gpus=given.texts("gpus", gpus),
        driver=given.version("driver", driver, "570.172.08"),
        os=given.text("os", os),
        arch=given.text("arch", arch),
        python=given.version("python", python, "3.12"),
        torch=given.text("torch", torch),
        channel=given.text("channel", channel) or "stable",
        tool=given.text("tool", tool) or "auto",
        index_url=given.text("index_url", index_url),
        from_source=given.flag("from_source", from_source),
    )
    files = given.texts("requirements", requirements)
    if not request.gpus and facts is None:
        raise UsageError("plan needs a GPU ('5060 ti', 'sm_120', '12.0'), or a saved machine")
    sheet = _stated(request, facts, facts_name)
    if not files:
        return results.report(_planned(request, sheet, saved=facts is not None))

    judged = preflight.preflight(
        sheet,
        files,
        options_of(request),
        tool=request.tool,
        extras=given.texts("extras", extras),
        groups=given.texts("groups", groups),
        visit=None if policy is None else VisitOptions(policy=of_files(policy_of(policy))),
    )
    return results.report(judged)


def plan_cells(
    requirements: Sequence[str],
    policy: Policy,
    *,
    driver: str | None = None,
    os: str | None = None,
    arch: str | None = None,
    python: str | None = None,
    torch: str | None = None,
    channel: str = "stable",
    tool: str = "auto",
    index_url: str | None = None,
    extras: Sequence[str] = (),
    groups: Sequence[str] = (),
) -> tuple[JudgedCell, ...]:
    """Install files judged for every machine of a project's matrix.

    Raises:
        UsageError: an argument or the matrix is wrong, or a file cannot be read.
    """
    stated = {"driver": driver, "os": os, "arch": arch, "python": python}
    request = PlanRequest(torch=torch, channel=channel, tool=tool, index_url=index_url)
    return cells.judge_cells(
        cells.cells_of(policy.matrix, stated),
        requirements,
        request,
        VisitOptions(policy=of_files(policy)),
        extras=extras,
        groups=groups,
    )


def _stated(request: PlanRequest, facts: Facts | None, name: str) -> FactSheet:
    """The machine of a request, or a saved one with what the request says put over it."""
    if facts is None:
        return sheet_of(request)
    return stated_over(saved_sheet(facts, name), request)


def _planned(request: PlanRequest, sheet: FactSheet, *, saved: bool) -> model_report.Report:
    if saved:
        options: Options = replace(options_of(request), choose=True)
        prescription = prescribe(sheet, (), options)
    else:
        sheet, prescription = make(request)
    possible = prescription.status != "impossible"
    return model_report.Report(
        version=__version__,
        knowledge=model_report.Knowledge(version=info.version(), date=info.date()),
        verdict="healthy" if possible else "broken",
        exit_code=0 if possible else 1,
        sheet=sheet,
        findings=() if possible else (nothing_fits(prescription),),
        prescription=prescription,
        about="plan",
    )

"""The report on what install files bring to a machine, without installing anything."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.examine.options import VisitOptions
from gpudoctor.examine.visit import conclude
from gpudoctor.manifests import judge
from gpudoctor.manifests.source import Source
from gpudoctor.model.report import Report
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import replace
from gpudoctor.prescribe import Options, prescribe


def preflight(
    sheet: FactSheet,
    paths: Sequence[str | Source],
    options: Options,
    *,
    tool: str | None = None,
    extras: Sequence[str] = (),
    groups: Sequence[str] = (),
    visit: VisitOptions | None = None,
) -> Report:
    """Judge what files install on the machine of a sheet.

    Raises:
        UsageError: a file cannot be read, or is not of its format.
    """
    judged = judge(sheet, paths, tool=tool, extras=extras, groups=groups)
    prescription = prescribe(judged.sheet, judged.findings, options)
    report = conclude(
        judged.sheet,
        judged.findings,
        visit or VisitOptions(),
        not_judged=judged.not_judged,
        prescription=prescription,
    )
    return replace(report, notes=(*judged.notes, *report.notes))

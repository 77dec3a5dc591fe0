"""What `gpudoctor.fix` gives: the report after it, what changed, what is left to do by hand."""

from __future__ import annotations

from typing import Any

from gpudoctor import results
from gpudoctor.fix.ours import split
from gpudoctor.fix.procedure import Done
from gpudoctor.model import report as model_report
from gpudoctor.model.step import Step
from gpudoctor.model.value import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """How a fix ended, or what it would do."""

    report: results.Report
    changes: tuple[str, ...] = ()
    """What was installed, removed and changed, a sentence each."""
    remaining: tuple[Step, ...] = ()
    """What is left to do by hand."""

    @property
    def exit_code(self) -> int:
        """The command's: 0 cured or nothing to do, 1 if not, 3 if it could not be judged."""
        return self.report.exit_code

    def to_dict(self) -> dict[str, Any]:
        """What `fix --json` prints."""
        return self.report.to_dict()

    def __str__(self) -> str:
        return self.report.text()


def without_change(report: model_report.Report) -> int | None:
    """The exit code where nothing is changed; `None` where there is something to carry out."""
    prescription = report.prescription
    if prescription is None:
        return 3
    if prescription.status == "not-needed":
        return 3 if report.exit_code == 3 else 0
    return None if split(prescription.steps)[0] and prescription.status == "resolved" else 1


def looked(report: model_report.Report, code: int | None = None) -> Fixed:
    """What would be done; printing what was asked for is no failure, except if nothing cures."""
    found = without_change(report)
    prescription = report.prescription
    steps = prescription.steps if prescription else ()
    if code is None:
        possible = prescription is not None and prescription.status == "resolved"
        code = 0 if possible or found is None else found
    return Fixed(report=results.report(replace(report, exit_code=code)), remaining=steps)


def done(given: Done) -> Fixed:
    """The result of a fix that was carried out."""
    code = 1 if given.report.verdict == "broken" else 0
    return Fixed(
        report=results.report(replace(given.report, exit_code=code)),
        changes=(*map(str, given.changes), *given.outside),
        remaining=given.remaining,
    )

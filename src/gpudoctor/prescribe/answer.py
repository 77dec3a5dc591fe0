"""From facts and findings to one prescription, proved by the rules before it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpudoctor.kb.findings import catalogue
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.lazy import later
from gpudoctor.model.prescription import Prescription, Step
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.sentence import said
from gpudoctor.model.terms.version import split_label
from gpudoctor.prescribe.answers.elsewhere import gpus_elsewhere
from gpudoctor.prescribe.answers.errors_to_cure import curable_elsewhere, errors_of
from gpudoctor.prescribe.answers.helpless import helpless
from gpudoctor.prescribe.answers.remedies import MASKED, leftover_notes, remedies, unmasked
from gpudoctor.prescribe.options.nightly import failed_nightly
from gpudoctor.prescribe.request.request import Options, specifier_of

if TYPE_CHECKING:
    from gpudoctor.prescribe.answers import cure, first_driver, warnings_only
    from gpudoctor.prescribe.build import candidates, prediction
    from gpudoctor.prescribe.options import question as questions
else:  # the solver, the ways out and their commands: only where a remedy does not do
    candidates = later("gpudoctor.prescribe.build.candidates")
    cure = later("gpudoctor.prescribe.answers.cure")
    first_driver = later("gpudoctor.prescribe.answers.first_driver")
    prediction = later("gpudoctor.prescribe.build.prediction")
    questions = later("gpudoctor.prescribe.options.question")
    warnings_only = later("gpudoctor.prescribe.answers.warnings_only")


def prescribe(
    sheet: FactSheet, findings: tuple[Finding, ...], options: Options | None = None
) -> Prescription:
    """The answer to the findings as a whole.

    Every way out is first tried on the facts that it would lead to, by the same rules that
    made the findings; what would still be broken is not prescribed.
    """
    options = options or Options()
    errors = tuple(f for f in findings if f.severity is Severity.ERROR)
    asked = _asked(sheet, options)
    if not errors and not asked:
        return warnings_only.beside(sheet, findings, options)
    names = frozenset(finding.name for finding in errors)
    tolerated = curable_elsewhere(errors)
    start, before = _start(sheet, errors)
    rest = tuple(f for f in errors if f.name in tolerated and f.name not in MASKED)
    first = (*before, *remedies(rest, sheet, names))
    if not asked and (elsewhere := gpus_elsewhere(sheet, errors, first)) is not None:
        return elsewhere
    needed = names - tolerated or (start is not sheet and errors_of(start) - tolerated)
    if not needed and not asked and not failed_nightly(start, findings, names):
        if not first:
            return helpless(sheet, errors)
        return Prescription(
            status="resolved",
            why=_torch_stays(errors),
            steps=first,
            notes=leftover_notes(findings, first),
        )
    question = questions.Question(start, findings, options, names)
    return cure.cure(question, tolerated, sheet, (before, rest), asked=asked)


def _torch_stays(errors: tuple[Finding, ...]) -> str:
    inside = any(catalogue.area(finding.code) in ("environment", "libraries") for finding in errors)
    where = "beside torch" if inside else "outside of the Python environment"
    return said("torch-stays", f"The cause lies {where}; torch stays as it is.")


def _start(sheet: FactSheet, errors: tuple[Finding, ...]) -> tuple[FactSheet, tuple[Step, ...]]:
    """The sheet that ways begin from: GPUs unmasked and a driver there, with the steps to it."""
    steps: tuple[Step, ...] = ()
    masked = tuple(f for f in errors if f.name in MASKED)
    if masked:
        steps += remedies(masked, sheet)
        sheet = unmasked(sheet)
    if any(f.name == "driver-not-loaded" for f in errors) and sheet.facts.driver is None:
        plan = first_driver.first_driver(sheet)
        if plan is not None:
            sheet = prediction.with_driver(sheet, plan)
    return sheet, steps


def _asked(sheet: FactSheet, options: Options) -> bool:
    """Whether the options ask for a torch that is not the installed one."""
    torch = sheet.facts.torch
    if options.from_source or options.choose:
        return True
    version = torch.version if torch else None
    if options.channel == "nightly" and "dev" not in (version or ""):
        return True
    if options.torch_spec is None:
        return False
    if version is None:
        return True
    bare, label = split_label(version)
    return not candidates.satisfies(bare, label or None, specifier_of(options.torch_spec))

"""One visit: facts → rules → findings → prescription → report."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from gpudoctor import __version__, rules
from gpudoctor.collect import collect
from gpudoctor.examine import verdict as judge_verdict
from gpudoctor.examine.options import STATIC_SECONDS, SmokeLevel, VisitOptions
from gpudoctor.kb import info
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.lazy import later
from gpudoctor.model.prescription import Prescription
from gpudoctor.model.report import Knowledge, Report, Smoke
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import replace
from gpudoctor.prescribe import Options, prescribe

if TYPE_CHECKING:
    from gpudoctor.examine import project_lock, settle
    from gpudoctor.prescribe.answers import missing as missing_facts
    from gpudoctor.smoke import suite
else:  # for a locked environment; where kernels run; where nothing cures
    project_lock = later("gpudoctor.examine.project_lock")
    settle = later("gpudoctor.examine.settle")
    missing_facts = later("gpudoctor.prescribe.answers.missing")
    suite = later("gpudoctor.smoke.suite")


def visit(options: VisitOptions) -> Report:
    """Examine this machine and the chosen environment."""
    started = time.monotonic()

    limit = options.timeout_seconds or STATIC_SECONDS
    sheet = collect(options.python, limit, os.getcwd(), os.environ)
    collected = time.monotonic()
    report = judge(sheet, options, deadline=_deadline(started, options))
    timings: dict[str, float] = {
        **sheet.timings_ms,
        "collect": (collected - started) * 1e3,
        "judge": (time.monotonic() - collected) * 1e3,
    }
    return _with_timings(report, timings)


def judge(
    sheet: FactSheet, options: VisitOptions, *, deadline: float | None = None, saved: bool = False
) -> Report:
    """The report on a fact sheet; of a saved machine nothing is proved by running kernels."""
    judgement = rules.judge(sheet)
    findings = judgement.findings
    if not saved and sheet.facts.python is not None and sheet.facts.python.lock_file is not None:
        findings = (*findings, *project_lock.differs(sheet))
    smoke: Smoke | None = None
    unproved: tuple[Unknown, ...] = ()
    level = "off" if saved else _smoke_level(sheet, findings, options)
    if level != "off":
        proof = suite.prove(
            sheet, level, deadline, progress=options.progress, refresh=lambda: _again(options)
        )
        smoke, findings = proof.smoke, settle.settle(findings, proof.findings, proof.smoke)
        unproved = proof.cut_short
    return conclude(
        sheet,
        findings,
        options,
        not_judged=judgement.not_judged,
        smoke=smoke,
        unproved=unproved,
    )


def conclude(
    sheet: FactSheet,
    findings: tuple[Finding, ...],
    options: VisitOptions,
    *,
    not_judged: tuple[Unknown, ...] = (),
    smoke: Smoke | None = None,
    prescription: Prescription | None = None,
    unproved: tuple[Unknown, ...] = (),
) -> Report:
    """Weigh the findings by the policy, prescribe, and put the report together.

    `unproved`: what kept the kernels from saying anything, which leaves the verdict open.
    """
    policy = options.policy
    unmet: tuple[Finding, ...] = ()
    unjudged: tuple[Unknown, ...] = ()
    if policy.require is not None:
        unmet, unjudged = policy.require.judge(sheet)
    errors = [n for n, item in enumerate(findings, 1) if item.severity is Severity.ERROR]
    place = max(errors, default=0)  # a cause comes first, and what follows from it right behind
    kept, suppressed = policy.weigh((*findings[:place], *unmet, *findings[place:]))
    missing = judge_verdict.missing_essentials(sheet)
    if smoke is not None and smoke.gpus and all(d.status == "passed" for d in smoke.gpus):
        missing = ()
    missing += unjudged + unproved
    notes: tuple[str, ...] = ()
    if prescription is None:
        curable = tuple(item for item in kept if item not in unmet)
        prescription, notes = _prescribe(sheet, curable, missing, options)
    return Report(
        version=__version__,
        knowledge=Knowledge(version=info.version(), date=info.date()),
        verdict=judge_verdict.verdict(kept, missing),
        exit_code=judge_verdict.exit_code(kept, missing, options.policy.fail_on),
        sheet=sheet,
        findings=kept,
        suppressed=suppressed,
        not_judged=(*unproved, *unjudged, *not_judged),
        prescription=prescription,
        smoke=smoke,
        notes=(*notes, *policy.remarks(kept)),
    )


def _again(options: VisitOptions) -> FactSheet:
    """The machine as it is after a test failed: who holds the GPU, how much memory is free."""
    return collect(options.python, STATIC_SECONDS, os.getcwd(), os.environ)


def may_start(sheet: FactSheet) -> bool:
    """Whether the patient's interpreter may be started."""
    python = sheet.facts.python
    return python is not None and python.may_start


def _smoke_level(
    sheet: FactSheet, findings: tuple[Finding, ...], options: VisitOptions
) -> SmokeLevel:
    wanted = options.smoke or options.policy.smoke
    usable = judge_verdict.addressed_gpus(sheet)
    if wanted == "off" or not may_start(sheet) or not usable:
        return "off"
    if wanted is not None:
        return wanted
    # What is broken by the facts need not be shown to break; who wants to see it says --smoke.
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    broken = {index for finding in errors for index in finding.gpus or usable}
    return "quick" if set(usable) - broken else "off"


def _prescribe(
    sheet: FactSheet,
    findings: tuple[Finding, ...],
    missing: tuple[Unknown, ...],
    options: VisitOptions,
) -> tuple[Prescription | None, tuple[str, ...]]:
    """The prescription, and a note in its place where a fact that it needs is unknown."""
    wish = options.prescribe
    troubled = any(finding.severity is not Severity.INFO for finding in findings)
    if not troubled and (wish is None or wish.torch_spec is None):
        why = "Nothing needs to be changed."
        if missing:
            entry = missing[0]
            why = f"No change is known to be needed: {entry.fact} is unknown ({entry.reason})."
        return Prescription(status="not-needed", why=why), ()

    found = prescribe(sheet, findings, wish or Options())
    # Impossible is what nothing cures; what cannot be worked out may well be curable.
    unsolved = found.status == "impossible" and not found.steps
    if unsolved and missing_facts.missing_fact(sheet) is not None:
        return None, (found.why,)
    return found, ()


def _deadline(started: float, options: VisitOptions) -> float | None:
    return None if options.timeout_seconds is None else started + options.timeout_seconds


def _with_timings(report: Report, timings: Mapping[str, float]) -> Report:
    return replace(report, timings_ms=timings)

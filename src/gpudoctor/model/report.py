"""The report of one visit, which every format renders."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.prescription import Prescription
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.step import Step
from gpudoctor.model.value import dataclass, field

Verdict = Literal["healthy", "warning", "broken", "unknown"]
GRAVITY: tuple[Verdict, ...] = ("broken", "unknown", "warning", "healthy")
"""The verdicts, gravest first."""


def gravest(verdicts: Collection[Verdict]) -> Verdict:
    """The gravest of some verdicts, of which there must be one."""
    return next(verdict for verdict in GRAVITY if verdict in verdicts)


TestStatus = Literal["passed", "failed", "crashed", "hung", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeTest:
    """One kernel test on one device."""

    name: str
    dtype: str | None = None
    status: TestStatus = "passed"
    relative_error: float | None = None
    tolerance: float | None = None
    seconds: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeDevice:
    """All tests on one device; `index` is `None` for the CPU."""

    index: int | None
    status: TestStatus
    signal: str | None = None
    tests: tuple[SmokeTest, ...] = ()
    rates: Mapping[str, float] = field(default_factory=dict)
    """Measured rates by name with the unit in it: `device_to_device_gb_per_s`."""
    output_tail: tuple[str, ...] = ()
    """Last lines that torch or a driver printed, where they matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoke:
    """What the kernels said."""

    level: Literal["quick", "full"]
    gpus: tuple[SmokeDevice, ...] = ()
    advice: tuple[Mapping[str, str], ...] = ()
    """What each GPU is good for and the training advice that follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """Version and date of the knowledge base that judged."""

    version: str
    date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    """A finding that `--ignore`, `--select` or a policy took out of the verdict."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One visit: facts, findings (root cause first), prescription, proof."""

    version: str
    knowledge: Knowledge
    verdict: Verdict
    exit_code: int
    sheet: FactSheet
    findings: tuple[Finding, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    not_judged: tuple[Unknown, ...] = ()
    """Rules that could not run for want of a fact: the rule's name, and why."""
    prescription: Prescription | None = None
    smoke: Smoke | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    about: Literal["machine", "text", "plan"] = "machine"
    """`text`: the facts come from a log or a traceback, whose process may still run; `plan`: they
    are stated, and the prescription is what was asked for."""
    fix: Step | None = None
    """The call of `gpudoctor fix` that carries the prescription out, where it may."""


def worst(findings: tuple[Finding, ...]) -> Severity | None:
    """The gravest severity among the findings; `None` without any."""
    return min((finding.severity for finding in findings), key=lambda s: s.rank, default=None)

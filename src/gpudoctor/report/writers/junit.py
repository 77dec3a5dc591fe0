"""The report as JUnit XML: a suite for each layer, a case for each rule that judged it."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

from gpudoctor.kb.findings import catalogue
from gpudoctor.model.finding import Severity
from gpudoctor.model.report import Report, SmokeTest
from gpudoctor.model.value import dataclass
from gpudoctor.report.blocks import Document, Section
from gpudoctor.report.inert import inert
from gpudoctor.report.layer_rows import layer_of
from gpudoctor.report.plain_section import plain
from gpudoctor.report.style import Style
from gpudoctor.rules.engine.all_rules import rules

# XML 1.0 has no place for these at all, not even escaped (https://www.w3.org/TR/xml/#charsets).
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class _Case:
    """One test case: `element` is what stands inside it, `outcome` what it counts as."""

    suite: str
    name: str
    element: str = ""
    outcome: str = "passed"
    seconds: float = 0.0


def write(document: Document, style: Style) -> str:  # noqa: ARG001 - every format takes a style
    """The document as test suites; only errors are failures."""
    report = document.report
    cases = [_found(section) for section in document.sections if section.finding is not None]
    cases += _not_judged(report)
    cases += _passed(report, {case.name for case in cases})
    for device in report.smoke.gpus if report.smoke else ():
        place = "cpu" if device.index is None else f"gpu{device.index}"
        cases += [_smoke(test, f"smoke.{place}") for test in device.tests]
    suites: dict[str, list[_Case]] = {}
    for case in cases or [_Case("check", "check")]:
        suites.setdefault(case.suite, []).append(case)
    said = [document.headline, *(plain(s) for s in document.sections if s.finding is None)]
    out = f"  <system-out>{_text(chr(10).join(said))}</system-out>\n"
    parts = [
        _suite(name, found, out if number == 0 else "")
        for number, (name, found) in enumerate(suites.items())
    ]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="gpudoctor" {_counts(cases)}>\n{"".join(parts)}</testsuites>\n'
    )


def _suite(name: str, cases: list[_Case], out: str) -> str:
    inside = "".join(
        f"  <testcase classname={_attribute(f'gpudoctor.{name}')} name={_attribute(case.name)}"
        f' time="{case.seconds:.3f}"'
        + (f">{case.element}</testcase>\n" if case.element else "/>\n")
        for case in cases
    )
    return f" <testsuite name={_attribute(name)} {_counts(cases)}>\n{inside}{out} </testsuite>\n"


def _counts(cases: list[_Case]) -> str:
    failures = sum(case.outcome == "failed" for case in cases)
    skipped = sum(case.outcome == "skipped" for case in cases)
    seconds = sum(case.seconds for case in cases)
    return (
        f'tests="{max(len(cases), 1)}" failures="{failures}" errors="0" skipped="{skipped}" '
        f'time="{seconds:.3f}"'
    )


def _found(section: Section) -> _Case:
    finding = section.finding
    assert finding is not None  # noqa: S101 - its caller gives sections of findings
    suite = layer_of(finding.code).lower()
    body = _text(plain(section))
    if finding.severity is Severity.ERROR:
        failure = f"<failure message={_attribute(finding.title)}>{body}</failure>"
        return _Case(suite, finding.name, failure, "failed")
    return _Case(suite, finding.name, f"<system-out>{body}</system-out>")


def _not_judged(report: Report) -> list[_Case]:
    return [
        _Case(
            _suite_of(entry.fact),
            entry.fact,
            f"<skipped message={_attribute(entry.reason)}/>",
            "skipped",
        )
        for entry in report.not_judged
    ]


def _passed(report: Report, others: set[str]) -> list[_Case]:
    """The rules that judged the machine and found nothing; a text or a plan is not judged so."""
    if report.about != "machine":
        return []

    left_out = others | {entry.finding.name for entry in report.suppressed}
    return [_Case(_suite_of(r.name), r.name) for r in rules() if r.name not in left_out]


def _suite_of(name: str) -> str:
    entry = catalogue.find(name)
    return "check" if entry is None else layer_of(entry.code).lower()


def _smoke(test: SmokeTest, suite: str) -> _Case:
    name = f"{test.name} {test.dtype}" if test.dtype else test.name
    seconds = test.seconds or 0.0
    if test.status == "passed":
        return _Case(suite, name, seconds=seconds)
    message = _attribute(test.error or test.status)
    if test.status == "skipped":
        return _Case(suite, name, f"<skipped message={message}/>", "skipped", seconds)
    return _Case(suite, name, f"<failure message={message}/>", "failed", seconds)


def _text(text: str) -> str:
    return escape(_FORBIDDEN.sub("?", inert(text, one_line=False)))


def _attribute(text: str) -> str:
    return quoteattr(_FORBIDDEN.sub("?", inert(text)))

"""The report as JUnit XML: a test case for each layer and each finding."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.report import Report, SmokeTest
from gpudoctor.report.inert import inert
from gpudoctor.report.style import Style

# XML 1.0 has no place for these at all, not even escaped (https://www.w3.org/TR/xml/#charsets).
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def render(report: Report, style: Style) -> str:  # noqa: ARG001 - every format takes a style
    """The report as one test suite; only errors are failures."""
    cases = [_case(finding) for finding in report.findings]
    failures = sum(finding.severity is Severity.ERROR for finding in report.findings)
    skipped = len(report.not_judged)
    cases += [
        f"  <testcase classname={_attribute('gpudoctor.rules')} name={_attribute(entry.fact)}>"
        f"<skipped message={_attribute(entry.reason)}/></testcase>\n"
        for entry in report.not_judged
    ]
    for device in report.smoke.gpus if report.smoke else ():
        place = "cpu" if device.index is None else f"gpu{device.index}"
        cases += [_smoke(test, place) for test in device.tests]
        failures += sum(t.status not in ("passed", "skipped") for t in device.tests)
        skipped += sum(t.status == "skipped" for t in device.tests)
    if not cases:
        cases = [f"  <testcase classname={_attribute('gpudoctor')} name={_attribute('check')}/>\n"]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuite name="gpudoctor" tests="{len(cases)}" failures="{failures}" '
        f'errors="0" skipped="{skipped}">\n{"".join(cases)}</testsuite>\n'
    )


def _case(finding: Finding) -> str:
    head = f"  <testcase classname={_attribute('gpudoctor.' + finding.code)} "
    head += f"name={_attribute(finding.name)}>"
    body = "\n".join(
        [finding.title, finding.detail, *(f"{e.fact} = {e.value}" for e in finding.evidence)]
    )
    if finding.severity is Severity.ERROR:
        failure = f"<failure message={_attribute(finding.title)}>{_text(body)}</failure>"
        return f"{head}{failure}</testcase>\n"
    return f"{head}<system-out>{_text(body)}</system-out></testcase>\n"


def _smoke(test: SmokeTest, place: str) -> str:
    name = f"{test.name} {test.dtype}" if test.dtype else test.name
    head = f"  <testcase classname={_attribute(f'gpudoctor.smoke.{place}')} name={_attribute(name)}"
    head += f' time="{test.seconds or 0:.3f}"'
    if test.status == "passed":
        return f"{head}/>\n"
    message = test.error or test.status
    element = "skipped" if test.status == "skipped" else "failure"
    return f"{head}><{element} message={_attribute(message)}/></testcase>\n"


def _text(text: str) -> str:
    return escape(_FORBIDDEN.sub("?", inert(text, one_line=False)))


def _attribute(text: str) -> str:
    return quoteattr(_FORBIDDEN.sub("?", inert(text)))

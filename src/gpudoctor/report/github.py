"""The report as GitHub Actions annotations: a line for each finding.

Format: docs.github.com, "Workflow commands for GitHub Actions", setting a notice, warning or
error message; there `%`, carriage return and line feed are escaped in data, and `:` and `,` in
properties too.
"""

from __future__ import annotations

from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.report import Report
from gpudoctor.report.headline import headline
from gpudoctor.report.inert import inert
from gpudoctor.report.style import Style

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(report: Report, style: Style) -> str:  # noqa: ARG001 - every format takes a style
    """One workflow command a finding, then the verdict as a notice."""
    lines = [_annotation(finding) for finding in report.findings]
    prescription = report.prescription
    if prescription is not None and prescription.status == "resolved":
        for step in prescription.steps:
            what = "\n".join(part for part in (step.text, step.posix) if part)
            lines.append(f"::notice title=gpudoctor prescribes::{_data(what)}")
    lines.append(f"::notice title=gpudoctor::{_data(headline(report))}")
    return "\n".join(lines) + "\n"


def _annotation(finding: Finding) -> str:
    proof = "; ".join(f"{item.fact} = {item.value}" for item in finding.evidence)
    text = "\n".join(part for part in (finding.title, finding.detail, proof) if part)
    title = _property(f"{finding.code} {finding.name}")
    return f"::{_LEVEL[finding.severity]} title={title}::{_data(text)}"


def _data(text: str) -> str:
    clean = inert(text, one_line=False)
    return clean.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

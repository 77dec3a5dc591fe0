"""The report as Markdown, for an issue or a merge request."""

from __future__ import annotations

import re

from gpudoctor.model.finding import Finding
from gpudoctor.model.prescription import Prescription, Step
from gpudoctor.model.report import Report
from gpudoctor.report.headline import headline
from gpudoctor.report.inert import inert
from gpudoctor.report.layers import layers
from gpudoctor.report.style import Style

# An underscore between letters or digits is no markup (CommonMark, "Emphasis"): sm_120 stays.
_SPECIAL = re.compile(r"([\\`*{}\[\]<>#|!~@&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_MARKS = {"good": "✅", "warning": "⚠️", "bad": "❌", "unknown": "❔", "none": "➖"}


def render(report: Report, style: Style) -> str:  # noqa: ARG001 - every format takes a style
    """The report as one Markdown document."""
    lines = [
        f"## gpudoctor: {escape(headline(report))}",
        "",
        "| | layer | found |",
        "|---|---|---|",
    ]
    lines += [
        f"| {_MARKS[row.mark]} | {escape(row.name)} | {escape(row.text)} |"
        for row in layers(report)
    ]
    for finding in report.findings:
        lines += ["", *_finding(finding)]
    if report.prescription is not None and report.prescription.status != "not-needed":
        lines += ["", *_prescription(report.prescription)]
    lines += ["", f"gpudoctor {report.version}, knowledge of {report.knowledge.date}."]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Text in which nothing is markup, a link, a mention or HTML."""
    return _SPECIAL.sub(r"\\\1", inert(text))


def fenced(text: str) -> list[str]:
    """A code block whose fence is longer than any run of backticks in `text`."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}sh", inert(text, one_line=False), fence]


def _finding(finding: Finding) -> list[str]:
    lines = [f"### {finding.severity.value} {finding.code}: {escape(finding.title)}"]
    if finding.detail:
        lines += ["", escape(finding.detail)]
    if finding.evidence:
        lines.append("")
        lines += [
            f"- {escape(item.fact)} = {escape(item.value)}"
            + (f" ({escape(item.source)})" if item.source else "")
            for item in finding.evidence
        ]
    for step in finding.remedies:
        lines += _step(step)
    return lines


def _prescription(prescription: Prescription) -> list[str]:
    title = "What to type" if prescription.status == "resolved" else "No way out was found"
    lines = [f"### {title}", "", escape(prescription.why)]
    for step in prescription.steps:
        lines += _step(step)
    for alternative in prescription.alternatives:
        lines += ["", f"Or: {escape(alternative.why)}"]
        for step in alternative.steps:
            lines += _step(step)
    for note in prescription.notes:
        lines += ["", f"Note: {escape(note)}"]
    return lines


def _step(step: Step) -> list[str]:
    lines = ["", escape(step.text)] if step.text else []
    if step.posix:
        lines += ["", *fenced(step.posix)]
    return lines

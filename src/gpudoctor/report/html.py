"""The report as one self-contained HTML page: no script, nothing fetched."""

from __future__ import annotations

from html import escape as escape_html

from gpudoctor.model.finding import Finding
from gpudoctor.model.prescription import Prescription, Step
from gpudoctor.model.report import Report
from gpudoctor.report.headline import headline
from gpudoctor.report.inert import inert
from gpudoctor.report.layers import layers
from gpudoctor.report.style import Style

_SYMBOLS = {"good": "✓", "warning": "!", "bad": "✗", "unknown": "?", "none": "–"}
_CSS = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}td{padding:.2rem .6rem;vertical-align:top}
pre{background:#8882;padding:.7rem;overflow-x:auto;user-select:all}
.good,.healthy{color:#1a7f37}.warning{color:#9a6700}.bad,.broken,.error{color:#cf222e}
.unknown{color:#8250df}.none,.info,small{color:#777}
:root{color-scheme:light dark}
"""


def render(report: Report, style: Style) -> str:  # noqa: ARG001 - every format takes a style
    """The report as one HTML document."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>gpudoctor</title><style>{_CSS}</style></head><body>\n"
        f"{fragment(report)}</body></html>\n"
    )


def fragment(report: Report) -> str:
    """The report's inside, for a page or a notebook that has its own head."""
    parts = [f'<h1 class="{report.verdict}">{_text(headline(report))}</h1>\n<table>\n']
    parts += [
        f'<tr><td class="{row.mark}">{_SYMBOLS[row.mark]}</td><td>{_text(row.name)}</td>'
        f"<td>{_text(row.text)}</td></tr>\n"
        for row in layers(report)
    ]
    parts.append("</table>\n")
    parts += [_finding(finding) for finding in report.findings]
    if report.prescription is not None and report.prescription.status != "not-needed":
        parts.append(_prescription(report.prescription))
    parts.append(
        f"<p><small>gpudoctor {_text(report.version)}, "
        f"knowledge of {_text(report.knowledge.date)}</small></p>\n"
    )
    return "".join(parts)


def _text(text: str) -> str:
    return escape_html(inert(text))


def _finding(finding: Finding) -> str:
    evidence = "".join(
        f"<li><code>{_text(item.fact)}</code> = {_text(item.value)} "
        f"<small>{_text(item.source)}</small></li>"
        for item in finding.evidence
    )
    return (
        f'<h2 class="{finding.severity.value}">{finding.code} {_text(finding.title)}</h2>\n'
        f"<p>{_text(finding.detail)}</p>\n"
        + (f"<ul>{evidence}</ul>\n" if evidence else "")
        + "".join(_step(step) for step in finding.remedies)
    )


def _prescription(prescription: Prescription) -> str:
    title = "What to type" if prescription.status == "resolved" else "No way out was found"
    parts = [f"<h2>{title}</h2>\n<p>{_text(prescription.why)}</p>\n"]
    parts += [_step(step) for step in prescription.steps]
    for alternative in prescription.alternatives:
        parts.append(f"<p>Or: {_text(alternative.why)}</p>\n")
        parts += [_step(step) for step in alternative.steps]
    parts += [f"<p>Note: {_text(note)}</p>\n" for note in prescription.notes]
    return "".join(parts)


def _step(step: Step) -> str:
    text = f"<p>{_text(step.text)}</p>\n" if step.text else ""
    return text + (_command(step.posix) if step.posix else "")


def _command(text: str) -> str:
    return f"<pre>{escape_html(inert(text, one_line=False))}</pre>\n"

"""Many environments of one machine as one table: torch, build and verdict of each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from gpudoctor import __version__
from gpudoctor.kb import info
from gpudoctor.model.finding import Severity
from gpudoctor.model.report import Knowledge, Report, Verdict
from gpudoctor.model.sheet import FactSheet
from gpudoctor.report import links
from gpudoctor.report.blocks import Document, Item, Mark, Page, Row, Section
from gpudoctor.report.headline import headline
from gpudoctor.report.style import Style
from gpudoctor.report.writers.json import as_dict

Judged = Sequence[tuple[str, Report]]
"""Each environment's folder with its report."""

_MARKS: dict[Verdict, Mark] = {
    "healthy": "good",
    "warning": "warning",
    "broken": "bad",
    "unknown": "unknown",
}
_GRAVITY: tuple[Verdict, ...] = ("broken", "unknown", "warning", "healthy")


def with_torch(judged: Judged) -> Judged:
    """The environments that hold a torch, or may: what others lack, nobody expects of them."""
    return [
        (path, report)
        for path, report in judged
        if report.sheet.facts.torch is not None or report.sheet.why_unknown("torch") is not None
    ]


def exit_code(judged: Judged) -> int:
    """1 if one with torch is at or above the threshold; else 3 if one could not be judged.

    3 also where none has torch: nothing was examined.
    """
    codes = {report.exit_code for _, report in with_torch(judged)}
    return 1 if 1 in codes else 3 if 3 in codes or not codes else 0


def verdict(judged: Judged) -> Verdict:
    """The gravest of those with torch; unknown without any."""
    found = {report.verdict for _, report in with_torch(judged)} or {"unknown"}
    return next(name for name in _GRAVITY if name in found)


def render(judged: Judged, format_: str, style: Style) -> str:
    """The table in one format."""
    if format_ == "json":
        return json.dumps(as_json(judged), indent=2) + "\n"
    if format_ == "jsonl":
        rows = ({"environment": path, **as_dict(report)} for path, report in judged)
        return "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    made = _document(judged, style)
    text: str = import_module(f"gpudoctor.report.writers.{format_}").write(made, style)
    return text


def as_json(judged: Judged) -> dict[str, Any]:
    """The table as JSON values: a whole report for each environment."""
    return {
        "schema_version": "1.0",
        "tool": {"name": "gpudoctor", "version": __version__},
        "knowledge": {"version": info.version(), "date": info.date()},
        "verdict": verdict(judged),
        "exit_code": exit_code(judged),
        "environments": [{"path": path, **as_dict(report)} for path, report in judged],
    }


def _document(judged: Judged, style: Style) -> Document:
    rows = tuple(Row(_mark(report), path, _said(report)) for path, report in judged)
    parts = [Section(kind="layers", blocks=rows)] if rows else []
    where: dict[str, list[str]] = {}
    whole = _whole(judged)
    for path, report in with_torch(judged):
        for finding in report.findings:
            where.setdefault(finding.code, []).append(path)
    for finding in () if style.quiet else whole.findings:
        if finding.severity is Severity.INFO:
            continue
        paths = [Item("in", path) for path in dict.fromkeys(where[finding.code])]
        parts.append(
            Section(
                kind="finding",
                title=finding.title,
                mark="bad" if finding.severity is Severity.ERROR else "warning",
                finding=finding,
                blocks=(*paths, Page(finding.code, links.page(finding.code))),
            )
        )
    return Document(headline=_headline(judged), report=whole, sections=tuple(parts))


def _mark(report: Report) -> Mark:
    return _MARKS[report.verdict] if with_torch([("", report)]) else "none"


def _said(report: Report) -> str:
    torch, python = report.sheet.facts.torch, report.sheet.facts.python
    version = f"Python {python.version}" if python and python.version else "Python unknown"
    if torch is None and report.sheet.why_unknown("torch") is None:
        return f"{version}, no torch"
    built = f"torch {(torch.version if torch else None) or 'unknown'}"
    return f"{version}, {built}: {headline(report)}"


def _headline(judged: Judged) -> str:
    if not judged:
        return "Unknown: no environment was found here."
    number = "1 environment" if len(judged) == 1 else f"{len(judged)} environments"
    counted = with_torch(judged)
    if not counted:
        return f"Unknown: none of {number} here holds torch."
    counts = {name: sum(r.verdict == name for _, r in counted) for name in reversed(_GRAVITY)}
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return f"{number}, {len(counted)} with torch: {said}."


def _whole(judged: Judged) -> Report:
    """All as the one report that writers ask about verdict and findings."""
    pairs = with_torch(judged)
    findings = {finding.code: finding for _, report in pairs for finding in report.findings}
    return Report(
        version=__version__,
        knowledge=Knowledge(version=info.version(), date=info.date()),
        verdict=verdict(judged),
        exit_code=exit_code(judged),
        sheet=FactSheet(),
        findings=tuple(sorted(findings.values(), key=lambda finding: finding.severity.rank)),
        about="plan",
    )

"""Many environments of one machine as one table: torch, build and verdict of each."""

from __future__ import annotations

import json
import ntpath
from collections.abc import Sequence
from typing import Any

from gpudoctor.model.finding import Severity
from gpudoctor.model.report import Report, Verdict
from gpudoctor.model.terms.shell import powershell
from gpudoctor.report import links, several_reports
from gpudoctor.report.blocks import VERDICT_MARKS, Document, Item, Mark, Page, Row, Section
from gpudoctor.report.headline import headline
from gpudoctor.report.style import Style
from gpudoctor.report.writers.json import as_dict

_APPLIANCES = ("docker-desktop", "rancher-desktop", "podman-machine")
"""Distributions that programs keep for themselves; nobody works in them."""
Judged = Sequence[tuple[str, Report]]
"""Each environment's folder with its report."""


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
    return several_reports.exit_code(report for _, report in with_torch(judged))


def verdict(judged: Judged) -> Verdict:
    """The gravest of those with torch; unknown without any."""
    return several_reports.verdict(report for _, report in with_torch(judged))


def render(judged: Judged, format_: str, style: Style) -> str:
    """The table in one format."""
    if format_ == "json":
        return json.dumps(as_json(judged), indent=2) + "\n"
    if format_ == "jsonl":
        rows = ({"environment": path, **as_dict(report)} for path, report in judged)
        return "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    return several_reports.write(_document(judged, style), format_, style)


def as_json(judged: Judged) -> dict[str, Any]:
    """The table as JSON values: a whole report for each environment."""
    return {
        **several_reports.head(verdict(judged), exit_code(judged)),
        "environments": [{"path": path, **as_dict(report)} for path, report in judged],
        "not_looked_into": [{"name": name, "command": command} for name, command in beside(judged)],
    }


def beside(judged: Judged) -> list[tuple[str, str]]:
    """Linux distributions in WSL beside Windows: each with the command that examines it.

    What is inside is seen from inside alone, and to look would start it.
    """
    hosts = (report.sheet.facts.host for _, report in judged[:1])
    found = [name for host in hosts if host and host.windows for name in host.windows.wsl]
    names = [(told, told.rpartition(" (WSL ")[0] or told) for told in found]
    return [
        (told, powershell(("wsl", "-d", name, "gpudoctor", "check")))
        for told, name in names
        if not name.startswith(_APPLIANCES)
    ]


def _document(judged: Judged, style: Style) -> Document:
    rows = tuple(Row(_mark(report), path, _said(report)) for path, report in judged)
    rows += tuple(
        Row("none", name, f"not looked into: {command}") for name, command in beside(judged)
    )
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
    return VERDICT_MARKS[report.verdict] if with_torch([("", report)]) else "none"


def _said(report: Report) -> str:
    torch, python = report.sheet.facts.torch, report.sheet.facts.python
    version = f"Python {python.version}" if python and python.version else "Python unknown"
    if python and python.started_by and python.starts and python.executable:
        same = ntpath.normcase(python.starts) == ntpath.normcase(python.executable)
        script = ntpath.basename(python.started_by)
        version += f", which {script} starts" if same else f"; {script} starts {python.starts}"
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
    said = several_reports.counted(report for _, report in counted)
    return f"{number}, {len(counted)} with torch: {said}."


def _whole(judged: Judged) -> Report:
    pairs = with_torch(judged)
    findings = {finding.code: finding for _, report in pairs for finding in report.findings}
    ranked = tuple(sorted(findings.values(), key=lambda finding: finding.severity.rank))
    return several_reports.as_one(verdict(judged), exit_code(judged), ranked, "plan")

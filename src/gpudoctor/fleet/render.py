"""Many machines in every format: differences first, machines that are alike in one line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from gpudoctor import __version__
from gpudoctor.fleet.compare import Fleet, Group
from gpudoctor.fleet.machine import ASPECTS, Told
from gpudoctor.kb import info
from gpudoctor.kb.findings import catalogue
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.report import Report
from gpudoctor.report import links, several_reports
from gpudoctor.report.blocks import VERDICT_MARKS, Block, Document, Item, Mark, Page, Row, Section
from gpudoctor.report.inert import inert
from gpudoctor.report.style import Style
from gpudoctor.report.writers.prometheus import about, metric

_SEVERITIES: dict[str, Mark] = {"error": "bad", "warning": "warning", "info": "none"}
_NAMES = 12
"""Machines that a line names before it counts the rest."""


def render(fleet: Fleet, format_: str, style: Style) -> str:
    """The fleet in one format."""
    own = {"json": _json, "jsonl": _jsonl, "prometheus": _prometheus, "junit": _junit}
    if format_ in own:
        return own[format_](fleet)
    return several_reports.write(document(fleet, style), format_, style)


def document(fleet: Fleet, style: Style) -> Document:
    """Verdict, differences, what was not heard, groups, findings."""
    names = 10**9 if style.verbose else _NAMES
    parts = [
        Section(kind="layers", blocks=tuple(_differences(fleet, names))),
        *(() if style.quiet else (_groups(fleet, names), *_findings(fleet, names))),
    ]
    kept = tuple(part for part in parts if part.blocks)
    return Document(headline=headline(fleet), report=_report(fleet), sections=kept)


def headline(fleet: Fleet) -> str:
    """The fleet in one sentence."""
    if not fleet.groups:
        return "Unknown: no report and no fact sheet could be read."
    usual = len(fleet.groups[0].machines)
    if fleet.count == 1:
        alike = "1 machine reported"
    elif usual == fleet.count:
        alike = f"All {usual} machines are the same"
    else:
        alike = f"{usual} of {fleet.count} machines are the same"
    counts = [f"{count} {name}" for name, count in fleet.verdicts().items() if count]
    if fleet.missing:
        counts.append(f"{len(fleet.missing)} silent")
    if fleet.unreadable:
        counts.append(f"{len(fleet.unreadable)} not readable")
    return f"{alike}; {', '.join(counts)}."


def as_dict(fleet: Fleet) -> dict[str, Any]:
    """The published JSON form; keys may be added to it."""
    return {
        "schema_version": "1.0",
        **_about(),
        "verdict": fleet.verdict,
        "exit_code": fleet.exit_code,
        "machines": fleet.count,
        "verdicts": dict(fleet.verdicts()),
        "groups": [_group(group) for group in fleet.groups],
        "missing": list(fleet.missing),
        "unreadable": [{"path": each.path, "reason": each.reason} for each in fleet.unreadable],
    }


def _about() -> dict[str, Any]:
    return {
        "tool": {"name": "gpudoctor", "version": __version__},
        "knowledge": {"version": info.version(), "date": info.date()},
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "machines": list(group.machines),
        "verdict": group.seen.verdict,
        "facts": dict(zip(ASPECTS, group.seen.aspects, strict=True)),
        "differences": [
            {"aspect": each.aspect, "value": each.value, "expected": each.expected}
            for each in group.differences
        ],
        "findings": [_finding(told) for told in group.seen.findings],
    }


def _finding(told: Told) -> dict[str, str]:
    return {
        "code": told.code,
        "name": told.name,
        "severity": told.severity,
        "title": told.title,
        "url": links.where(told.code),
    }


def _named(machines: Sequence[str], most: int) -> str:
    shown = ", ".join(machines[:most])
    return f"{shown} and {len(machines) - most} more" if len(machines) > most else shown


def _differences(fleet: Fleet, most: int) -> Iterable[Block]:
    usual = fleet.groups[0].seen if fleet.groups else None
    for group in fleet.groups[1:]:
        said = [str(each) for each in group.differences]
        said += [
            f"{told.code} {told.title}"
            for told in group.seen.findings
            if usual is None or told not in usual.findings
        ]
        if usual is not None and group.seen.verdict != usual.verdict and not said:
            said = [f"{group.seen.verdict}, not {usual.verdict}"]
        yield Row(
            VERDICT_MARKS[group.seen.verdict],
            _named(group.machines, most),
            "; ".join(said) or "the same facts, and other findings",
        )
    if fleet.missing:
        yield Row("unknown", "silent", _named(fleet.missing, most))
    for each in fleet.unreadable:
        yield Row("unknown", each.path, f"not read: {each.reason}")


def _groups(fleet: Fleet, most: int) -> Section:
    blocks: list[Block] = []
    for group in fleet.groups[:1]:
        blocks.append(
            Row(VERDICT_MARKS[group.seen.verdict], "machines", _named(group.machines, most))
        )
        facts = zip(ASPECTS, group.seen.aspects, strict=True)
        blocks += [Row("none", name, value) for name, value in facts if value]
    title = "The same on " + ("all" if len(fleet.groups) == 1 else "most") + " of them"
    return Section(kind="tests", title=title if fleet.count > 1 else "Facts", blocks=tuple(blocks))


def _findings(fleet: Fleet, most: int) -> Iterable[Section]:
    for finding, machines in _merged(fleet):
        yield Section(
            kind="finding",
            title=finding.title,
            mark=_SEVERITIES[finding.severity.value],
            finding=finding,
            blocks=(
                Item("on", f"{len(machines)} of {fleet.count}: {_named(machines, most)}"),
                Page(finding.code, links.page(finding.code)),
            ),
        )


def _merged(fleet: Fleet) -> list[tuple[Finding, tuple[str, ...]]]:
    return [
        (
            Finding(
                code=told.code,
                name=told.name,
                severity=Severity(told.severity),
                title=told.title,
            ),
            machines,
        )
        for told, machines in fleet.findings()
    ]


def _report(fleet: Fleet) -> Report:
    """The fleet as the one report that writers ask about verdict and findings."""
    findings = tuple(finding for finding, _ in _merged(fleet))
    return several_reports.as_one(fleet.verdict, fleet.exit_code, findings, "machine")


def _json(fleet: Fleet) -> str:
    return json.dumps(as_dict(fleet), indent=2) + "\n"


def _jsonl(fleet: Fleet) -> str:
    """A line a machine."""
    lines = []
    for group in fleet.groups:
        shared = {key: value for key, value in _group(group).items() if key != "machines"}
        rest = json.dumps(shared, separators=(",", ":"))[1:]
        lines += [f'{{"machine":{json.dumps(name)},{rest}' for name in group.machines]
    for name in fleet.missing:
        lines.append(json.dumps({"machine": name, "verdict": "unknown", "reason": "silent"}))
    for each in fleet.unreadable:
        lines.append(
            json.dumps({"machine": each.path, "verdict": "unknown", "reason": each.reason})
        )
    return "".join(f"{line}\n" for line in lines)


def _prometheus(fleet: Fleet) -> str:
    verdicts = [(f'verdict="{name}"', count) for name, count in fleet.verdicts().items()]
    findings = [
        (f'code="{told.code}",name="{told.name}",severity="{told.severity}"', len(machines))
        for told, machines in _known(fleet)
    ]
    counts = (("missing", fleet.missing), ("unreadable", fleet.unreadable))
    return "".join(
        (
            metric("machines", "Machines that reported, by verdict.", verdicts),
            metric("machines_with_finding", "Machines that have a finding, by code.", findings),
            *(
                metric(f"machines_{n}", f"Machines that are {n}.", [("", len(v))])
                for n, v in counts
            ),
            *about(fleet.exit_code, info.date()),
        )
    )


def _known(fleet: Fleet) -> list[tuple[Told, tuple[str, ...]]]:
    """Findings whose code and name are the catalogue's: a report is a stranger's text."""
    found = []
    for told, machines in fleet.findings():
        entry = catalogue.find(told.code)
        if entry is not None and entry.name == told.name:
            found.append((told, machines))
    return found


def _junit(fleet: Fleet) -> str:
    """A case a machine."""
    cases = [
        (name, _apart(group), group.seen.verdict)
        for group in fleet.groups
        for name in group.machines
    ]
    cases += [(name, "it did not report", "unknown") for name in fleet.missing]
    cases += [(each.path, each.reason, "unknown") for each in fleet.unreadable]
    failed = sum(verdict == "broken" for *_, verdict in cases)
    skipped = sum(verdict == "unknown" for *_, verdict in cases)
    counts = f'tests="{len(cases)}" failures="{failed}" errors="0" skipped="{skipped}"'
    lines = [
        f'  <testcase classname="gpudoctor.machines" name={quoteattr(inert(name))}'
        + _outcome(verdict, quoteattr(inert(said)))
        for name, said, verdict in cases
    ]
    inside = "\n".join(lines)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="gpudoctor" {counts}>\n'
        f' <testsuite name="machines" {counts}>\n{inside}\n </testsuite>\n</testsuites>\n'
    )


def _apart(group: Group) -> str:
    """What sets a group apart, and what was found there."""
    found = [f"{told.code} {told.title}" for told in group.seen.findings]
    return "; ".join((*map(str, group.differences), *found))


def _outcome(verdict: str, message: str) -> str:
    element = {"broken": "failure", "unknown": "skipped"}.get(verdict)
    if element:
        return f"><{element} message={message}/></testcase>"
    said = message[1:-1]
    return f"><system-out>{said}</system-out></testcase>" if said else "/>"

"""The cells of a matrix as one table: what is installed on each machine, and whether it runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from gpudoctor.examine.cells import AXES, JudgedCell
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.report import Report, Verdict
from gpudoctor.model.value import replace
from gpudoctor.report import links, several_reports
from gpudoctor.report.blocks import VERDICT_MARKS, Document, Item, Page, Row, Section
from gpudoctor.report.document import document
from gpudoctor.report.headline import headline
from gpudoctor.report.inert import inert
from gpudoctor.report.style import Style
from gpudoctor.report.writers.json import as_dict

Table = Sequence[JudgedCell]


def exit_code(table: Table) -> int:
    """1 if a cell is at or above the threshold; else 3 if one could not be judged; else 0."""
    return several_reports.exit_code(each.report for each in table)


def verdict(table: Table) -> Verdict:
    """The gravest of the cells'."""
    return several_reports.verdict(each.report for each in table)


def render(table: Table, format_: str, style: Style) -> str:
    """The table in one format."""
    if format_ == "json":
        return json.dumps(as_json(table), indent=2) + "\n"
    if format_ == "jsonl":
        return "".join(json.dumps(_row(e), separators=(",", ":")) + "\n" for e in table)
    if format_ == "junit":
        return _junit(table)
    return several_reports.write(_document(table, style), format_, style)


def as_json(table: Table) -> dict[str, Any]:
    """The table as JSON values: a whole report for each cell."""
    return {
        **several_reports.head(verdict(table), exit_code(table)),
        "cells": [_row(each) for each in table],
    }


def _row(each: JudgedCell) -> dict[str, Any]:
    return {"cell": {name: getattr(each.cell, name) for name in AXES}, **as_dict(each.report)}


def _document(table: Table, style: Style) -> Document:
    rows = tuple(
        Row(VERDICT_MARKS[each.report.verdict], str(each.cell), _said(each.report))
        for each in table
    )
    parts = [Section(kind="layers", blocks=rows)]
    if not style.quiet:
        parts += _findings(table)
        parts += _cures(table, style)
        parts.append(Section(kind="others", blocks=tuple(_notes(table))))
    kept = tuple(part for part in parts if part.blocks)
    return Document(headline=_headline(table), report=_whole(table), sections=kept)


def _findings(table: Table) -> list[Section]:
    return [
        Section(
            kind="finding",
            title=finding.title,
            mark="bad" if finding.severity is Severity.ERROR else "warning",
            finding=finding,
            blocks=(
                *(Item("in", cell) for cell in cells),
                *(Item("file", f"{p.path}:{p.line}" if p.line else p.path) for p in finding.files),
                Page(finding.code, links.page(finding.code)),
            ),
        )
        for finding, cells in _merged(table)
        if finding.severity is not Severity.INFO
    ]


def _cures(table: Table, style: Style) -> list[Section]:
    """Each way out once, with the cells that it is for."""
    found: dict[Section, list[str]] = {}
    for each in table:
        for part in document(each.report, style).sections:
            if part.kind == "cure":
                found.setdefault(part, []).append(str(each.cell))
    return [
        replace(part, blocks=(*(Item("in", cell) for cell in cells), *part.blocks))
        for part, cells in found.items()
    ]


def _notes(table: Table) -> list[Item]:
    notes = dict.fromkeys(note for each in table for note in each.report.notes)
    left_out = dict.fromkeys(
        f"{entry.finding.code} {entry.finding.name}: {entry.reason}"
        for each in table
        for entry in each.report.suppressed
    )
    return [*(Item("note", note) for note in notes), *(Item("left out", one) for one in left_out)]


def _merged(table: Table) -> list[tuple[Finding, list[str]]]:
    """Every finding once, gravest first, with its cells."""
    found: dict[tuple[str, str], tuple[Finding, list[str]]] = {}
    for each in table:
        for finding in each.report.findings:
            key = (finding.code, finding.title)
            found.setdefault(key, (finding, []))[1].append(str(each.cell))
    return sorted(found.values(), key=lambda pair: pair[0].severity.rank)


def _said(report: Report) -> str:
    """`torch 2.9.1+cu128: it runs`, or what is in its way."""
    torch = report.sheet.facts.torch
    open_ = "no torch" if report.verdict == "broken" else "torch not decided"
    built = f"torch {torch.version}" if torch is not None and torch.version else open_
    return f"{built}: {headline(report)}"


def _headline(table: Table) -> str:
    said = several_reports.counted(each.report for each in table)
    return f"{len(table)} cell{'s' if len(table) != 1 else ''} of the matrix: {said}."


def _whole(table: Table) -> Report:
    findings = tuple(finding for finding, _ in _merged(table))
    return several_reports.as_one(verdict(table), exit_code(table), findings, "plan")


def _junit(table: Table) -> str:
    """A case a cell; one that could not be judged is skipped."""
    verdicts = [each.report.verdict for each in table]
    counts = (
        f'tests="{len(table)}" failures="{verdicts.count("broken")}" errors="0" '
        f'skipped="{verdicts.count("unknown")}"'
    )
    lines = []
    for each in table:
        said = [f"{f.code} {f.title}" for f in each.report.findings] or [_said(each.report)]
        message = quoteattr(inert("; ".join(said)))
        element = {"broken": "failure", "unknown": "skipped"}.get(each.report.verdict)
        name = quoteattr(inert(str(each.cell)))
        inside = f"<{element} message={message}/>" if element else ""
        lines.append(f'  <testcase classname="gpudoctor.matrix" name={name}>{inside}</testcase>')
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="gpudoctor" {counts}>\n'
        f' <testsuite name="matrix" {counts}>\n{chr(10).join(lines)}\n </testsuite>\n'
        "</testsuites>\n"
    )

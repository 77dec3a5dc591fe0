"""The JSON report, schema version 1.0 (schemas/report.schema.json)."""

from __future__ import annotations

import json
from typing import Any

from gpudoctor.model.codec import encode
from gpudoctor.model.factfile import SCHEMA_VERSION, encode_sheet
from gpudoctor.model.finding import Finding
from gpudoctor.model.report import Report
from gpudoctor.report import links
from gpudoctor.report.blocks import Document
from gpudoctor.report.style import Style


def write(document: Document, style: Style) -> str:  # noqa: ARG001 - every format takes a style
    """The report as one JSON object, ended by a newline."""
    return json.dumps(as_dict(document.report), indent=2, ensure_ascii=True) + "\n"


def as_dict(report: Report) -> dict[str, Any]:
    """The report as JSON values, keys in the contract's order."""
    sheet = encode_sheet(report.sheet)
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "gpudoctor", "version": report.version},
        "knowledge": encode(report.knowledge),
        "verdict": report.verdict,
        "exit_code": report.exit_code,
        "facts": sheet["facts"],
        "unknown": sheet["unknown"],
        "sources": sheet["sources"],
        "findings": [_finding(finding) for finding in report.findings],
        "suppressed": [
            {**_finding(entry.finding), "reason": entry.reason} for entry in report.suppressed
        ],
        "not_judged": [encode(entry) for entry in report.not_judged],
        "prescription": encode(report.prescription),
        "smoke": encode(report.smoke),
        "notes": list(report.notes),
        "timings_ms": {name: round(value, 1) for name, value in report.timings_ms.items()},
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {**encode(finding), "url": links.where(finding.code)}

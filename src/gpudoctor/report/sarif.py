"""The report as SARIF 2.1.0 (OASIS), for code-scanning dashboards."""

from __future__ import annotations

import json
from typing import Any

from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.report import Report
from gpudoctor.report.style import Style

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(report: Report, style: Style) -> str:  # noqa: ARG001 - every format takes a style
    """The report as one SARIF log with one run."""
    rules: dict[str, dict[str, Any]] = {}
    for finding in report.findings:
        rules.setdefault(finding.code, _rule(finding))
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "gpudoctor",
                        "version": report.version,
                        "rules": list(rules.values()),
                    }
                },
                "results": [_result(finding) for finding in report.findings],
                "properties": {"verdict": report.verdict, "exitCode": report.exit_code},
            }
        ],
    }
    return json.dumps(log, indent=2) + "\n"


def _rule(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.code,
        "name": finding.name,
        "shortDescription": {"text": finding.name.replace("-", " ")},
        "defaultConfiguration": {"level": _LEVEL[finding.severity]},
    }


def _result(finding: Finding) -> dict[str, Any]:
    proof = "; ".join(f"{item.fact} = {item.value}" for item in finding.evidence)
    message = ". ".join(part.rstrip(".") for part in (finding.title, finding.detail, proof) if part)
    return {
        "ruleId": finding.code,
        "level": _LEVEL[finding.severity],
        "message": {"text": message},
        # GitHub shows only results that have a place; a machine has none: the folder stands in.
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": "."}}}],
        "properties": {"gpus": list(finding.gpus)},
    }

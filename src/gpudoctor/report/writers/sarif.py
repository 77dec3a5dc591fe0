"""The report as SARIF 2.1.0 (OASIS), for code-scanning dashboards."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any
from urllib.parse import quote

from gpudoctor.kb.findings import catalogue, pages
from gpudoctor.model.finding import FileAt, Finding, Severity
from gpudoctor.report import links
from gpudoctor.report.blocks import Document, Section
from gpudoctor.report.inert import inert
from gpudoctor.report.plain_section import plain
from gpudoctor.report.style import Style

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def write(document: Document, style: Style) -> str:  # noqa: ARG001 - every format takes a style
    """The document as one SARIF log with one run."""
    report = document.report
    rules = {finding.code: _rule(finding) for finding in reversed(report.findings)}
    seen: dict[str, int] = {}
    results = [_result(s, s.finding, seen) for s in document.sections if s.finding is not None]
    notices = [plain(s) for s in document.sections if s.finding is None]
    invocation = {
        "executionSuccessful": True,
        "exitCode": report.exit_code,
        "toolExecutionNotifications": [
            {"level": "note", "message": {"text": inert(said, one_line=False)}}
            for said in (document.headline, *notices)
            if said
        ],
    }
    run = {
        "tool": {
            "driver": {
                "name": "gpudoctor",
                "version": report.version,
                "semanticVersion": report.version,
                "rules": [rules[code] for code in sorted(rules)],
            }
        },
        "invocations": [invocation],
        "results": results,
        "properties": {"verdict": report.verdict, "exitCode": report.exit_code},
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(finding: Finding) -> dict[str, Any]:
    entry = catalogue.find(finding.code)
    page = pages.page(finding.code)
    help_ = (
        {"text": page, "markdown": page} if page else {"text": f"gpudoctor explain {finding.code}"}
    )
    address = links.page(finding.code)
    return {
        "id": finding.code,
        "name": finding.name,
        "shortDescription": {"text": finding.name.replace("-", " ")},
        "fullDescription": {"text": entry.meaning if entry else finding.name},
        "help": help_,
        "defaultConfiguration": {
            "level": _LEVEL[Severity(entry.severity) if entry else finding.severity]
        },
        **({"helpUri": address} if address else {}),
    }


def _result(section: Section, finding: Finding, seen: dict[str, int]) -> dict[str, Any]:
    # GitHub shows only results that have a place; a machine has none: the folder stands in.
    places = finding.files or (FileAt("."),)
    return {
        "ruleId": finding.code,
        "level": _LEVEL[finding.severity],
        "message": {"text": inert(plain(section), one_line=False)},
        "locations": [_location(place) for place in places],
        "partialFingerprints": {"gpudoctor/v1": _fingerprint(finding, seen)},
        "properties": {"gpus": list(finding.gpus)},
    }


def _location(place: FileAt) -> dict[str, Any]:
    # Dashboards show a result at a line: of a whole file, or of the machine, at the first.
    region = {"startLine": max(1, place.line or 1)}
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(place.path)}, "region": region}}


def _uri(path: str) -> str:
    """The path relative to the current folder where it lies below it, as a URI reference."""
    if os.path.isabs(path):
        try:
            relative = os.path.relpath(path)
        except ValueError:  # another drive
            relative = ".."
        if not relative.startswith(".."):
            path = relative
    slashes = path.replace("\\", "/")
    prefix = "file://" if slashes.startswith("/") else "file:///" if slashes[1:2] == ":" else ""
    return prefix + quote(slashes, safe="/:" if prefix else "/")


def _fingerprint(finding: Finding, seen: dict[str, int]) -> str:
    """What stays the same from run to run and from version to version: code, GPUs, files, facts."""
    parts = [finding.code, *map(str, finding.gpus), *(_uri(place.path) for place in finding.files)]
    parts += [item.fact for item in finding.evidence]
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
    seen[digest] = seen.get(digest, 0) + 1
    return f"{digest}:{seen[digest]}"

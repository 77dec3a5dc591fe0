"""The report as metrics for node_exporter's textfile collector.

Labels hold codes, names and severities of the catalogue alone: no free text and no name of a host,
which the scraper adds itself. Format: prometheus.io, "Exposition formats", text-based format.
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Iterable

from gpudoctor.report.blocks import Document
from gpudoctor.report.style import Style

VERDICTS = ("healthy", "warning", "broken", "unknown")
Sample = tuple[str, float]
"""Labels as they are written, and the value."""


def write(document: Document, style: Style) -> str:  # noqa: ARG001 - every format takes a style
    """One gauge a finding, the verdict, the exit code, the time, the knowledge's date."""
    report = document.report
    counts: dict[str, int] = {}
    for finding in report.findings:
        labels = f'code="{finding.code}",name="{finding.name}",severity="{finding.severity.value}"'
        counts[labels] = counts.get(labels, 0) + 1
    verdicts = [(f'verdict="{name}"', float(name == report.verdict)) for name in VERDICTS]
    return "".join(
        (
            metric("finding", "Findings of the last report, by code.", counts.items()),
            metric("verdict", "1 for the verdict of the last report.", verdicts),
            metric("gpus", "GPUs that were found.", [("", len(report.sheet.facts.gpus))]),
            *about(report.exit_code, report.knowledge.date),
        )
    )


def about(exit_code: int, knowledge: str) -> list[str]:
    """What stands under every report: its exit code, its time, the date of the knowledge."""
    dated = calendar.timegm(time.strptime(knowledge, "%Y-%m-%d"))
    return [
        metric("exit_code", "Exit code of the last report.", [("", exit_code)]),
        metric("last_run_timestamp_seconds", "When it was made.", [("", int(time.time()))]),
        metric("knowledge_timestamp_seconds", "Date of the knowledge base.", [("", dated)]),
    ]


def metric(name: str, help_: str, samples: Iterable[Sample]) -> str:
    """One gauge with its samples; empty without any."""
    lines = [
        f"gpudoctor_{name}{{{labels}}} {value:g}"
        if abs(value) < 1e6
        else f"gpudoctor_{name} {value:.0f}"
        for labels, value in samples
    ]
    lines = [line.replace("{}", "") for line in lines]
    if not lines:
        return ""
    head = [f"# HELP gpudoctor_{name} {help_}", f"# TYPE gpudoctor_{name} gauge"]
    return "\n".join([*head, *lines]) + "\n"

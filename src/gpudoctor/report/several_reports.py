"""What tables of several reports have in common: verdict, exit code, counts, a writer."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any, Literal

from gpudoctor import __version__
from gpudoctor.kb import info
from gpudoctor.model.finding import Finding
from gpudoctor.model.report import GRAVITY, Knowledge, Report, Verdict, gravest
from gpudoctor.model.sheet import FactSheet
from gpudoctor.report.blocks import Document
from gpudoctor.report.style import Style


def exit_code(reports: Iterable[Report]) -> int:
    """1 if one is at or above its threshold; else 3 if one, or nothing, was judged; else 0."""
    codes = {report.exit_code for report in reports}
    return 1 if 1 in codes else 3 if 3 in codes or not codes else 0


def verdict(reports: Iterable[Report]) -> Verdict:
    """The gravest of the reports'; unknown without any."""
    return gravest({report.verdict for report in reports} or {"unknown"})


def counted(reports: Iterable[Report]) -> str:
    """`3 healthy, 1 broken`"""
    verdicts = [report.verdict for report in reports]
    counts = {name: verdicts.count(name) for name in reversed(GRAVITY)}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def as_one(
    verdict_: Verdict,
    exit_code_: int,
    findings: tuple[Finding, ...],
    about: Literal["machine", "plan"],
) -> Report:
    """All as the one report that writers ask about verdict and findings."""
    return Report(
        version=__version__,
        knowledge=Knowledge(version=info.version(), date=info.date()),
        verdict=verdict_,
        exit_code=exit_code_,
        sheet=FactSheet(),
        findings=findings,
        about=about,
    )


def head(verdict_: Verdict, exit_code_: int) -> dict[str, Any]:
    """The keys that the JSON of every such table begins with."""
    return {
        "schema_version": "1.0",
        "tool": {"name": "gpudoctor", "version": __version__},
        "knowledge": {"version": info.version(), "date": info.date()},
        "verdict": verdict_,
        "exit_code": exit_code_,
    }


def write(made: Document, format_: str, style: Style) -> str:
    """The document in one of the formats that have a writer."""
    text: str = import_module(f"gpudoctor.report.writers.{format_}").write(made, style)
    return text

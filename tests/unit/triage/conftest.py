"""Prints how many of the public cases are answered, by confidence and by cause."""

from __future__ import annotations

from collections import Counter

from gpudoctor.triage.report_on_text import of_string
from triage_cases.load import cases


def pytest_terminal_summary(terminalreporter):
    if not any("triage" in str(item) for item in terminalreporter.config.args):
        return
    asked, right = Counter(), Counter()
    for case in cases():
        good = case.is_answered_by([f.name for f in of_string(case.raw).findings])
        for key in (case.confidence, case.cause):
            asked[key] += 1
            right[key] += good
    terminalreporter.section("triage: public cases answered")
    for level in ("high", "medium", "low"):
        terminalreporter.line(f"{level:8} {right[level]} of {asked[level]}")
    for cause in sorted(key for key in asked if key not in ("high", "medium", "low")):
        if right[cause] < asked[cause]:
            terminalreporter.line(f"  {cause}: {right[cause]} of {asked[cause]}")

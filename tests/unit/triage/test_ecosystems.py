"""The reports of further ecosystems: each is answered, or stands in the list of known misses."""

from __future__ import annotations

import pytest

from gpudoctor.triage.report_on_text import of_string
from triage_cases.load import MISSED, ecosystems


def _names(raw):
    return [finding.name for finding in of_string(raw).findings]


@pytest.mark.parametrize("case", ecosystems(), ids=lambda case: case.id)
def test_the_cause_is_said_first(case):
    answered = case.is_among(_names(case.raw), 1)
    if case.id in MISSED:
        assert not answered, "it is answered now: take it out of the list of misses"
    else:
        assert answered, (case.cause, _names(case.raw))


def test_every_miss_is_a_report():
    assert {case.id for case in ecosystems()} >= set(MISSED)

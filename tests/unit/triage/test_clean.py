"""Public tables in which CUDA had started give no alarm, but for what they show themselves."""

from __future__ import annotations

import pytest

from gpudoctor.triage.report_on_text import of_string
from triage_cases.load import clean


def test_there_are_enough_of_them():
    assert len(clean()) >= 150
    assert len({case.source for case in clean()}) == len(clean())


@pytest.mark.parametrize("case", clean(), ids=lambda case: case.id)
def test_no_false_alarm(case):
    found = [x.name for x in of_string(case.raw).findings if x.severity.value != "info"]
    assert sorted(set(found)) == sorted(case.shows)

"""A hundred thousand machines, in parts that several processes share.

They take some four minutes of a processor's time, two minutes on two cores.
"""

from __future__ import annotations

import pytest

from property.many_machines import check

pytestmark = pytest.mark.slow
PART = 1000


@pytest.mark.parametrize("start", range(0, 100_000, PART))
def test_every_prescription_and_sentence_of_a_thousand_machines_holds(start):
    assert list(check(range(start, start + PART))) == []

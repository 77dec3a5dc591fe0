"""Machines by the thousand, in parts that several processes share.

Twenty thousand by default; with `GPUDOCTOR_EVERY_MACHINE=1` a hundred thousand, which take seven
minutes of a processor's time.
"""

from __future__ import annotations

import os

import pytest

from property.many_machines import check

pytestmark = pytest.mark.slow
PART = 1000
STEP = PART if os.environ.get("GPUDOCTOR_EVERY_MACHINE") else 5 * PART


@pytest.mark.parametrize("start", range(0, 100_000, STEP))
def test_every_prescription_and_sentence_of_a_thousand_machines_holds(start):
    assert list(check(range(start, start + PART))) == []

"""Thousands of machines, each held to what must be true of every prescription.

`python tests/property/many_machines.py` tries 100,000 of them.
"""

from __future__ import annotations

import pytest

from property.many_machines import broken_invariants

PART = 100


@pytest.mark.parametrize("start", range(0, 1000, PART))
def test_a_prescription_keeps_its_promises(start):
    broken = {
        number: said for number in range(start, start + PART) if (said := broken_invariants(number))
    }
    assert not broken


# Machines on which something broke once.
@pytest.mark.parametrize("number", [196, 885, 969, 1352, 1358, 1805])
def test_a_machine_that_was_wrongly_called_impossible_is_not(number):
    assert not broken_invariants(number)

"""Every stand-in machine is visited by the installed program, and is told the truth."""

from __future__ import annotations

import pytest

from machines import golden
from machines.catalogue import MACHINES
from machines.libraries import have_compiler
from machines.visit import visit

pytestmark = [
    pytest.mark.skipif(not have_compiler(), reason="the stand-in libraries need a C compiler")
]


@pytest.mark.parametrize("name", MACHINES)
def test_the_machine_is_told_what_is_wrong_with_it_and_nothing_else(name: str) -> None:
    case = MACHINES[name]
    seen = visit(case)
    assert seen.found == case.finds, seen.text
    errors = [f for f in seen.report["findings"] if f["severity"] == "error"]
    expected = case.exit_code if case.exit_code is not None else (1 if errors else 0)
    assert seen.code == expected, seen.stderr
    assert "Traceback" not in seen.stderr + seen.text
    assert not golden.differences(name, seen)


def test_there_are_at_least_forty_machines_and_each_has_golden_reports() -> None:
    assert len(MACHINES) >= 40

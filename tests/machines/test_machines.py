"""Every stand-in machine is visited by the installed program, and is told the truth."""

from __future__ import annotations

import json
import os

import pytest

from machines import golden
from machines.catalogue import MACHINES
from machines.libraries import have_compiler, host_has_driver
from machines.visit import replay, saved_facts, visit

pytestmark = [
    pytest.mark.skipif(not have_compiler(), reason="the stand-in libraries need a C compiler")
]


@pytest.mark.parametrize("name", MACHINES)
def test_the_machine_is_told_what_is_wrong_with_it_and_nothing_else(name: str) -> None:
    case = MACHINES[name]
    if case.needs_host_without_driver and host_has_driver():
        pytest.skip("this machine's own driver library would be found")
    seen = visit(case)
    assert seen.found == case.finds, seen.text
    errors = [f for f in seen.report["findings"] if f["severity"] == "error"]
    expected = case.exit_code if case.exit_code is not None else (1 if errors else 0)
    assert seen.code == expected, seen.stderr
    assert "Traceback" not in seen.stderr + seen.text
    assert not golden.differences(name, seen)


REPLAYED = [n for n, c in MACHINES.items() if c.machine and not c.needs_host_without_driver]


@pytest.mark.parametrize("name", REPLAYED[::5])
def test_a_saved_report_is_judged_like_the_machine(name: str) -> None:
    case = MACHINES[name]
    seen = visit(case)
    again = replay(case, seen.report)
    assert again.report["findings"] == seen.report["findings"]
    assert again.report["prescription"] == seen.report["prescription"]
    assert again.code == seen.code


@pytest.mark.parametrize("name", REPLAYED[2::7])
def test_a_saved_fact_sheet_gives_the_same_findings_and_tells_nothing_private(name: str) -> None:
    case = MACHINES[name]
    sheet = saved_facts(case)
    assert replay(case, sheet).found == case.finds
    # A mask may name a GPU by its UUID: that much of it is kept.
    facts = {key: value for key, value in sheet["facts"].items() if key != "environment"}
    assert "GPU-" not in json.dumps(facts)


def test_there_are_at_least_forty_machines_and_no_golden_report_too_many() -> None:
    assert len(MACHINES) >= 40
    assert {os.path.splitext(file)[0] for file in os.listdir(golden.FOLDER)} == set(MACHINES)

"""Machines by their numbers, each held to what must be true of every prescription and sentence.

`python tests/property/many_machines.py` tries 100,000 of them; so do the slow tests.
"""

from __future__ import annotations

import pytest

from gpudoctor.model.finding import Severity
from gpudoctor.model.terms.sentence import CONDITIONS, Condition, conditions_of
from gpudoctor.prescribe import prescribe
from gpudoctor.rules import findings_of, judge
from property.conditions import HOLDS, Scene, broken_conditions
from property.many_machines import broken_invariants, kinds_printed, machine
from unit.prescribe.sheets import sheet

PART = 100


@pytest.mark.parametrize("start", [*range(0, 400, PART), *range(10_000, 10_400, PART)])
def test_a_prescription_keeps_its_promises(start):
    broken = {
        number: said for number in range(start, start + PART) if (said := broken_invariants(number))
    }
    assert not broken


# Machines on which something broke once.
@pytest.mark.parametrize("number", [196, 885, 969, 1352, 1358, 1805, 10023, 10163, 10295, 10717])
def test_a_machine_that_once_got_a_wrong_answer_gets_a_right_one(number):
    assert not broken_invariants(number)


@pytest.mark.parametrize("start", range(20_000, 20_300, PART))
def test_the_short_judgement_finds_what_the_long_one_does(start):
    for number in range(start, start + PART):
        made = machine(number)
        found = judge(made).findings
        assert findings_of(made) == found, number
        errors = [f.title for f in found if f.severity is Severity.ERROR]
        assert sorted(f.title for f in findings_of(made, Severity.ERROR)) == sorted(errors), number


def test_every_kind_of_sentence_is_printed_about_some_machine():
    left = set(CONDITIONS)
    # The rare machines bring the rare sentences; the last of the others need some hundreds.
    for number in (*range(10_001, 15_000, 10), *range(8_000, 12_000)):
        if not left:
            break
        left -= kinds_printed(number)
    assert not left


def test_every_condition_of_a_sentence_can_be_held_against_a_machine():
    assert set(HOLDS) == set(CONDITIONS)


def test_a_reason_carries_the_condition_of_each_thing_that_it_says():
    made = sheet("RTX 5090", driver="570.172.08", torch="2.6.0+cu124")
    answer = prescribe(made, judge(made).findings)
    kinds = [condition.kind for condition in conditions_of(answer.why)]
    assert kinds == ["has-code", "runs-on-driver", "newest"]


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("newest", {"torch": "2.6.0", "variant": "cu124"}),
        ("has-code", {"torch": "2.6.0", "variant": "cu124", "gpus": ["sm_120"]}),
        ("official", {"torch": "2.15.0"}),
        ("for-python", {"torch": "2.15.0"}),
        ("line-ended", {"variant": "cu132", "last": "2.14.0", "newest": "2.15.0"}),
        ("off-matrix", {"torch": "2.15.0", "variant": "cu132"}),
        ("runs-on-driver", {"cuda": "13.2", "driver": "570.172.08"}),
        ("same-release", {"torch": "2.9.1", "variant": "cu128"}),
        ("no-common-build", {}),
        ("no-common-build-here", {}),
        ("no-way", {}),
        ("no-driver", {}),
        ("gpus-elsewhere", {}),
        ("served-by-none", {"gpu": "7.5"}),
        ("served-elsewhere", {"gpu": "7.5"}),
        ("lacks-code", {"gpu": "7.5"}),
        ("left-behind", {"gpu": "7.5", "torch": "2.15.0"}),
        ("with-python", {"python": "3.8", "torch": "2.15.0", "variant": "cu132"}),
        ("nvidia-driver", {"version": "535.1"}),
        ("slower-than-cpu", {}),
        ("fact-unknown", {"path": "python.version"}),
        ("no-step", {}),
        ("damaged", {}),
        ("earlier-nightly", {"wanted": "torch==2.16.0.dev20260101+cu132"}),
        ("in-jetpack-index", {"gpu": "7.5"}),
        ("inside-the-processor", {"gfx": "gfx1036"}),
        ("in-wsl", {}),
        ("with-glibc", {"glibc": "2.12", "torch": "2.15.0", "variant": "cu132"}),
        ("outside-wsl", {}),
        ("library-stays", {}),
        ("tool-owns", {"tool": "uv"}),
        ("processor-unknown", {}),
        ("python-unknown", {}),
        ("needs-driver", {"driver": "525.60.13", "last": None}),
        ("for-older-driver", {"driver": "525.60.13"}),
        ("lacks-library", {"file": "libtorch_cpu.so", "gpus": ("sm_75",)}),
        ("ready-image", {}),
    ],
)
def test_a_sentence_that_does_not_fit_its_machine_is_found(kind, about):
    made = sheet("T4", driver="570.172.08", torch="2.6.0+cu124")
    scene = Scene(sheet=made, torch="2.15.0", variant="cu132")
    assert list(broken_conditions(iter([(Condition(kind, about), scene)])))

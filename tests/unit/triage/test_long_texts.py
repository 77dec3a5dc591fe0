"""A long text is searched around the words of messages alone, and nothing is missed by it."""

from __future__ import annotations

import re

import pytest

from gpudoctor.kb.authoring.reach import LEAST, MOST, reach
from gpudoctor.kb.findings import signatures
from gpudoctor.triage.readers import gpu_words, prose, torch_warnings
from gpudoctor.triage.report import of_string
from gpudoctor.triage.text.places import Near, places
from triage_cases.load import cases

FILLING = "epoch 3 step 120 loss 0.125 written to out/a.pt\n" * 900


@pytest.mark.parametrize(
    ("pattern", "longest"),
    [
        ("abc", LEAST),
        (".{0,300}x", 302),
        ("x(?!.{0,400}y)", 403),
        ("(?<=a)b(?:c|de{300})", 304),
        ("a.*", MOST),
    ],
)
def test_a_pattern_reaches_as_far_as_it_may_look(pattern: str, longest: int) -> None:
    assert reach(pattern) == longest


def test_a_message_at_the_edge_of_its_reach_is_found() -> None:
    flat = "word" + "." * 300 + "end" + "z" * 40_000
    found = list(places(re.compile(r"word\.{0,300}end"), ["word"], 310, flat, flat))
    assert [match.span() for match in found] == [(0, 307)]


def _near_patterns() -> list[Near]:
    found: list[Near] = []
    for module in (prose, gpu_words, torch_warnings):
        stack = [v for k, v in vars(module).items() if k.startswith("_")]
        while stack:
            value = stack.pop()
            if isinstance(value, Near):
                found.append(value)
            elif isinstance(value, tuple):
                stack.extend(value)
    return found


def test_every_match_of_a_reader_holds_one_of_its_words() -> None:
    patterns = _near_patterns()
    assert len(patterns) > 20
    for case in cases():
        flat = " ".join(case.raw.split())
        for near in patterns:
            whole = [match.span() for match in near.pattern.finditer(flat)]
            assert whole == [match.span() for match in near.finditer(flat)], near.pattern.pattern
            for start, end in whole:
                room = flat[max(0, start - near.reach) : end + near.reach].lower()
                assert any(word in room for word in near.words), (near.words, flat[start:end])


@pytest.mark.parametrize("case", [case for case in cases() if case.confidence == "high"][:60])
def test_the_first_cause_stays_the_first_behind_a_long_log(case) -> None:  # type: ignore[no-untyped-def]
    short = [finding.name for finding in of_string(case.raw).findings]
    long = [finding.name for finding in of_string(FILLING + case.raw).findings]
    assert long[:1] == short[:1]


def test_every_row_knows_its_reach() -> None:
    for row in (*signatures.signatures(), *signatures.marks()):
        assert LEAST <= row.reach <= MOST

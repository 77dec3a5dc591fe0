"""A long text is searched around the words of messages alone, and nothing is missed by it."""

from __future__ import annotations

import re

import pytest

from gpudoctor.kb.authoring.reach import LEAST, MOST, reach
from gpudoctor.kb.findings import signatures
from gpudoctor.triage.readers import gpu_words, prose, torch_warnings
from gpudoctor.triage.report_on_text import of_string
from gpudoctor.triage.text.anchored import Near, places
from gpudoctor.triage.text.clean import clean
from gpudoctor.triage.text.cleaned_text import fold
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


NO_KERNEL = "RuntimeError: CUDA error: no kernel image is available for execution on the device"


def _log(length: int) -> str:
    return "\n".join(
        f"2025-05-04 12:{n % 60:02}:11 [INFO] step {n:05} loss 0.{n % 89} img_{n}.jpg"
        for n in range(length)
    )


def test_lines_of_a_log_stay_lines_although_most_are_as_long_as_the_longest() -> None:
    assert clean(_log(50)) == _log(50)


def test_lines_that_only_count_on_are_not_searched_and_the_others_are() -> None:
    text = fold(f"{_log(900)}\nThe GPU is an RTX 5090.\n{NO_KERNEL}\n{_log(900)}")
    assert len(text.flat) < 0.1 * len(text.plain)
    assert text.flat.count(NO_KERNEL) == 1
    line = text.line_at(text.flat.index(NO_KERNEL))
    assert text.lines[line] == NO_KERNEL


def test_a_data_set_called_pascal_is_no_gpu() -> None:
    found = of_string(f"training on Pascal VOC 2012\n{NO_KERNEL}")
    assert not found.sheet.facts.gpus

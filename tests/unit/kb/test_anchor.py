"""A text with a message is always searched for it: each way through a pattern has its words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor.kb.authoring.anchor import missing_anchors
from gpudoctor.kb.findings import signatures

ROWS = (*signatures.signatures(), *signatures.marks())


@pytest.mark.parametrize(
    ("pattern", "anchors", "missing"),
    [
        ("alpha|beta gamma", ["alpha"], ("beta gamma",)),
        ("alpha (?:one|two)", ["alpha"], ()),
        ("(?:alpha|beta) gamma", ["alpha"], (" gamma",)),
        ("(?:alpha)?beta", ["alpha"], ("beta",)),
        ("(?:alpha){1,3} \\d", ["other"], ("alpha",)),
        ("Alpha(?= beta)", ["alpha"], ()),
        ("\\d{1,4}", ["7"], ()),
    ],
)
def test_what_is_missing_is_read_out_of_the_pattern(pattern, anchors, missing):
    assert missing_anchors(pattern, anchors) == missing


def test_the_tables_lack_no_anchor():
    lacking = [row for row in ROWS if row.anchors and missing_anchors(row.pattern, row.anchors)]
    assert lacking == []


SEARCHED = [row for row in ROWS if row.anchors and not row.pattern.startswith("(?<!")]


@pytest.mark.parametrize("number", range(0, len(SEARCHED), 24))
def test_a_match_of_any_kind_holds_an_anchor(number):
    row = SEARCHED[number]
    if missing_anchors(row.pattern, ["\0"]) == ():
        pytest.skip("a way through this pattern has no literal to look for")

    @settings(max_examples=25, deadline=None)
    @given(st.from_regex(row.pattern.replace("(?-i:", "(?:"), fullmatch=True))
    def holds(text: str) -> None:
        assert any(anchor in text.lower() for anchor in row.anchors), text

    holds()

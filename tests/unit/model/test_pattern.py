"""A pattern that is compiled late matches as one that is compiled at once."""

from __future__ import annotations

import copy
import re

import pytest

from gpudoctor.model.pattern import late_pattern


@pytest.mark.parametrize("method", ["match", "search", "fullmatch", "findall"])
def test_it_finds_what_a_compiled_one_finds(method: str) -> None:
    late, compiled = late_pattern(r"SM_(\d+)", re.I), re.compile(r"SM_(\d+)", re.I)
    for text in ("sm_90", "has sm_90 and SM_100", "none"):
        assert repr(getattr(late, method)(text)) == repr(getattr(compiled, method)(text))


def test_it_replaces_and_works_on_bytes() -> None:
    assert late_pattern(rb"[-_.]+").sub(b"-", b"a_.b") == b"a-b"


def test_a_copy_of_it_matches_too() -> None:
    assert copy.copy(late_pattern("a+")).match("aaa")


def test_a_wrong_one_is_told_when_it_is_used() -> None:
    broken = late_pattern("(")
    with pytest.raises(re.error):
        broken.match("")

"""The words of a pattern: literals of which every match holds one.

A text without any of them is not searched. Written by hand they are forgotten for the rarer ways
through a pattern, which then never match; here they are read out of the pattern itself, as the
prefilter of RE2 (FilteredRE2) does it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from gpudoctor.kb.authoring.reach import PARSER

_LEAST = 3
"""A shorter literal stands in nearly every text."""
_MOST = 60
"""Where one place has more alternatives than these, another one serves better."""

Words = frozenset[str]


def missing_anchors(pattern: str, anchors: Sequence[str]) -> tuple[str, ...]:
    """The literals that must be added to `anchors`, so that every match holds one of them.

    Empty where they are enough, and where the pattern has a way without any literal to look for.
    """
    words = _required(PARSER.parse(pattern, re.IGNORECASE), tuple(anchors))
    if words is None:
        return ()
    return tuple(sorted(word for word in words if not any(anchor in word for anchor in anchors)))


def _required(tree: Any, anchors: Sequence[str]) -> Words | None:
    """Literals of which every match of a sequence holds one; `None`: there are none."""
    return min(_candidates(tree, anchors), key=lambda words: _cost(words, anchors), default=None)


def _candidates(tree: Any, anchors: Sequence[str]) -> Iterator[Words]:
    """Every place of a sequence where each match has one of a few literals."""
    for run in _runs(tree):
        if isinstance(run, str):
            if len(run) >= _LEAST or any(anchor in run for anchor in anchors):
                yield frozenset({run})
            continue
        operator, argument = run
        inner: list[Any] = []
        if operator == "BRANCH":
            inner = argument[1]
        elif operator == "SUBPATTERN":
            inner = [argument[3]]
        elif operator == "ATOMIC_GROUP":
            inner = [argument]
        elif operator.endswith("_REPEAT") and argument[0] > 0:
            inner = [argument[2]]
        found = [_required(item, anchors) for item in inner]
        words = frozenset[str]().union(*(item for item in found if item))
        if found and None not in found and len(words) <= _MOST:
            yield words


def _runs(tree: Any) -> Iterator[Any]:
    """The items of a sequence, letters that follow each other as one string in lower case."""
    letters = ""
    for operator, argument in tree:
        name = str(operator)
        if name == "LITERAL":
            letters += chr(argument).lower()
            continue
        if name in ("ASSERT", "ASSERT_NOT", "AT"):
            continue  # they take up no room between two letters
        if letters:
            yield letters
            letters = ""
        yield name, argument
    if letters:
        yield letters


def _cost(words: Words, anchors: Sequence[str]) -> tuple[int, int, int]:
    """Least where the anchors that there are serve, then where the shortest word is long."""
    new = [word for word in words if not any(anchor in word for anchor in anchors)]
    return (min(1, len(new)), -min((len(word) for word in new), default=99), len(new))

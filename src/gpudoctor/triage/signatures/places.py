"""Where a pattern is worth trying: around the words that stand in every message of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_SHORT = 16 * 2**10
_REACH = 4500
"""Longer than what any pattern of the tables spans."""


def places(
    pattern: re.Pattern[str], anchors: Sequence[str], flat: str, lower: str
) -> Iterator[re.Match[str]]:
    """The matches of a pattern in a folded text; of a long one, near its anchors alone.

    `lower` is the text in lower case, in which the anchors are looked for.
    """
    if len(flat) <= _SHORT or not anchors:
        yield from pattern.finditer(flat)
        return
    for start, end in _windows(anchors, lower):
        yield from pattern.finditer(flat, start, end)


def _windows(anchors: Sequence[str], lower: str) -> list[tuple[int, int]]:
    """Stretches around every place of an anchor, joined where they touch."""
    spans: list[tuple[int, int]] = []
    for anchor in anchors:
        position = lower.find(anchor)
        while position >= 0:
            spans.append((max(0, position - _REACH), position + _REACH))
            # What lies close by is in this stretch already.
            position = lower.find(anchor, position + _REACH // 2)
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined

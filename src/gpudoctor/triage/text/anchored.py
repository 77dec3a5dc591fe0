"""Where a pattern is worth trying: around the words that stand in every message of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gpudoctor.model.pattern import late_pattern

_SHORT = 16 * 2**10


def places(
    pattern: re.Pattern[str], anchors: Sequence[str], reach: int, flat: str, lower: str
) -> Iterator[re.Match[str]]:
    """The matches of a pattern in a folded text; of a long one, near its anchors alone.

    `reach` is how many characters around an anchor the pattern can look at; `lower` is the text
    in lower case, in which the anchors are looked for.
    """
    if len(flat) <= _SHORT or not anchors:
        yield from pattern.finditer(flat)
        return
    for start, end in _windows(anchors, reach, lower):
        yield from pattern.finditer(flat, start, end)


def _windows(anchors: Sequence[str], reach: int, lower: str) -> list[tuple[int, int]]:
    """Stretches around every place of an anchor, joined where they touch."""
    spans: list[tuple[int, int]] = []
    for anchor in anchors:
        position = lower.find(anchor)
        while position >= 0:
            end = position + len(anchor)
            spans.append((max(0, position - reach), end + reach))
            position = lower.find(anchor, end)
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


class Near:
    """A pattern with literals of which one stands in every match: it is tried around them alone.

    `words` are in lower case, with bars between; `reach` is the longest match with all that it
    looks ahead and back for. Answers as the compiled pattern does.
    """

    def __init__(self, pattern: str, words: str, *, flags: int = 0, reach: int = 250) -> None:
        self.pattern = late_pattern(pattern, flags)
        self.words = tuple(words.split("|"))
        self.reach = reach

    def finditer(self, flat: str) -> Iterator[re.Match[str]]:
        """The matches, in their order."""
        lower = flat.lower()
        if len(lower) != len(flat):
            return self.pattern.finditer(flat)
        if not any(word in lower for word in self.words):
            return iter(())
        return places(self.pattern, self.words, self.reach, flat, lower)

    def search(self, flat: str) -> re.Match[str] | None:
        """The first match."""
        return next(self.finditer(flat), None)

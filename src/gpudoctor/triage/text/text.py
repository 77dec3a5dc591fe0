"""A cleaned text, and the same with its white space folded, for messages that lines break."""

from __future__ import annotations

from bisect import bisect_right

from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """One text to judge."""

    lines: tuple[str, ...]
    flat: str
    """All words with single blanks between: what patterns are tried on."""
    lower: str
    """`flat` in lower case: where anchors are looked for."""
    starts: tuple[int, ...]
    """Offset in `flat` of each line that is not empty."""
    numbers: tuple[int, ...]
    """Index into `lines` of each of those."""
    cut: bool = False
    """Whether parts of a longer text were left out."""

    @property
    def plain(self) -> str:
        """The lines again as one string."""
        return "\n".join(self.lines)

    def line_at(self, offset: int) -> int:
        """Index of the line that `offset` of `flat` lies in."""
        if not self.starts:
            return 0
        return self.numbers[max(0, bisect_right(self.starts, offset) - 1)]


def fold(cleaned: str, *, cut: bool = False) -> Text:
    """Fold a cleaned text."""
    lines = tuple(cleaned.split("\n"))
    parts: list[str] = []
    starts: list[int] = []
    numbers: list[int] = []
    offset = 0
    for number, line in enumerate(lines):
        words = " ".join(line.split())
        if not words:
            continue
        parts.append(words)
        starts.append(offset)
        numbers.append(number)
        offset += len(words) + 1
    flat = " ".join(parts)
    lower = flat.lower()
    if len(lower) != len(flat):
        # A few letters grow when lowered (İ); offsets must stay those of `flat`.
        lower = "".join(c.lower() if len(c.lower()) == 1 else c for c in flat)
    return Text(lines, flat, lower, tuple(starts), tuple(numbers), cut)

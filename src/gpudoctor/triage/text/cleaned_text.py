"""A cleaned text, and the same with its white space folded, for messages that lines break."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from gpudoctor.kb.findings import signatures
from gpudoctor.model.value import dataclass
from gpudoctor.triage.text.typed import is_typed

# From here on routine lines are left out; a table or a list has fewer of a kind than stay.
_SHORT = 16 * 2**10
_FIRST_ALIKE, _LAST_ALIKE = 24, 8
_WITHOUT_DIGITS = dict.fromkeys(map(ord, "0123456789"))


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
    typed: frozenset[int] = frozenset()
    """Indices into `lines` of the commands that somebody typed."""
    put_out: str = ""
    """`flat` with blanks in the place of typed commands: what programs and people say."""
    cut: bool = False
    """Whether parts of a longer text were left out."""
    words: str = ""
    """Of a long text each word of `lower` once: a fraction of a log, and most literals lack one."""

    def has_any(self, literals: Sequence[str]) -> bool:
        """Whether one of these literals, in lower case, stands in the text."""
        text, words = self.lower, self.words
        if not words:
            return any(literal in text for literal in literals)
        return any(
            literal in text
            for literal in literals
            if all(part in words for part in literal.split())
        )

    @property
    def plain(self) -> str:
        """The lines again as one string."""
        return "\n".join(self.lines)

    def is_typed(self, start: int, end: int) -> bool:
        """Whether all of `flat[start:end]` lies in commands that somebody typed."""
        return not self.put_out[start:end].strip()

    def line_at(self, offset: int) -> int:
        """Index of the line that `offset` of `flat` lies in."""
        if not self.starts:
            return 0
        return self.numbers[max(0, bisect_right(self.starts, offset) - 1)]


def _in_english(line: str, foreign: Sequence[tuple[str, str]]) -> str:
    """A line with the messages of systems in other languages put into English."""
    for words, english in foreign:
        position = line.lower().find(words)
        if position >= 0:
            line = line[:position] + english + line[position + len(words) :]
    return line


def _routine(lines: Sequence[str]) -> frozenset[int]:
    """Indices of the lines that say in a long text what many others do, but for their numbers.

    Of each kind (`step 812 loss 0.31`) the first and the last ones stay.
    """
    kinds: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        kinds.setdefault(line.translate(_WITHOUT_DIGITS), []).append(number)
    return frozenset(
        number for alike in kinds.values() for number in alike[_FIRST_ALIKE:-_LAST_ALIKE]
    )


def fold(cleaned: str, *, cut: bool = False) -> Text:
    """Fold a cleaned text.

    Of a long one, the lines that only repeat others with other numbers stay in `lines` alone.
    """
    lines = tuple(cleaned.split("\n"))
    routine = _routine(lines) if len(cleaned) > _SHORT else frozenset()
    known = cleaned.lower()
    foreign = [pair for pair in signatures.translations() if pair[0] in known]
    parts: list[str] = []
    starts: list[int] = []
    numbers: list[int] = []
    said: list[str] = []
    typed: set[int] = set()
    offset = 0
    for number, line in enumerate(lines):
        words = " ".join(line.split())
        if not words or number in routine:
            continue
        if foreign:
            words = _in_english(words, foreign)
        parts.append(words)
        if is_typed(line):
            typed.add(number)
        said.append(" " * len(words) if number in typed else words)
        starts.append(offset)
        numbers.append(number)
        offset += len(words) + 1
    flat = " ".join(parts)
    lower = flat.lower()
    if len(lower) != len(flat):
        # A few letters grow when lowered (İ); offsets must stay those of `flat`.
        lower = "".join(c.lower() if len(c.lower()) == 1 else c for c in flat)
    return Text(
        lines=lines,
        flat=flat,
        lower=lower,
        starts=tuple(starts),
        numbers=tuple(numbers),
        typed=frozenset(typed),
        put_out=" ".join(said),
        cut=cut,
        words="\n".join(set(lower.split())) if len(lower) > _SHORT else "",
    )

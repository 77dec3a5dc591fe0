"""Which of the known messages stand in a text."""

from __future__ import annotations

from gpudoctor.kb import signatures
from gpudoctor.kb.signatures import Signature
from gpudoctor.model.value import dataclass
from gpudoctor.triage.signatures.marks import Marks, compiled
from gpudoctor.triage.text.nature import only_mentions
from gpudoctor.triage.text.text import Text

# Places of one message that are looked at before it counts as only spoken of.
_TRIES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One message found in a text."""

    signature: Signature
    line: int
    """Index of the line where it begins."""
    quote: str
    """The message as it stands there, at most 300 characters."""


def hits(text: Text, marks: Marks) -> tuple[Hit, ...]:
    """Every known message in the text that something put out, in the order of the table."""
    found = []
    for row in signatures.signatures():
        if row.anchors and not any(anchor in text.lower for anchor in row.anchors):
            continue
        if not all(marks.holds(name) for name in row.also):
            continue
        if any(marks.holds(name) for name in row.unless):
            continue
        if not row.anchors:
            found.append(Hit(signature=row, line=0, quote=""))
        elif hit := _first(row, text):
            found.append(hit)
    return tuple(found)


def _first(row: Signature, text: Text) -> Hit | None:
    for count, match in enumerate(compiled(row.pattern).finditer(text.flat)):
        if count >= _TRIES:
            return None
        line = text.line_at(match.start())
        source = " ".join(text.lines[line].split()) if text.lines else ""
        column = _column(text, line, match.start())
        if match.end() > match.start() and not only_mentions(source, column):
            return Hit(signature=row, line=line, quote=_quote(text, match.start(), match.end()))
    return None


def _column(text: Text, line: int, offset: int) -> int:
    from bisect import bisect_right

    position = max(0, bisect_right(text.starts, offset) - 1)
    del line
    return offset - text.starts[position] if text.starts else 0


def _quote(text: Text, start: int, end: int) -> str:
    """The message with the rest of its line, so that a reader finds it again."""
    from bisect import bisect_right

    position = max(0, bisect_right(text.starts, start) - 1)
    last = bisect_right(text.starts, max(start, end - 1))
    if text.flat.startswith('File "', text.starts[position]) and last > position + 1:
        position = last - 1  # from a frame of a traceback to its error: the error says it
        start = text.starts[position]
    begin = max(text.starts[position], start - 80)
    stop = text.starts[last] - 1 if last < len(text.starts) else len(text.flat)
    return text.flat[begin : min(stop, begin + 300)].strip()

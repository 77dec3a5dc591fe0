"""Which of the known messages stand in a text."""

from __future__ import annotations

import re
from bisect import bisect_right

from gpudoctor.kb.findings import signatures
from gpudoctor.kb.findings.signatures import Cause, Signature
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.value import dataclass
from gpudoctor.triage.signatures.codes import codes
from gpudoctor.triage.signatures.marks import Marks, compiled
from gpudoctor.triage.text.anchored import places
from gpudoctor.triage.text.cleaned_text import Text
from gpudoctor.triage.text.nature import only_mentions

_CODE_WEIGHT = 62
# What would be, as people explain it to others; in what somebody says of themselves it is told.
_SUPPOSED = late_pattern(
    r"\b(?:if|when|whenever) (?:you|users?|one|people|they)\b|\botherwise\b.{0,60}\bwill\b", re.I
)
_WORDS = "what people write"
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
    """Every known message in the text; where there is none, the errors by number or name."""
    return messages(text, marks) or named_errors(text)


def named_errors(text: Text) -> tuple[Hit, ...]:
    """The errors of CUDA and its libraries by their names, numbers or own words."""
    found = []
    for row, start, end in codes(text):
        line = text.line_at(start)
        source = " ".join(text.lines[line].split())
        if text.is_typed(start, end) or only_mentions(source, _column(text, line, start)):
            continue
        name = row.cause or "cuda-error-unclassified"
        signature = Signature(
            id=row.names[0].lower(),
            made_by=f"{row.library} {row.number}, {row.names[0]}",
            anchors=(),
            pattern="",
            says=row.says,
            causes=(Cause(name=name, weight=_CODE_WEIGHT),),
        )
        found.append(Hit(signature=signature, line=line, quote=_quote(text, start, end)))
    return tuple(found)


def families(text: Text, marks: Marks) -> tuple[Hit, ...]:
    """The errors of known families, for a text of which no known message names a cause."""
    return messages(text, marks, general=True)


def messages(text: Text, marks: Marks, *, general: bool = False) -> tuple[Hit, ...]:
    """Every message of the table that something put out in the text, in the order of the table.

    `general`: those of the rows for whole families instead.
    """
    found = []
    for row in signatures.signatures():
        if row.general is not general:
            continue
        if row.anchors and not text.has_any(row.anchors):
            continue
        if not all(marks.holds(name) for name in row.also):
            continue
        if any(marks.holds(name) for name in row.unless):
            continue
        if row.cure and not (marks.holds("failure-sign") and marks.holds("complaint")):
            continue
        if not row.anchors:
            found.append(Hit(signature=row, line=0, quote=""))
        elif hit := _first(row, text):
            found.append(hit)
    return tuple(found)


def _first(row: Signature, text: Text) -> Hit | None:
    for count, match in enumerate(
        places(compiled(row.pattern), row.anchors, row.reach, text.flat, text.lower)
    ):
        if count >= _TRIES:
            return None
        line = text.line_at(match.start())
        source = " ".join(text.lines[line].split()) if text.lines else ""
        column = _column(text, line, match.start())
        if match.end() == match.start() or only_mentions(source, column):
            continue
        if row.made_by == _WORDS and _SUPPOSED.search(_sentence(text, match.start(), match.end())):
            continue
        # A command says nothing of itself; beside a complaint it may be the cure that was tried.
        if row.cure or not text.is_typed(match.start(), match.end()):
            return Hit(signature=row, line=line, quote=_quote(text, match.start(), match.end()))
    return None


def _sentence(text: Text, start: int, end: int) -> str:
    """The words from the beginning of the sentence on in which something stands, to its end."""
    before = text.flat[max(0, start - 160) : start]
    return before[before.rfind(". ") + 1 :] + text.flat[start:end]


def _column(text: Text, line: int, offset: int) -> int:
    position = max(0, bisect_right(text.starts, offset) - 1)
    del line
    return offset - text.starts[position] if text.starts else 0


def _quote(text: Text, start: int, end: int) -> str:
    """The message with the rest of its line, so that a reader finds it again."""
    position = max(0, bisect_right(text.starts, start) - 1)
    last = bisect_right(text.starts, max(start, end - 1))
    if text.flat.startswith('File "', text.starts[position]) and last > position + 1:
        position = last - 1  # from a frame of a traceback to its error: the error says it
        start = text.starts[position]
    begin = max(text.starts[position], start - 80)
    stop = text.starts[last] - 1 if last < len(text.starts) else len(text.flat)
    return text.flat[begin : min(stop, begin + 300)].strip()

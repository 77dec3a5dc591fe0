"""Phrases of a signature's `meaning` as a regular expression, with the words that anchor it.

A phrase is a list of words that stand in this order with at most three others between them.
`fall|fell|fallen` is a choice, `paraphras*` any word with that beginning, `(very)` a word that
may be missing, `<cannot>` one of the named choices of signature_marks.yaml. Inflections are so
written out, articles and quotation marks need not be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_GAP = r"(?:\W{1,6}[\w'+.-]{1,30}){0,3}?\W{1,6}"
_SHORTEST_ANCHOR = 4
# Words that stand everywhere in such texts: looking for them tells nothing.
_COMMON = frozenset(
    (
        *("cuda", "driver", "drivers", "error", "failed", "file", "install", "kernel"),
        *("library", "memory", "module", "nvidia", "package", "python", "pytorch"),
        *("system", "torch", "version"),
    )
)


def compiled(phrases: Sequence[str], named: Mapping[str, Sequence[str]]) -> str:
    """One regular expression that matches each of the phrases."""
    return "|".join(_phrase(phrase, named) for phrase in phrases)


def anchors(phrases: Sequence[str], named: Mapping[str, Sequence[str]]) -> list[str]:
    """Lower-case literals of which one stands in every text that holds one of the phrases.

    Raises:
        ValueError: a phrase has no word that is long enough to look for.
    """
    found: dict[str, None] = {}
    for phrase in phrases:
        groups = [_choices(word, named) for word in phrase.split() if not word.startswith("(")]
        # Words of one choice may be joined by a hyphen in the text: the longest of them is sought.
        groups = [[max(re.split(r"[ '-]", text), key=len) for text in group] for group in groups]
        usable = [group for group in groups if min(map(len, group)) >= _SHORTEST_ANCHOR]
        if usable and not any(map(_COMMON.isdisjoint, usable)):
            usable += [group for group in groups if min(map(len, group)) == _SHORTEST_ANCHOR - 1]
        if not usable:
            raise ValueError(f"the phrase {phrase!r} has no word of four letters to look for")
        rarest = max(usable, key=_rarity)
        found.update(dict.fromkeys(rarest))
    return list(found)


def _rarity(group: Sequence[str]) -> tuple[bool, int]:
    """How seldom the words of a choice stand in a text, by what can be said of words alone."""
    return _COMMON.isdisjoint(group), min(map(len, group))


def _parts(word: str, named: Mapping[str, Sequence[str]]) -> list[str]:
    """The alternatives of one word of a phrase, named choices written out."""
    parts: list[str] = []
    for part in word.strip("()").split("|"):
        parts += named[part.strip("<>")] if part.startswith("<") else [part]
    return parts


def _choices(word: str, named: Mapping[str, Sequence[str]]) -> list[str]:
    return [part.rstrip("*").replace("_", " ").lower() for part in _parts(word, named)]


def _phrase(phrase: str, named: Mapping[str, Sequence[str]]) -> str:
    pattern = ""
    for word in phrase.split():
        one = _word(word, named)
        gap = _GAP if pattern else ""
        pattern += f"(?:{gap}{one})?" if word.startswith("(") else f"{gap}{one}"
    return pattern


def _word(word: str, named: Mapping[str, Sequence[str]]) -> str:
    written = []
    for part in _parts(word, named):
        text = r"\W{1,2}".join(re.escape(piece) for piece in re.split(r"[_ ]", part.rstrip("*")))
        written.append(text + (r"\w{0,12}" if part.endswith("*") else ""))
    return rf"(?<!\w)(?:{'|'.join(written)})(?!\w)"

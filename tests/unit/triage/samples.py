"""Texts that a pattern matches, made from the pattern itself: one for each way at its top."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gpudoctor.kb.authoring.reach import PARSER

FILLER = "x"


def samples(pattern: str) -> Iterator[str]:
    """The shortest text of each alternative, as far as the pattern takes it."""
    compiled = re.compile(pattern, re.IGNORECASE)
    for text in _ways(PARSER.parse(pattern, re.IGNORECASE), deep=True):
        if compiled.search(text):
            yield text


def _ways(tree: Any, *, deep: bool) -> list[str]:
    texts = [""]
    for operator, argument in tree:
        name = str(operator)
        if name == "LITERAL":
            parts = [chr(argument)]
        elif name in ("ANY", "NOT_LITERAL"):
            parts = [FILLER]
        elif name == "IN":
            parts = [_one_of(argument)]
        elif name == "BRANCH":
            parts = [text for way in argument[1] for text in _ways(way, deep=False)]
            parts = parts if deep else parts[:1]
        elif name == "SUBPATTERN":
            parts = _ways(argument[3], deep=deep)
        elif name == "ATOMIC_GROUP":
            parts = _ways(argument, deep=deep)
        elif name.endswith("_REPEAT"):
            least = argument[0]
            parts = [text * least for text in _ways(argument[2], deep=False)]
        else:
            parts = [""]
        texts = [text + part for text in texts for part in parts]
    return texts


def _one_of(items: Any) -> str:
    for operator, argument in items:
        name = str(operator)
        if name == "NEGATE":
            return FILLER
        if name == "LITERAL":
            return chr(argument)
        if name == "RANGE":
            return chr(argument[0])
        if name == "CATEGORY":
            return "7" if "DIGIT" in str(argument) else " " if "NOT" not in str(argument) else "x"
    return FILLER

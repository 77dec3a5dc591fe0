"""How far a pattern looks: a long text is searched only so far around its words."""

from __future__ import annotations

import importlib
import re
import sys
from typing import Any

LEAST = 250
MOST = 4500
"""No row of the tables looks further; an unbounded repetition counts as this."""

# The standard library's own parser of patterns; its name changed with Python 3.11.
PARSER: Any = importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")


def reach(pattern: str) -> int:
    """The longest match with all that it looks ahead and back for, between `LEAST` and `MOST`."""
    tree = PARSER.parse(pattern, re.IGNORECASE)
    # One more, for the letter behind a boundary of a word.
    return max(LEAST, min(MOST, _widest(tree) + 1))


def _widest(tree: Any) -> int:
    total = 0
    for operator, argument in tree:
        name = str(operator)
        if name == "BRANCH":
            total += max(_widest(branch) for branch in argument[1])
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            total += min(MOST, argument[1]) * _widest(argument[2])
        elif name in ("ASSERT", "ASSERT_NOT"):
            total += _widest(argument[1])
        elif name == "SUBPATTERN":
            total += _widest(argument[3])
        elif name == "ATOMIC_GROUP":
            total += _widest(argument)
        elif name in ("LITERAL", "NOT_LITERAL", "ANY", "IN", "RANGE", "CATEGORY"):
            total += 1
        elif name != "AT":
            return MOST  # a reference to what was found before: as long as that was
        total = min(total, MOST)
    return total

"""Regular expressions that are compiled when they are first used.

To compile one takes 50 to 700 microseconds, and Python keeps none of it from one start to the
next; the seventy that a check meets were a tenth of it, and it uses a third of them.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


def late_pattern(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """`re.compile(text, flags)`, put off until it is first used by one of its methods.

    It is used as a compiled one is, but for the functions of `re`, which take no other kind.
    """
    return cast("re.Pattern[AnyStr]", _Late(text, flags))


class _Late:
    """Stands for the pattern; each of its names is looked up once, then it is an own attribute."""

    def __init__(self, text: Any, flags: int) -> None:
        self._asked = (text, flags)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked for by copying and the like; patterns have none
            raise AttributeError(name)
        found = getattr(re.compile(*self._asked), name)  # `re` keeps what it compiled
        setattr(self, name, found)
        return found

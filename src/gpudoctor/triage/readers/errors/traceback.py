"""Python tracebacks: where the program itself was when the error came."""

from __future__ import annotations

import re

from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.value import dataclass
from gpudoctor.triage.text.cleaned_text import Text

_FRAME = late_pattern(r'^\s*File "([^"\n]{1,400})", line (\d{1,7})(?:, in ([^\n]{1,120}))?')
_LIBRARY = late_pattern(
    r"site-packages|dist-packages|/lib/python\d|\\lib\\(?!site)|<frozen |^<(?!ipython|stdin)"
    r"|importlib|multiprocessing",
    re.I,
)


# The last line of a traceback, and what other languages' programs print of an error.
_RAISED = late_pattern(
    r"^\s{0,8}(?:[\w.]{1,80}\.)?(?:[A-Z]\w{1,60}(?:Error|Exception|Interrupt)|[A-Z]\w{0,40}Error)"
    r"(?:: [^\n]{1,200})?$|^\s{0,8}(?:fatal |panic: |uncaught )?error: [^\n]{4,200}$",
    re.I,
)


def last_error(text: Text) -> str | None:
    """The last line that is an error of a program; `None` where none stands in the text."""
    for number in range(len(text.lines) - 1, -1, -1):
        line = text.lines[number]
        if len(line) < 400 and number not in text.typed and _RAISED.match(line):
            return line.strip()[:200]
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One line of a traceback."""

    file: str
    line: int
    function: str | None
    code: str | None
    """The source line below it, where the traceback shows it."""


def own_frame(text: Text, before: int | None = None) -> Frame | None:
    """The last frame outside of libraries, above line `before`; `None` where there is none.

    For an asynchronous CUDA error it is where the error was noticed, which may lie behind the
    line that caused it.
    """
    found: Frame | None = None
    for number, line in enumerate(text.lines):
        if before is not None and number > before:
            break
        match = _FRAME.match(line[:600])
        if match and not _LIBRARY.search(match[1]):
            code = text.lines[number + 1].strip()[:160] if number + 1 < len(text.lines) else None
            found = Frame(
                file=match[1],
                line=int(match[2]),
                function=match[3],
                code=code if code and not code.startswith("File ") else None,
            )
    return found

"""Lists of hosts as Slurm writes them: `n[01-03,07],login1` is n01, n02, n03, n07 and login1.

The form is that of `scontrol show hostnames` (Slurm documentation, "scontrol", hostlist
expressions): ranges keep their leading zeros, and a name may have several brackets.
"""

from __future__ import annotations

import re

from gpudoctor.errors import UsageError

MOST = 200_000
"""Hosts that a list may name."""

_BRACKET = re.compile(r"\[([^\[\]]*)\]")
_RANGE = re.compile(r"(\d+)(?:-(\d+))?\Z", re.ASCII)


def expand(text: str) -> tuple[str, ...]:
    """The names of a list, in its order, each once.

    Raises:
        UsageError: it is no such list, or names too many hosts.
    """
    names: dict[str, None] = {}
    for part in _parts(text):
        for name in _names(part, text, MOST - len(names)):
            names[name] = None
    if not names:
        raise UsageError(f"--expect takes a list of hosts such as n[01-48], not {text!r}")
    return tuple(names)


def _parts(text: str) -> list[str]:
    """The list cut at its commas and blanks, but not at those inside brackets."""
    parts, depth, current = [], 0, ""
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if depth not in (0, 1):
            raise UsageError(f"--expect: the brackets of {text!r} do not match")
        if depth == 0 and (letter == "," or letter.isspace()):
            parts.append(current)
            current = ""
        else:
            current += letter
    if depth:
        raise UsageError(f"--expect: the brackets of {text!r} do not match")
    return [part for part in (*parts, current) if part]


def _names(part: str, whole: str, room: int) -> list[str]:
    bracket = _BRACKET.search(part)
    if bracket is None:
        return [part]
    head, tail = part[: bracket.start()], part[bracket.end() :]
    numbers: list[str] = []
    for item in bracket[1].split(","):
        found = _RANGE.match(item.strip())
        if found is None:
            raise UsageError(f"--expect: {item!r} in {whole!r} is no range such as 01-48")
        first, last = found[1], found[2] or found[1]
        if int(last) - int(first) >= room or len(numbers) > room:
            raise UsageError(f"--expect: {whole[:60]!r} names more than {MOST} hosts")
        numbers += [str(n).zfill(len(first)) for n in range(int(first), int(last) + 1)]
    rest = _names(tail, whole, max(1, room // max(1, len(numbers)))) if tail else [""]
    return [head + number + end for number in numbers for end in rest]

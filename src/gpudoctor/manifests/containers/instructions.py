"""The instructions of a Dockerfile: continued lines, comments between them, heredocs, JSON forms.

Source: docs.docker.com/reference/dockerfile.
"""

from __future__ import annotations

import json
import re

from gpudoctor.model.value import dataclass

_WORD = re.compile(r"\s*([A-Za-z]+)\s+(.*)\Z", re.S)
_HEREDOC = re.compile(r"<<-?(['\"]?)([A-Za-z_][A-Za-z0-9_]*)\1")
_ESCAPE = re.compile(r"^#\s*escape\s*=\s*(\S)", re.I)
_FLAG = re.compile(r"--([a-z-]+)(?:=(\S+))?\s+")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its word in capitals, what follows, and its first line."""

    word: str
    text: str
    line: int
    flags: tuple[tuple[str, str], ...] = ()
    heredoc: tuple[str, ...] = ()
    """The lines of a heredoc, each as it stands."""
    heredoc_line: int = 0

    def flag(self, name: str) -> str | None:
        """The value of `--name=value`; `None`: it is not there."""
        return next((value for key, value in self.flags if key == name), None)

    @property
    def words(self) -> tuple[str, ...] | None:
        """The JSON form `["pip", "install"]`; `None`: it is the shell's form."""
        if not self.text.lstrip().startswith("["):
            return None
        try:
            found = json.loads(self.text)
        except ValueError:
            return None
        return tuple(map(str, found)) if isinstance(found, list) else None


def instructions(text: str) -> list[Instruction]:
    """All instructions, in order; what is none is passed over."""
    lines = text.split("\n")
    escape = "\\"
    for line in lines[:3]:
        found = _ESCAPE.match(line)
        if found:
            escape = found[1]
    made = []
    position = 0
    while position < len(lines):
        first = position
        joined = ""
        going = True
        while going and position < len(lines):
            raw = lines[position]
            position += 1
            if raw.lstrip().startswith("#") or (joined and not raw.strip()):
                # Comments and empty lines inside a continued line are dropped.
                going = bool(joined)
                continue
            going = raw.rstrip().endswith(escape)
            joined += (raw.rstrip()[:-1] if going else raw) + " "
        found = _WORD.match(joined)
        if not found:
            continue
        body, start = [], position
        for mark in _HEREDOC.finditer(found[2]) if found[1].upper() in ("RUN", "COPY") else ():
            while position < len(lines) and lines[position].strip() != mark[2]:
                body.append(lines[position])
                position += 1
            position += 1
        flags, rest = _flags(found[2].strip())
        made.append(Instruction(found[1].upper(), rest, first + 1, flags, tuple(body), start + 1))
    return made


def _flags(text: str) -> tuple[tuple[tuple[str, str], ...], str]:
    flags = []
    while found := _FLAG.match(text):
        flags.append((found[1], found[2] or ""))
        text = text[found.end() :]
    return tuple(flags), text

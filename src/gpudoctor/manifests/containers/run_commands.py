"""The commands in a RUN line, as far as a plain reading can follow them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from gpudoctor.model.value import dataclass, replace

_VARIABLE = re.compile(
    r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+])([^}]*))?\}|([A-Za-z_][A-Za-z0-9_]*))"
)
_CONTROL = (
    "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac",
    "{", "}", "(", ")", "!",
)  # fmt: skip
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z", re.S)


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """One simple command, with the variables set for it alone."""

    words: tuple[str, ...]
    variables: tuple[tuple[str, str], ...] = ()
    writes: str = ""
    """The file that its output goes to."""
    alternative: bool = False
    """Whether it runs only where the command before it failed (`||`)."""


def expand(text: str, variables: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The text with its variables filled in, and the names of those that have no value."""
    missing: list[str] = []

    def value(found: re.Match[str]) -> str:
        name, how, other = found[1] or found[4], found[2], found[3] or ""
        have = variables.get(name)
        if how in ("-", ":-"):
            return have or other
        if how in ("+", ":+"):
            return other if have else ""
        if have is None:
            missing.append(name)
            return found[0]
        return have

    return _VARIABLE.sub(value, text), tuple(missing)


def commands(line: str) -> list[ShellCommand] | None:
    """The simple commands of a shell line; `None`: it branches, loops or computes words."""
    if "$(" in line or "`" in line:
        return None
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|()<>")
        lexer.whitespace_split = True
        lexer.commenters = ""
        words = list(lexer)
    except ValueError:
        return None
    made: list[ShellCommand] = []
    current: list[str] = []
    alternative = False
    for word in [*words, ";"]:
        if word and all(character in ";&|" for character in word):
            if current:
                made.append(replace(_command(current), alternative=alternative))
            alternative = word == "||"
            current = []
        else:
            current.append(word)
    if any(command.words and command.words[0] in _CONTROL for command in made):
        return None
    return made


def _command(words: list[str]) -> ShellCommand:
    variables = []
    rest = list(words)
    while rest and (found := _ASSIGNMENT.match(rest[0])):
        variables.append((found[1], found[2]))
        rest.pop(0)
    kept = []
    writes = ""
    mark = ""
    for word in rest:
        if mark:  # a redirection's target
            writes, mark = word if ">" in mark else writes, ""
        elif word and all(character in "<>&" for character in word):
            mark = word
        else:
            kept.append(word)
    return ShellCommand(tuple(kept), tuple(variables), writes=writes)


def branches(line: str) -> bool:
    """Whether a line of shell begins a branch, a loop or a function."""
    first = (line.split() or [""])[0]
    return first in _CONTROL or "()" in line


def heredoc_kind(text: str) -> str:
    """What the lines of a heredoc are, by the command that takes them: `shell`, `program`, else the
    file that they are written to."""
    bare = re.sub(r"<<-?(['\"]?)\w+\1", " ", text)
    if target := re.search(r">>?\s*(\S+)", bare):
        return target[1]
    words = bare.split()
    if not words or words[0].rsplit("/", 1)[-1] in ("sh", "bash", "set"):
        return "shell"
    return "program"

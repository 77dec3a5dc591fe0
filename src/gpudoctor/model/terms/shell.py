"""Command lines as people type them: POSIX shells, PowerShell, and Windows' cmd.

Each function turns an argument list into one line that the shell hands to the program unchanged.
Sources: POSIX.1-2017, Shell Command Language 2.2 (quoting); Microsoft, about_Quoting_Rules and
about_Parsing (PowerShell); Microsoft C runtime, "Parsing C command-line arguments", and the
escaping rules of cmd.exe (`cmd /?`, read 2026-11-20).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.step import Risk, Step, StepKind

_POSIX_PLAIN = late_pattern(r"[A-Za-z0-9_@%+=:,./-]+\Z", re.ASCII)
# `+ = : . / \ -` and letters mean nothing special inside a PowerShell argument; a comma makes an
# array, `@` a splat, a leading `-` with a dot or a colon is split in two.
_POWERSHELL_PLAIN = late_pattern(
    r"(?:[A-Za-z0-9_/\\:+]|--?[A-Za-z0-9])[A-Za-z0-9_+=./\\:-]*\Z", re.ASCII
)
_POWERSHELL_OPTION_SPLIT = late_pattern(r"-[A-Za-z][^=]*[.:]", re.ASCII)
_CMD_PLAIN = late_pattern(r"[A-Za-z0-9_@+=:./\\~#\[\]{}-]+\Z", re.ASCII)


def posix(argv: Sequence[str]) -> str:
    """For sh, bash, zsh, dash: `python -m pip install 'torch>=2.9'`."""
    return " ".join(_posix_word(word) for word in argv)


def powershell(argv: Sequence[str]) -> str:
    """For PowerShell; a quoted program is called with `&`, or it would only be printed."""
    words = [_powershell_word(word) for word in argv]
    if words and words[0].startswith("'"):
        words.insert(0, "&")
    return " ".join(words)


def cmd(argv: Sequence[str]) -> str:
    """For cmd.exe at its prompt.

    Two parsers read the line: cmd, which knows `& | < > ( ) ^` outside of quotes, and the
    program's C runtime, which knows quotes and backslashes. `%NAME%` cannot be escaped inside
    quotes at a prompt; `^%` outside of them keeps cmd from seeing a variable's name.
    """
    return " ".join(_cmd_word(word) for word in argv)


def environment(name: str, value: str | None) -> tuple[str, str, str]:
    """How to set a variable (or to remove it, with `None`), in POSIX, PowerShell and cmd."""
    if value is None:
        return (f"unset {name}", f"Remove-Item Env:{name}", f"set {name}=")
    return (
        f"export {name}={_posix_word(value)}",
        f"$env:{name} = {_powershell_quoted(value)}",
        f'set "{name}={value}"',
    )


def command_step(
    kind: StepKind,
    text: str,
    argv: Sequence[str],
    *,
    risk: Risk = "low",
    executable: bool = True,
) -> Step:
    """A step that is a command, written for all three shells.

    With `executable=False` the step has no `argv`: it is printed and never run by gpudoctor.
    """
    return Step(
        kind=kind,
        text=text,
        argv=tuple(argv) if executable else (),
        posix=posix(argv),
        powershell=powershell(argv),
        cmd=cmd(argv),
        risk=risk,
    )


def environment_step(text: str, variables: Mapping[str, str | None], kind: StepKind) -> Step:
    """A step that sets (or with `None` removes) environment variables."""
    lines = [environment(name, value) for name, value in variables.items()]
    return Step(
        kind=kind,
        text=text,
        posix="; ".join(line[0] for line in lines),
        powershell="; ".join(line[1] for line in lines),
        cmd=" & ".join(line[2] for line in lines),
    )


def posix_step(kind: StepKind, text: str, line: str, *, risk: Risk = "medium") -> Step:
    """A step that only a POSIX shell has: a line as typed there, pipes and `sudo` included."""
    return Step(kind=kind, text=text, posix=line, risk=risk)


def sentence_step(kind: StepKind, text: str) -> Step:
    """A step that is no command."""
    return Step(kind=kind, text=text, risk="medium")


def _posix_word(word: str) -> str:
    if _POSIX_PLAIN.match(word) and not word.startswith("="):  # zsh expands =name
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"


def _powershell_word(word: str) -> str:
    if _POWERSHELL_PLAIN.match(word) and not _POWERSHELL_OPTION_SPLIT.match(word):
        return word
    return _powershell_quoted(word)


def _powershell_quoted(word: str) -> str:
    # PowerShell takes the typographic quotes for quotes as well.
    return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", word) + "'"


def _cmd_word(word: str) -> str:
    if _CMD_PLAIN.match(word):
        return word
    quoted = _c_runtime_quoted(word)
    if '"' not in word and "%" not in word:
        return quoted  # inside quotes cmd leaves its metacharacters alone
    # A quote inside the word ends what cmd takes for quoted: escape every character that cmd
    # knows, the quotes included, so that cmd sees no quotes at all.
    return re.sub(r'([&|<>()^"%!])', r"^\1", quoted)


def _c_runtime_quoted(word: str) -> str:
    """Backslashes count double before a quote, and before the closing one."""
    escaped = re.sub(r'(\\*)"', lambda match: match[1] * 2 + '\\"', word)
    trailing = len(escaped) - len(escaped.rstrip("\\"))
    return '"' + escaped + "\\" * trailing + '"'

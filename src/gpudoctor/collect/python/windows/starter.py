"""What a double-click on a portable program's script starts: read from the script, never run.

`run_nvidia_gpu.bat` names its interpreter in a line; `webui-user.bat` sets the variables by which
the program's own script finds one. A line that is more than that is passed over.
"""

from __future__ import annotations

import ntpath
import os
import re
from collections.abc import Iterator, Mapping

from gpudoctor.collect.python.portable import owner_of
from gpudoctor.collect.system.files import executables, is_file, read_text
from gpudoctor.kb.software.portable_programs import Program
from gpudoctor.model.value import dataclass

_PYTHONS = ("python", "python.exe", "python3", "python3.exe", "pythonw.exe")
_SET = re.compile(r'set\s+"?(\w+)\s*=\s*([^"\r\n]*?)\s*"?\s*\Z', re.IGNORECASE)
_VARIABLE = re.compile(r"%~dp0|%(\w+)%", re.IGNORECASE)
_WORD = re.compile(r'"([^"]*)"|(\S+)')
_NO_ENVIRONMENT = "-"
_SIZE = 1 << 16


@dataclass(frozen=True, slots=True)
class Starter:
    """A script that a double-click starts."""

    path: str
    python: str | None
    """The interpreter that it starts; `None` where it does not say so."""


def starter_of(prefix: str, environ: Mapping[str, str]) -> Starter | None:
    """The script that starts the program to which an environment belongs; `None` without one."""
    owner = owner_of(prefix)
    if owner is None:
        return None
    program, folder = owner
    for name in program.starters:
        path = os.path.join(folder, name)
        if is_file(path):
            return Starter(path, _python(program, folder, path, environ))
    return None


def _python(program: Program, folder: str, path: str, environ: Mapping[str, str]) -> str | None:
    variables: dict[str, str] = {}
    for line in _lines(path):
        if setting := _SET.match(line):
            variables[setting[1].upper()] = _expand(setting[2], variables, folder, environ)
            continue
        words = [quoted or bare for quoted, bare in _WORD.findall(line)]
        word = _expand(words[0], variables, folder, environ) if words else ""
        if ntpath.basename(word).lower() in _PYTHONS:
            return _absolute(word, folder, environ)
    if program.sets is None:
        return None
    chosen = variables.get(program.sets, "")
    if chosen == _NO_ENVIRONMENT:
        return _absolute(variables.get("PYTHON") or "python", folder, environ)
    place = _joined(folder, chosen or program.interpreter[0])
    return _joined(place, "Scripts/python.exe")


def _lines(path: str) -> Iterator[str]:
    """The commands of a script, without comments and labels."""
    for line in (read_text(path, _SIZE) or "").splitlines():
        command = line.strip().lstrip("@").strip()
        if command and not re.match(r"(?i)(rem\b|::|:\w)", command):
            yield command


def _expand(
    text: str, variables: Mapping[str, str], folder: str, environ: Mapping[str, str]
) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return folder + os.sep
        name = match[1].upper()
        return variables.get(name, environ.get(name, ""))

    return _VARIABLE.sub(value, text).strip('"')


def _absolute(word: str, folder: str, environ: Mapping[str, str]) -> str | None:
    if ntpath.dirname(word):
        return _joined(folder, word)
    name = ntpath.splitext(word)[0]
    return next(iter(executables(name, environ)), None)


def _joined(folder: str, place: str) -> str:
    if ntpath.splitdrive(place)[0]:
        return os.path.normpath(place)
    return os.path.normpath(os.path.join(folder, place.replace("\\", os.sep)))

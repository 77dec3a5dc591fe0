"""Which file a program's name means.

Windows would look beside our own interpreter and in the current folder before the PATH; POSIX
would not tell a missing program by its name. So the path is made here, for both.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping

from gpudoctor.collect.long_paths import startable

_PATH_ENDINGS = ".COM;.EXE;.BAT;.CMD"
"""What PATHEXT is where it is not set (cmd.exe)."""


def find_program(name: str, env: Mapping[str, str], *, anywhere: bool = False) -> str:
    """The path of the program that `name` means on the PATH of `env`.

    A folder of the PATH that is named relative to the current one is passed over: what lies in
    the folder that the person stands in may be a stranger's. With `anywhere`, for a command
    that the person typed, it counts as it does in their shell.

    Raises:
        FileNotFoundError: there is none.
        PermissionError: there is one, and it is not executable.
    """
    candidates = list(map(startable, _candidates(name, env, anywhere=anywhere)))
    for candidate in candidates:
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    if any(os.path.isfile(candidate) for candidate in candidates):
        raise PermissionError(errno.EACCES, "it is not executable", name)
    raise FileNotFoundError(errno.ENOENT, "no such program", name)


def _candidates(name: str, env: Mapping[str, str], *, anywhere: bool) -> Iterator[str]:
    endings = _endings(name, env, anywhere=anywhere)
    if os.path.dirname(name):
        yield from (name + ending for ending in endings)
        return
    folders = _value(env, "PATH", os.defpath).split(os.pathsep)
    if anywhere and os.name == "nt":
        folders.insert(0, os.curdir)  # as cmd.exe does
    for entry in folders:
        folder = entry.strip('"')
        if folder and (anywhere or os.path.isabs(folder)):
            yield from (os.path.join(folder, name + ending) for ending in endings)


def _endings(name: str, env: Mapping[str, str], *, anywhere: bool) -> tuple[str, ...]:
    if os.name != "nt":
        return ("",)
    known = _value(env, "PATHEXT", _PATH_ENDINGS).split(";") if anywhere else [".exe"]
    if os.path.splitext(name)[1].lower() in (".exe", *map(str.lower, known)):
        return ("",)
    return (*known, "") if os.path.dirname(name) else tuple(known)


def _value(env: Mapping[str, str], name: str, otherwise: str) -> str:
    """A variable; on Windows their names are the same in capitals and small letters."""
    if os.name != "nt" or name in env:
        return env.get(name, otherwise)
    return next((value for key, value in env.items() if key.upper() == name), otherwise)

"""Files that running programs hold: found before the first change, and named with their holder.

On Windows a file that a program has open cannot be replaced, a loaded library least of all; a
training that still runs would make an installation fail half-way. Elsewhere a held file may be
replaced, and nothing need be asked.

Sources (2026-11-21): CreateFileW and its sharing modes,
https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfilew
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from gpudoctor.collect.long_paths import below, extended, ordinary
from gpudoctor.errors import FixFailedError
from gpudoctor.fix.environment.installed import recorded_by
from gpudoctor.fix.environment.parts import Environment
from gpudoctor.fix.holders.restart_manager import programs_with
from gpudoctor.model.lazy import later

if TYPE_CHECKING:
    import ctypes
else:  # loaded when they are needed
    ctypes = later("ctypes")

_FAMILIES = ("torch", "nvidia", "triton")
"""Distributions that a change of torch takes along have names that begin so."""
_SHOWN = 3

_DELETE, _GENERIC_WRITE = 0x00010000, 0x40000000
_SHARE_ALL, _OPEN_EXISTING = 7, 3
_SHARING_VIOLATION, _LOCK_VIOLATION, _USER_MAPPED_FILE = 32, 33, 1224
_INVALID_HANDLE = -1


def refuse_held(environment: Environment, commands: Iterable[Sequence[str]]) -> None:
    """Before the first change: whether programs hold files that would have to be replaced.

    Raises:
        FixFailedError: names them, and the programs where the system tells.
    """
    if os.name != "nt":
        return
    concerned = _concerned(environment, commands)
    paths = [os.path.normpath(below(environment.prefix, path)) for path in concerned]
    held = [path for path in paths if is_held(path)]
    if not held:
        return
    shown = ", ".join(map(ordinary, held[:_SHOWN])) + (
        f" and {len(held) - _SHOWN} more" if held[_SHOWN:] else ""
    )
    who = ", ".join(holders(held[:_SHOWN])) or "a running program"
    raise FixFailedError(f"{shown} cannot be replaced while {who} uses it: close that first")


def held_by(path: str) -> str:
    """Which programs hold a file, as a further clause; nothing where that is not known."""
    who = ", ".join(holders([path]))
    return f"; {who} uses it" if who else ""


def is_held(path: str) -> bool:
    """Whether a program has the file open so that it cannot be removed or written (Windows)."""
    if os.name != "nt":
        return False

    kernel = _library("kernel32")
    kernel.CreateFileW.restype = ctypes.c_void_p
    kernel.CloseHandle.argtypes = [ctypes.c_void_p]
    try:
        read_only = not os.lstat(path).st_mode & stat.S_IWRITE
    except OSError:
        return False
    # A loaded library may be opened for removal, and not for writing; a read-only file for writing
    # by nobody, and is asked for removal alone.
    access = _DELETE if read_only else _DELETE | _GENERIC_WRITE
    handle = kernel.CreateFileW(extended(path), access, _SHARE_ALL, None, _OPEN_EXISTING, 0, None)
    if handle not in (None, ctypes.c_void_p(_INVALID_HANDLE).value):
        kernel.CloseHandle(handle)
        return False
    held = (_SHARING_VIOLATION, _LOCK_VIOLATION, _USER_MAPPED_FILE)
    return int(getattr(ctypes, "get_last_error")()) in held  # noqa: B009 - Windows alone has it


def holders(paths: Sequence[str]) -> list[str]:
    """The programs that hold files, as `python.exe (process 1234)`; empty where nobody says."""
    if os.name != "nt":
        return []

    try:
        return programs_with(_library("rstrtmgr"), paths)
    except (OSError, AttributeError):  # a Windows without it
        return []


def _library(name: str) -> Any:
    # Windows alone has it, and the types are checked on every system.
    return getattr(ctypes, "WinDLL")(name, use_last_error=True)  # noqa: B009


def _concerned(environment: Environment, commands: Iterable[Sequence[str]]) -> list[str]:
    """Files of the distributions that the commands name, and of those that go with torch."""
    words = {_name(word) for argv in commands for word in argv[1:] if not word.startswith("-")}
    return [
        path
        for distribution, paths in recorded_by(environment.prefix).items()
        if _name(distribution) in words or _name(distribution).startswith(_FAMILIES)
        for path in paths
        if path in environment.parts[0].tree
    ]


def _name(word: str) -> str:
    """`Torch_Vision==0.24+cu128` → `torch-vision`."""
    for mark in "=<>!~[;@ ":
        word = word.partition(mark)[0]
    return word.lower().replace("_", "-").replace(".", "-")

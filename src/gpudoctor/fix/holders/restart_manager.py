"""Windows' Restart Manager: which programs have files open.

Source (2026-11-21): https://learn.microsoft.com/windows/win32/api/restartmanager/, and the header
`restartmanager.h`, against which a stand-in of the tests is compiled.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

_KEY_LETTERS = 33  # CCH_RM_SESSION_KEY and its end
_MORE_DATA = 234  # ERROR_MORE_DATA
_FIRST, _MOST, _TRIES = 16, 4096, 3


class ProcessInfo(ctypes.Structure):
    """RM_PROCESS_INFO."""

    _fields_ = (
        ("pid", ctypes.c_uint32),
        ("started", ctypes.c_uint32 * 2),
        ("name", ctypes.c_uint16 * 256),
        ("service", ctypes.c_uint16 * 64),
        ("kind", ctypes.c_int),
        ("status", ctypes.c_uint32),
        ("terminal_session", ctypes.c_uint32),
        ("restartable", ctypes.c_int),
    )

    def __str__(self) -> str:
        letters = bytes(self.name).decode("utf-16-le", "replace").partition("\0")[0]
        return f"{letters} (process {self.pid})"


def programs_with(manager: Any, paths: Sequence[str]) -> list[str]:
    """The programs that have one of the files open, as `python.exe (process 1234)`.

    `manager` is the library `rstrtmgr`. Empty where it says nothing.
    """
    session = ctypes.c_uint32()
    key = ctypes.create_unicode_buffer(_KEY_LETTERS)
    if manager.RmStartSession(ctypes.byref(session), 0, key):
        return []
    try:
        names = (ctypes.c_wchar_p * len(paths))(*paths)
        if manager.RmRegisterResources(session, len(paths), names, 0, None, 0, None):
            return []
        return list(map(str, _listed(manager, session)))
    finally:
        manager.RmEndSession(session)


def _listed(manager: Any, session: ctypes.c_uint32) -> Sequence[ProcessInfo]:
    room = _FIRST
    for _ in range(_TRIES):  # more programs may come while it is asked
        needed, count, reasons = ctypes.c_uint32(), ctypes.c_uint32(room), ctypes.c_uint32()
        found = (ProcessInfo * room)()
        failed = manager.RmGetList(
            session, ctypes.byref(needed), ctypes.byref(count), found, ctypes.byref(reasons)
        )
        if not failed:
            return found[: min(count.value, room)]
        if failed != _MORE_DATA:
            return ()
        room = min(max(needed.value, room), _MOST)
    return ()

"""Whose the console is: a window that opened for us alone closes with us, before it was read.

A double-click in Explorer opens such a window. In a terminal the shell uses the console too
(https://learn.microsoft.com/windows/console/getconsoleprocesslist, read 2026-11-21).
"""

from __future__ import annotations

import ntpath
import os
import sys
from typing import TYPE_CHECKING

from gpudoctor.model.lazy import later

if TYPE_CHECKING:
    import ctypes
else:  # loaded when they are needed
    ctypes = later("ctypes")

_LAUNCHERS = ("py", "python", "gpudoctor")
"""Programs between Explorer and us: `py.exe` opens a `.pyz`, pip makes a `gpudoctor.exe`, and the
`python.exe` of a venv starts the true one; all wait for us in the same console."""
_MOST = 16
_STREAMS = (0xFFFFFFF6, 0xFFFFFFF5)  # STD_INPUT_HANDLE, STD_OUTPUT_HANDLE
_MAY_ASK_THE_NAME = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION


def is_ours_alone() -> bool:
    """Whether we read from and write to a Windows console that no other program uses."""
    if sys.platform == "win32":
        kernel32 = ctypes.windll.kernel32
        kernel32.GetStdHandle.restype = ctypes.c_void_p
        mode = ctypes.c_ulong()
        # Not isatty: to that NUL is a terminal too.
        for stream in _STREAMS:
            handle = ctypes.c_void_p(kernel32.GetStdHandle(ctypes.c_ulong(stream)))
            if not kernel32.GetConsoleMode(handle, ctypes.byref(mode)):
                return False
        ids = (ctypes.c_ulong * _MOST)()
        count = kernel32.GetConsoleProcessList(ids, _MOST)
        # More than there is room for: nobody opened that window for us.
        return 0 < count <= _MOST and all(map(_is_launcher, ids[:count]))
    return False


def wait_for_a_key() -> None:
    """Wait until a key is pressed in the console."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.getwch()


def _is_launcher(process_id: int) -> bool:
    if process_id == os.getpid():
        return True
    if sys.platform == "win32":
        kernel32 = ctypes.windll.kernel32
        kernel32.OpenProcess.restype = ctypes.c_void_p
        handle = ctypes.c_void_p(kernel32.OpenProcess(_MAY_ASK_THE_NAME, 0, process_id))
        text = ctypes.create_unicode_buffer(1 << 15)
        size = ctypes.c_ulong(len(text))
        try:
            named = kernel32.QueryFullProcessImageNameW(handle, 0, text, ctypes.byref(size))
        finally:
            kernel32.CloseHandle(handle)
        name = ntpath.basename(text.value).lower()
        return bool(named) and name.startswith(_LAUNCHERS)
    return False

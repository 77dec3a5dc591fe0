"""Runs under the Windows Python and starts programs there for the tests, one after the other.

A start from outside of Wine takes seconds where its server must come up first, and tenths of one
from a Windows process that is already there. A line of JSON asks, a line of JSON answers.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
from typing import Any

_BACKGROUND: dict[int, subprocess.Popen[bytes]] = {}


def run(ask: dict[str, Any]) -> dict[str, Any]:
    """Start one program; output goes to files, so that nobody waits for a grandchild's copy.

    With `kill_after` it is ended by TerminateProcess after so many seconds.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = _start(ask, out, err)
        killed = False
        try:
            code: int | None = started.wait(ask.get("kill_after") or ask["seconds"])
        except subprocess.TimeoutExpired:
            started.kill()
            killed = ask.get("kill_after") is not None
            code = started.wait() if killed else None
        said = []
        for file in (out, err):
            file.seek(0)
            said.append(base64.b64encode(file.read()).decode("ascii"))
    return {"code": code, "stdout": said[0], "stderr": said[1], "killed": killed}


def background(ask: dict[str, Any]) -> dict[str, Any]:
    """Start a program that goes on, and wait for its first line."""
    started = _start(ask, subprocess.PIPE, subprocess.DEVNULL)
    assert started.stdout is not None
    _BACKGROUND[started.pid] = started
    return {"pid": started.pid, "line": started.stdout.readline().decode("ascii", "replace")}


def stop(ask: dict[str, Any]) -> dict[str, Any]:
    """End a program that went on."""
    started = _BACKGROUND.pop(ask["stop"])
    started.kill()
    return {"code": started.wait()}


def processes(_ask: dict[str, Any]) -> dict[str, Any]:
    """The ids and names of all processes (CreateToolhelp32Snapshot)."""
    import ctypes
    from ctypes import wintypes

    class Entry(ctypes.Structure):
        """PROCESSENTRY32W."""

        _fields_ = (
            *((name, wintypes.DWORD) for name in ("size", "usage", "pid")),
            ("heap", ctypes.c_size_t),
            *((name, wintypes.DWORD) for name in ("module", "threads", "parent")),
            ("priority", wintypes.LONG),
            ("flags", wintypes.DWORD),
            ("name", ctypes.c_wchar * 260),
        )

    kernel = ctypes.WinDLL("kernel32")
    kernel.CreateToolhelp32Snapshot.restype = ctypes.c_void_p
    snapshot = ctypes.c_void_p(kernel.CreateToolhelp32Snapshot(2, 0))
    entry, found = Entry(size=ctypes.sizeof(Entry)), {}
    more = kernel.Process32FirstW(snapshot, ctypes.byref(entry))
    while more:
        found[str(entry.pid)] = entry.name
        more = kernel.Process32NextW(snapshot, ctypes.byref(entry))
    kernel.CloseHandle(snapshot)
    return {"processes": found}


def _start(ask: dict[str, Any], out: Any, err: Any) -> subprocess.Popen[bytes]:
    argv = [sys.executable if word == "{python}" else word for word in ask["argv"]]
    environ = {**os.environ, **ask["environ"]}
    return subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=ask["folder"], env=environ
    )


_ANSWERS = {"background": background, "stop": stop, "processes": processes}


def main() -> None:
    """Answer until the asker is gone."""
    for line in sys.stdin:
        ask = json.loads(line)
        answer = next((_ANSWERS[name] for name in _ANSWERS if name in ask), run)
        try:
            said = answer(ask)
        except OSError as error:
            said = {"code": None, "stdout": "", "stderr": "", "error": str(error)}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


main()

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
import time
from typing import IO, Any

_INTERNAL_ERROR = 1359
"""What Wine says, now and then, where it was too busy to start a program."""
_POLL_SECONDS = 0.005
_BACKGROUND: dict[int, subprocess.Popen[bytes]] = {}


def run(ask: dict[str, Any]) -> dict[str, Any]:
    """Start one program; output goes to files, so that nobody waits for a grandchild's copy.

    With `kill_after` it is ended by TerminateProcess after so many seconds, which count from where
    it has said `kill_mark`. `marks` asks when it said each of them, in seconds from its start.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        paths = [os.path.join(folder, name) for name in ("out", "err")]
        with open(paths[0], "wb") as out, open(paths[1], "wb") as err:
            started = _start(ask, out, err)
            with open(paths[1], "rb") as said:
                code, killed, seen = _follow(started, said, ask)
        texts = []
        for path in paths:
            with open(path, "rb") as file:
                texts.append(base64.b64encode(file.read()).decode("ascii"))
    return {"code": code, "stdout": texts[0], "stderr": texts[1], "killed": killed, "seen": seen}


def _follow(
    started: subprocess.Popen[bytes], said: IO[bytes], ask: dict[str, Any]
) -> tuple[int | None, bool, dict[str, float]]:
    """Its exit code, whether it was killed as asked, and when it said what."""
    begun = time.monotonic()
    mark, after = ask.get("kill_mark") or "", ask.get("kill_after")
    if after is None and not ask.get("marks"):
        try:
            return started.wait(ask["seconds"]), False, {}
        except subprocess.TimeoutExpired:
            started.kill()
            return None, False, {}
    text, seen = b"", {}
    strike = begun + after if after is not None and not mark else None
    while (code := started.poll()) is None:
        now = time.monotonic()
        text += said.read()
        for each in ask.get("marks", ()):
            if each not in seen and each.encode() in text:
                seen[each] = now - begun
        if strike is None and after is not None and mark.encode() in text:
            strike = now + after
        if (strike is not None and now >= strike) or now - begun > ask["seconds"]:
            started.kill()
            return started.wait(), strike is not None, seen
        time.sleep(_POLL_SECONDS)
    return code, False, {**seen, "": time.monotonic() - begun}


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


def _answered(ask: dict[str, Any]) -> dict[str, Any]:
    answer = next((_ANSWERS[name] for name in _ANSWERS if name in ask), run)
    try:
        return answer(ask)
    except OSError as error:
        if error.winerror == _INTERNAL_ERROR and not ask.get("again"):
            time.sleep(1)
            return _answered({**ask, "again": True})
        return {"code": None, "stdout": "", "stderr": "", "error": str(error)}


_ANSWERS = {"background": background, "stop": stop, "processes": processes}


def main() -> None:
    """Answer until the asker is gone."""
    for line in sys.stdin:
        said = _answered(json.loads(line))
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


main()

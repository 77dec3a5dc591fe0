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


def run(ask: dict[str, Any]) -> dict[str, Any]:
    """Start one program; output goes to files, so that nobody waits for a grandchild's copy."""
    argv = [sys.executable if word == "{python}" else word for word in ask["argv"]]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=ask["folder"],
            env={**os.environ, **ask["environ"]},
        )
        try:
            code: int | None = started.wait(ask["seconds"])
        except subprocess.TimeoutExpired:
            started.kill()
            code = None
        said = []
        for file in (out, err):
            file.seek(0)
            said.append(base64.b64encode(file.read()).decode("ascii"))
    return {"code": code, "stdout": said[0], "stderr": said[1]}


def main() -> None:
    """Answer until the asker is gone."""
    for line in sys.stdin:
        try:
            answer = run(json.loads(line))
        except OSError as error:
            answer = {"code": None, "stdout": "", "stderr": "", "error": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


main()

"""The program as others meet it: as a process, and (for many questions at once) as a function."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

COMMANDS = (
    "check",
    "fix",
    "plan",
    "smoke",
    "scan",
    "triage",
    "run",
    "report",
    "explain",
    "facts",
    "kb",
)


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """Its stdout, which must be one JSON object and nothing else."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


def program(
    *arguments: str,
    stdin: str | bytes = b"",
    env: dict[str, str] | None = None,
    cwd: str | None = None,
    seconds: float = 60,
) -> Answer:
    """The installed program in a process of its own, with an environment that says little."""
    base = {"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent", "LANG": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-m", "gpudoctor", *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        env=base if env is None else env,
        cwd=cwd,
        capture_output=True,
        timeout=seconds,
        check=False,
    )
    return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())


class _Stdin:
    """A stdin that holds bytes and is no terminal."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)

    def isatty(self) -> bool:
        return False


def inside(*arguments: str, stdin: str | bytes = b"") -> Answer:
    """The same command line in this process: its start costs nothing, so hundreds can be asked."""
    from gpudoctor.cli.main import run

    out, err = io.StringIO(), io.StringIO()
    before = sys.stdin
    sys.stdin = _Stdin(stdin.encode() if isinstance(stdin, str) else stdin)  # type: ignore[assignment]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(list(arguments))
    finally:
        sys.stdin = before
    return Answer(code, out.getvalue(), err.getvalue())


def judged(sheet: Any, *arguments: str) -> Answer:
    """What `check --facts -` says of a sheet."""
    return inside("check", "--facts", "-", "--json", *arguments, stdin=json.dumps(sheet))


def found(report: dict[str, Any], *severities: str) -> list[str]:
    """Names of the findings of those severities (errors and warnings unless said), in order."""
    wanted = severities or ("error", "warning")
    return [f["name"] for f in report["findings"] if f["severity"] in wanted]

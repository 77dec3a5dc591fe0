"""One visit of the installed program to a stand-in machine, and its reports made comparable."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Any

from machines.build import build, command
from machines.catalogue import Case
from machines.rights import give_up_roots_rights

_PLACEHOLDER = "/tmp/gpudoctor-machines"
# What differs from run to run, or with every edit of the knowledge base.
_CHANGING = ("timings_ms", "knowledge", "tool")


@dataclass(frozen=True, slots=True)
class Visit:
    """What the program said."""

    code: int
    report: dict[str, Any]
    text: str
    stderr: str

    @property
    def found(self) -> tuple[str, ...]:
        """Names of the errors and warnings, root cause first."""
        return tuple(f["name"] for f in self.report["findings"] if f["severity"] != "info")


def visit(case: Case) -> Visit:
    """Build the machine in a folder of its own and run `gpudoctor check` there."""
    # The name is as long as the placeholder, so that nothing wraps differently.
    with tempfile.TemporaryDirectory(prefix="gpudoctor-", dir="/tmp") as folder:
        env = build(case.machine, os.path.join(folder))
        text = os.path.join(folder, "report.txt")
        argv = command("check", "--json", "--output", f"text={text}", "--smoke", "off")
        done = subprocess.run(
            [*argv, *case.arguments],
            env=env,
            cwd=env["HOME"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            preexec_fn=give_up_roots_rights if case.plain_user else None,
        )
        try:
            report = json.loads(done.stdout)
        except ValueError:
            raise AssertionError(f"no report: {done.returncode}\n{done.stderr}") from None
        with open(text, encoding="utf-8") as file:
            shown = file.read()
        return Visit(
            done.returncode,
            json.loads(_plain(json.dumps(report), folder)),
            _plain(shown, folder),
            done.stderr,
        )


def comparable(report: dict[str, Any]) -> dict[str, Any]:
    """The report without what differs from run to run."""
    return {key: value for key, value in report.items() if key not in _CHANGING}


def _plain(text: str, folder: str) -> str:
    text = text.replace(folder, _PLACEHOLDER)
    return re.sub(r"process \d+ is stuck", "process 4711 is stuck", text)

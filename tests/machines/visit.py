"""One visit of the installed program to a stand-in machine, and its reports made comparable."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Any

from machines.build import build, command
from machines.case import Case
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
        if case.machine is not None:
            env = build(case.machine, folder)
            return _check(case, folder, env, ["--smoke", "off"])
        os.makedirs(os.path.join(folder, "home"))
        env = {"PATH": "", "HOME": f"{folder}/home", "COLUMNS": "100", "NO_COLOR": "1"}
        return _check(case, folder, env, ["--facts", _sheet_file(folder, case.sheet)])


def replay(case: Case, saved: dict[str, Any]) -> Visit:
    """What the doctor says of a saved report, or of a fact sheet."""
    with tempfile.TemporaryDirectory(prefix="gpudoctor-", dir="/tmp") as folder:
        os.makedirs(os.path.join(folder, "home"))
        env = {"PATH": "", "HOME": f"{folder}/home", "COLUMNS": "100", "NO_COLOR": "1"}
        allowed = [word for word in case.arguments if word == "--allow-cpu"]
        plain = Case(arguments=tuple(allowed))
        return _check(plain, folder, env, ["--facts", _sheet_file(folder, saved)])


def saved_facts(case: Case) -> dict[str, Any]:
    """What `gpudoctor facts` saves of a machine, private details removed."""
    assert case.machine is not None
    with tempfile.TemporaryDirectory(prefix="gpudoctor-", dir="/tmp") as folder:
        env = build(case.machine, folder)
        done = subprocess.run(
            command("facts", "--json"),
            env=env,
            cwd=env["HOME"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        sheet: dict[str, Any] = json.loads(done.stdout)
        return sheet


def _sheet_file(folder: str, sheet: dict[str, Any] | None) -> str:
    path = os.path.join(folder, "facts.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(sheet, file)
    return path


def _check(case: Case, folder: str, env: dict[str, str], arguments: list[str]) -> Visit:
    text = os.path.join(folder, "report.txt")
    done = subprocess.run(
        [*command("check", "--json", "--output", f"text={text}"), *arguments, *case.arguments],
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
    plain = json.loads(json.dumps(report).replace(folder, _PLACEHOLDER))
    return Visit(done.returncode, plain, shown.replace(folder, _PLACEHOLDER), done.stderr)


def comparable(report: dict[str, Any]) -> dict[str, Any]:
    """The report without what differs from run to run."""
    return {key: value for key, value in report.items() if key not in _CHANGING}

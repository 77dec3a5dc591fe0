"""The program as a process: colours, channels, terminals, and what `run` passes through."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from contract import sheets as s
from contract.program import inside, program
from contract.sheets import nvidia, sheet, torch

BROKEN = json.dumps(sheet(nvidia(s.RTX_5060_TI), installed=torch("2.6.0+cu124", "12.4", s.CU126)))


def _environment(**more: str) -> dict[str, str]:
    base = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8"}
    return {**base, "TERM": "xterm-256color", **more}


def _at_a_terminal(*arguments: str, **more: str) -> tuple[int, str]:
    """The program with stdin, stdout and stderr at one terminal, and nobody typing."""
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "gpudoctor", *arguments],
        stdin=child,
        stdout=child,
        stderr=child,
        env=_environment(**more),
    )
    os.close(child)
    seen, end = b"", time.monotonic() + 30
    try:
        while time.monotonic() < end:
            if select.select([parent], [], [], 0.2)[0]:
                try:
                    part = os.read(parent, 65536)
                except OSError:
                    break
                if not part:
                    break
                seen += part
            elif process.poll() is not None:
                break
        return process.wait(5), seen.decode("utf-8", "replace")
    finally:
        process.kill()
        os.close(parent)


def test_colour_follows_the_terminal_and_the_variables_people_set(tmp_path: Path) -> None:
    file = tmp_path / "sheet.json"
    file.write_text(BROKEN, encoding="utf-8")
    check = ("check", "--facts", str(file))

    def piped(**more: str) -> bool:
        return "\x1b[" in program(*check, env=_environment(**more)).out

    def drawn(**more: str) -> bool:
        return "\x1b[" in _at_a_terminal(*check, **more)[1]

    assert drawn()
    assert not drawn(NO_COLOR="1")
    assert not drawn(CI="true")
    assert not drawn(TERM="dumb")
    assert not piped()
    assert piped(FORCE_COLOR="1")


def test_results_are_on_stdout_and_nothing_else_is(tmp_path: Path) -> None:
    file = tmp_path / "sheet.json"
    file.write_text(BROKEN, encoding="utf-8")
    answer = program("check", "--facts", str(file), "--json")
    assert (answer.code, answer.err) == (1, "")
    assert answer.report["exit_code"] == 1
    refused = program("check", "--facts", "/nonexistent", "--json")
    assert (refused.code, refused.out) == (2, "")


def test_nobody_is_asked_where_stdin_is_no_terminal(tmp_path: Path) -> None:
    answer = program("fix", "--python", sys.executable, env=_environment(), seconds=40)
    assert "[y/N]" not in answer.err + answer.out
    assert answer.code in (0, 1, 2, 3)


def test_a_fix_that_was_never_made_is_undone_with_0_and_said() -> None:
    answer = program("fix", "--undo", "--python", sys.executable)
    assert answer.code == 0
    assert "nothing to undo" in (answer.out + answer.err).lower()


@pytest.mark.parametrize("code", [0, 1, 7, 42, 130])
def test_run_leaves_with_the_commands_own_code(code: int) -> None:
    answer = inside("run", "--no-preflight", "--", "/bin/sh", "-c", f"exit {code}")
    assert answer.code == code


def test_run_passes_options_of_the_command_and_its_output_untouched() -> None:
    text = "import sys; print(sys.argv[1:]); sys.stderr.write('e\\r\\n'); sys.exit(3)"
    answer = program("run", "--no-preflight", "--", sys.executable, "-c", text, "-q", "--json")
    assert (answer.code, answer.out, answer.err) == (3, "['-q', '--json']\n", "e\r\n")


def test_runs_diagnosis_goes_to_stderr_and_to_the_files_that_were_asked_for(
    tmp_path: Path,
) -> None:
    path = tmp_path / "report.json"
    words = "RuntimeError: CUDA error: no kernel image is available for execution on the device"
    script = f"import sys; print('mine'); sys.exit({words!r})"
    answer = program(
        *("run", "--no-preflight", "--output", f"json={path}", "-v", "--", sys.executable),
        *("-c", script),
    )
    assert (answer.code, answer.out) == (1, "mine\n")
    assert answer.err.startswith(words)
    assert len(answer.err) > len(words) + 80
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["findings"]


@pytest.mark.parametrize("arguments", [("--version",), ("-V",)])
def test_the_version_is_one_line(arguments: tuple[str, ...]) -> None:
    answer = program(*arguments)
    assert answer.code == 0
    assert re.fullmatch(r"gpudoctor \d+\.\d+\.\d+\S*\n", answer.out)

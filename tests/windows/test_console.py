"""Without arguments: help, and no waiting, wherever no window of our own is open.

The window itself cannot be had here: Wine without a screen gives a new console no streams.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from windows.machine import Wine

_STARTER = """
import subprocess, sys
command = [sys.executable, "-m", "gpudoctor"]
where = None if sys.argv[1] == "inherited" else subprocess.DEVNULL
made = subprocess.CREATE_NEW_CONSOLE if sys.argv[2] == "new" else 0
print(subprocess.call(command, creationflags=made, stdin=where, stdout=where), flush=True)
"""


@pytest.mark.parametrize("console", ["new", "none"])
def test_started_by_a_service_it_does_not_wait(wine: Wine, tmp_path: Path, console: str) -> None:
    (tmp_path / "starter.py").write_text(_STARTER, encoding="utf-8")
    run = wine.start("{python}", "starter.py", "null", console, folder=tmp_path)
    assert run.stdout.split() == [b"2"]


def test_in_a_pipe_there_is_help_and_no_waiting(wine: Wine, tmp_path: Path) -> None:
    run = wine.run(folder=tmp_path)
    assert run.code == 2
    assert b"Press any key" not in run.stdout

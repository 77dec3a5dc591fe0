"""However a path is written, the same environment is meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from windows.bench import OLD
from windows.machine import Run, windows_path
from windows.test_driver import machine

Check = Callable[..., Run]
FORMS: dict[str, Callable[[str], str]] = {
    "slashes": lambda path: path.replace("\\", "/"),
    "a slash at the end": lambda path: path + "\\",
    "a small drive letter": lambda path: path[0].lower() + path[1:],
    "capitals": lambda path: path[:3] + path[3:].replace("venv", "VENV"),
    "beyond the limit's prefix": lambda path: "\\\\?\\" + path,
    "a device": lambda path: "\\\\.\\" + path,
    "the interpreter": lambda path: path + "\\Scripts\\python.exe",
    "the interpreter without its ending": lambda path: path + "\\Scripts\\python",
    "dots": lambda path: path + "\\..\\venv\\.",
    "a share": lambda path: "\\\\?\\unix" + path[2:],
}


@pytest.mark.parametrize("form", FORMS)
def test_a_path_may_be_written_in_any_way(check: Check, tmp_path: Path, form: str) -> None:
    path = FORMS[form](windows_path(tmp_path / "venv"))
    run = check(machine("2.6.0+cu124", OLD), "check", "--json", "--smoke", "off", "--python", path)
    assert run.stdout, run.stderr
    assert run.found == ["torch-lacks-arch-new-gpu"]

"""The walk of docs/windows.md, line by line, on a ComfyUI whose torch has no code for the card."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from windows.bench import OLD
from windows.machine import ROOT, Run, Wine, torch, windows_path
from windows.test_driver import CU128, machine
from windows.test_program import COMFY, PREFIX, SITE

_PLACE = "C:\\ComfyUI_windows_portable"
_LINE = re.compile(r"^\s+gpudoctor (.+)$", re.MULTILINE)
SCRIPT = ".\\python_embeded\\python.exe -s ComfyUI\\main.py --windows-standalone-build\r\n"


def lines() -> list[list[str]]:
    """The commands of the walk, as words."""
    page = (ROOT / "docs" / "windows.md").read_text(encoding="utf-8")
    walk = page.partition('## From "no kernel image"')[2].partition("\n## ")[0]
    return [found.split() for found in _LINE.findall(walk)]


def test_every_line_does_what_the_page_says(wine: Wine, tmp_path: Path) -> None:
    files = {**COMFY, "run_nvidia_gpu.bat": SCRIPT, **torch(SITE, "2.6.0+cu124", "12.4", OLD)}
    wine.make(machine(files=files), tmp_path)
    environ = {"GPUDOCTOR_STATE": windows_path(tmp_path / "state")}

    def run(words: list[str]) -> Run:
        here = [word.replace(_PLACE, windows_path(tmp_path)) for word in words]
        return wine.run(*here, folder=tmp_path, environ=environ)

    wrong, planned, cure, cured, undo = lines()
    said = run(wrong)
    assert (said.code, "GPU201" in said.stdout.decode()) == (1, True)
    plan = run(planned)
    assert plan.code == 0
    command = f"{windows_path(tmp_path)}\\{PREFIX}\\python.exe -s -m pip install"
    assert command in plan.stdout.decode()
    # What pip does: this Python has only its name. A whole fix is tried in test_fixes.
    assert [cure[0], undo[:2]] == ["fix", ["fix", "--undo"]]
    shutil.rmtree(tmp_path / SITE / "torch")
    shutil.rmtree(tmp_path / SITE / "torch-2.6.0+cu124.dist-info")
    for name, data in torch(SITE, "2.9.1+cu128", "12.8", CU128).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    assert run([*cured, "--smoke", "off"]).code == 0
    assert b"nothing to undo" in run(undo).stdout

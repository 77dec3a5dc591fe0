"""Which Pythons of a Windows are found: those that the registry names, `py.ini`, the Store's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from windows.machine import WSL, Wine, torch, windows_path
from windows.test_driver import CU128, VENV, machine

EXE = VENV["venv/Scripts/python.exe"]


@pytest.fixture
def home(wine: Wine, tmp_path: Path) -> Iterator[Path]:
    """Two Pythons as python.org's installer leaves them: in the registry, not on the PATH."""
    files: dict[str, str | bytes] = {}
    lines = ["Windows Registry Editor Version 5.00", ""]
    for version in ("3.9", "3.12"):
        place = f"Python{version.replace('.', '')}"
        files |= {f"{place}/python.exe": EXE, f"{place}/Lib/os.py": ""}
        files |= torch(f"{place}/Lib/site-packages", "2.9.1+cu128", "12.8", CU128)
        folder = windows_path(tmp_path / place).replace("\\", "\\\\") + "\\\\"
        key = rf"HKEY_CURRENT_USER\Software\Python\PythonCore\{version}"
        lines += [f"[{key}]", "", rf"[{key}\InstallPath]", f'@="{folder}"', ""]
        lines += [f'"ExecutablePath"="{folder}python.exe"', ""] if version == "3.12" else []
    wine.make(machine(files=files), tmp_path)
    (tmp_path / "pythons.reg").write_text("\r\n".join(lines), encoding="utf-16")
    wine.import_registry(tmp_path / "pythons.reg")
    yield tmp_path
    gone = "Windows Registry Editor Version 5.00\r\n\r\n[-HKEY_CURRENT_USER\\Software\\Python]\r\n"
    (tmp_path / "gone.reg").write_text(gone, encoding="utf-16")
    wine.import_registry(tmp_path / "gone.reg")


# This Windows Python finds its own libraries by the PATH, so that it is changed inside alone.
_CHECK = """
import ctypes, os, socket, subprocess, winreg
os.environ["PATH"] = os.environ["TRIED_PATH"]
from gpudoctor.cli.main import main
main(["check", "--json", "--smoke", "off"])
"""


def chosen(wine: Wine, home: Path, path: str = "", **environ: str) -> tuple[str, str]:
    work = home / "work"
    work.mkdir()
    tried = rf"{path};C:\windows\system32"
    run = wine.python(_CHECK, folder=work, environ={"TRIED_PATH": tried, **environ})
    python = run.report["facts"]["python"]
    return python["prefix"].rpartition("\\")[2], python["chosen_because"]


def test_without_one_on_the_path_it_is_the_one_that_py_starts(wine: Wine, home: Path) -> None:
    assert chosen(wine, home) == ("Python312", "py.exe")


def test_py_ini_says_which(wine: Wine, home: Path) -> None:
    (home / "py.ini").write_text("[defaults]\npython=3.9\n", encoding="utf-8")
    assert chosen(wine, home, LOCALAPPDATA=windows_path(home)) == ("Python39", "py.exe")


def test_an_empty_stand_in_of_the_store_is_passed_by(wine: Wine, home: Path) -> None:
    (home / "WindowsApps").mkdir()
    (home / "WindowsApps" / "python.exe").write_bytes(b"")
    assert chosen(wine, home, windows_path(home / "WindowsApps")) == ("Python312", "py.exe")


def test_check_all_finds_them(wine: Wine, home: Path) -> None:
    run = wine.run("check", "--all", "--json", folder=home)
    said = json.loads(run.stdout)
    assert {"Python39", "Python312"} <= {
        word.rpartition("\\")[2] for word in _texts(said) if word.startswith("Z:")
    }


def test_check_all_names_what_lies_in_wsl_without_starting_it(wine: Wine, home: Path) -> None:
    settings: dict[str, dict[str, str | int]] = {
        rf"{WSL}\{{1}}": {"DistributionName": "Ubuntu-24.04", "Version": 2},
        rf"{WSL}\{{2}}": {"DistributionName": "Mein Debian", "Version": 2},
        rf"{WSL}\{{3}}": {"DistributionName": "docker-desktop", "Version": 2},
    }
    wine.make(machine(settings=settings, files={}), home)
    said = json.loads(wine.run("check", "--all", "--json", folder=home).stdout)
    assert [each["command"] for each in said["not_looked_into"]] == [
        "wsl -d 'Mein Debian' gpudoctor check",
        "wsl -d Ubuntu-24.04 gpudoctor check",
    ]
    text = wine.run("check", "--all", folder=home).stdout.decode("utf-8", "replace")
    assert "not looked into: wsl -d Ubuntu-24.04 gpudoctor check" in " ".join(text.split())


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, dict) else ():
        yield from _texts(each)
    for each in value if isinstance(value, list) else ():
        yield from _texts(each)

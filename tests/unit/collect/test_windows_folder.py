"""What a double-click starts, and what Windows does with the folder of an environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpudoctor.collect.python.windows.starter import starter_of
from gpudoctor.collect.python.windows.windows_folder import blocked, synchronised_by

COMFY = r".\python_embeded\python.exe -s ComfyUI\main.py --windows-standalone-build" + "\npause\n"


def files(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


@pytest.fixture
def comfy(tmp_path: Path) -> Path:
    files(tmp_path, "ComfyUI/main.py", "python_embeded/python.exe")
    return tmp_path


def started(folder: Path, script: str, text: str, prefix: str = "python_embeded") -> str | None:
    (folder / script).write_text(text, encoding="utf-8", newline="")
    found = starter_of(str(folder / prefix), {"PATH": ""})
    assert found is not None
    assert os.path.basename(found.path) == script
    return os.path.relpath(found.python, folder) if found.python else None


@pytest.mark.parametrize(
    "text",
    [
        COMFY,
        COMFY.replace("\n", "\r\n"),
        "@echo off\nrem a comment with python.exe\n" + COMFY,
        r'"%~dp0python_embeded\python.exe" -s ComfyUI\main.py',
        'set "PY=%~dp0python_embeded\\python.exe"\n"%PY%" -s ComfyUI\\main.py',
        "set PY=python_embeded\n:: start\n%PY%\\python.exe main.py",
    ],
)
def test_the_script_of_comfyui_starts_the_python_beside_it(comfy: Path, text: str) -> None:
    place = started(comfy, "run_nvidia_gpu.bat", text)
    assert place == os.path.join("python_embeded", "python.exe")


@pytest.mark.parametrize("text", ["pause\n", "", "call other.bat\n", "python ComfyUI\\main.py\n"])
def test_a_script_that_names_no_python_says_nothing(comfy: Path, text: str) -> None:
    assert started(comfy, "run_nvidia_gpu.bat", text) is None


def test_an_edited_script_starts_another(comfy: Path) -> None:
    other = comfy / "other" / "python.exe"
    place = started(comfy, "run_nvidia_gpu.bat", f'"{other}" -s ComfyUI\\main.py\n')
    assert place == os.path.join("other", "python.exe")


def test_a_program_without_its_script_says_nothing(comfy: Path) -> None:
    assert starter_of(str(comfy / "python_embeded"), {}) is None


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("set PYTHON=\nset VENV_DIR=\ncall webui.bat\n", "venv"),
        ("set VENV_DIR=other\ncall webui.bat\n", "other"),
        ('set "VENV_DIR=%~dp0cuda"\ncall webui.bat\n', "cuda"),
        ("@REM set VENV_DIR=other\ncall webui.bat\n", "venv"),
    ],
)
def test_the_web_ui_takes_the_environment_that_its_settings_name(
    tmp_path: Path, text: str, folder: str
) -> None:
    files(tmp_path, "webui.py", "launch.py", "modules/x.py", "venv/pyvenv.cfg")
    place = started(tmp_path, "webui-user.bat", text, "venv")
    assert place == os.path.join(folder, "Scripts", "python.exe")


def test_the_web_ui_can_do_without_an_environment(tmp_path: Path) -> None:
    files(tmp_path, "webui.py", "launch.py", "modules/x.py", "venv/pyvenv.cfg")
    text = "set VENV_DIR=-\nset PYTHON=base\\python.exe\ncall webui.bat\n"
    assert started(tmp_path, "webui-user.bat", text, "venv") == os.path.join("base", "python.exe")


def test_a_folder_of_onedrive_is_known_by_its_variable(tmp_path: Path) -> None:
    cloud, inside = str(tmp_path / "OneDrive"), str(tmp_path / "OneDrive" / "x" / "venv")
    assert synchronised_by(inside, {"OneDrive": cloud}) == "OneDrive"
    assert synchronised_by(inside, {"ONEDRIVECOMMERCIAL": cloud}) == "OneDrive"
    assert synchronised_by(str(tmp_path / "OneDriveOther" / "venv"), {"OneDrive": cloud}) is None
    assert synchronised_by(inside, {}) is None


@pytest.mark.skipif(os.name == "nt", reason="there the mark is a stream, no file beside it")
@pytest.mark.parametrize(("zone", "is_blocked"), [(0, False), (1, False), (3, True), (4, True)])
def test_a_file_from_the_internet_carries_a_mark(
    tmp_path: Path, zone: int, is_blocked: bool
) -> None:
    path = str(tmp_path / "python.exe")
    # Where there are no streams, what copies files from Windows makes such a file of the mark.
    Path(path + ":Zone.Identifier").write_bytes(b"[ZoneTransfer]\r\nZoneId=%d\r\n" % zone)
    assert blocked([path, str(tmp_path / "other.exe")]) == ((path,) if is_blocked else ())

"""Programs that bring their own Python, and the path of an embeddable one."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpudoctor.collect.long_paths import ordinary
from gpudoctor.collect.python.interpreter import choose
from gpudoctor.collect.python_environment import collect_patient
from gpudoctor.model.facts import Python, Torch
from unit.collect.environments import clean_environ, put, torch, windows_executable

FAR = 1e12


def embedded(prefix: Path, *lines: str) -> Path:
    """An embeddable Python as python.org's archive holds it."""
    windows_executable(prefix / "python.exe")
    put(prefix / "python311.dll", b"MZ")
    put(prefix / "python311.zip", b"PK")
    put(prefix / "python311._pth", "\n".join(["python311.zip", ".", *lines]) + "\n")
    return prefix


def comfy(root: Path) -> Path:
    put(root / "ComfyUI" / "main.py")
    prefix = embedded(root / "python_embeded", "../ComfyUI", "import site")
    site = prefix / "Lib" / "site-packages"
    site.mkdir(parents=True)
    (site / "pip").mkdir()
    torch(site, "2.9.1+cu128", "12.8")
    return root


def patient(target: str | None, cwd: Path, **variables: str) -> tuple[Python, Torch | None, object]:
    environ = clean_environ(cwd, **variables)
    found = collect_patient(target, str(cwd), environ, FAR)
    python, read = found.values["python"], found.values.get("torch")
    assert isinstance(python, Python)
    assert read is None or isinstance(read, Torch)
    return python, read, found.values["environment"]


@pytest.mark.parametrize("target", [".", "python_embeded", "python_embeded/python.exe"])
def test_a_portable_program_is_understood_however_it_is_named(tmp_path: Path, target: str) -> None:
    root = comfy(tmp_path / "ComfyUI_windows_portable")
    python, found, _ = patient(target, root)
    assert (python.environment, python.portable) == ("portable", "ComfyUI")
    assert ordinary(python.prefix or "") == str(root / "python_embeded")
    assert (python.version, python.tag, python.has_pip) == ("3.11", "cp311", True)
    assert found is not None
    assert found.version == "2.9.1+cu128"


def test_in_its_folder_it_is_found_and_never_started(tmp_path: Path) -> None:
    root = comfy(tmp_path / "ComfyUI_windows_portable")
    choice = choose(None, str(root), clean_environ(tmp_path))
    assert choice is not None
    assert (choice.why, choice.may_start) == ("portable", False)


def test_pythonpath_and_the_user_site_are_not_heard_by_it(tmp_path: Path) -> None:
    root = comfy(tmp_path / "portable")
    torch(tmp_path / "elsewhere", "1.13.1+cu117", "11.7")
    roaming = tmp_path / "Roaming"
    torch(roaming / "Python" / "Python311" / "site-packages", "1.12.0+cu113", "11.3")
    python, found, variables = patient(
        "python_embeded",
        root,
        PYTHONPATH=str(tmp_path / "elsewhere"),
        PYTHONHOME="C:\\Python27",
        APPDATA=str(roaming),
    )
    assert found is not None
    assert (found.version, found.copies) == ("2.9.1+cu128", (found.path,))
    assert python.user_site is None
    assert variables == {}


def test_without_import_site_only_what_its_file_lists_counts(tmp_path: Path) -> None:
    prefix = embedded(tmp_path / "app" / "python")
    torch(prefix / "Lib" / "site-packages", "2.9.1+cu128", "12.8")
    _, found, _ = patient("app/python", tmp_path)
    assert found is None
    listed = embedded(tmp_path / "app2" / "python", "Lib\\site-packages")
    torch(listed / "Lib" / "site-packages", "2.9.1+cu128", "12.8")
    _, found, _ = patient("app2/python", tmp_path)
    assert found is not None


@pytest.mark.parametrize(
    ("place", "marks", "name"),
    [
        ("python_embeded", ["Fooocus/launch.py"], "Fooocus"),
        ("system/python", ["webui/webui.py", "webui/launch.py"], "Stable Diffusion web UI"),
        ("system/python", ["webui/webui.py", "webui/modules_forge/x.py"], "Forge"),
        ("venv", ["webui.py", "launch.py", "modules/x.py"], "Stable Diffusion web UI"),
        ("venv", ["webui.py", "modules/x.py", "modules_forge/x.py"], "Forge"),
        (".venv", ["invokeai.yaml"], "InvokeAI"),
        ("venv", ["kohya_gui.py"], "kohya_ss"),
        ("venv", ["main.py", "nodes.py", "comfy/x.py"], "ComfyUI"),
    ],
)
def test_programs_are_known_by_their_files(
    tmp_path: Path, place: str, marks: list[str], name: str
) -> None:
    for mark in marks:
        put(tmp_path / mark)
    prefix = tmp_path / place
    if place.endswith("venv"):
        put(prefix / "pyvenv.cfg", "home = C:\\Python310\nversion = 3.10.6\n")
        windows_executable(prefix / "Scripts" / "python.exe")
    else:
        embedded(prefix, "import site")
    python, _, _ = patient(".", tmp_path)
    assert (python.portable, python.prefix) == (name, str(prefix))


def test_a_folder_of_that_name_alone_is_no_program(tmp_path: Path) -> None:
    put(tmp_path / "venv" / "pyvenv.cfg", "home = C:\\Python310\nversion = 3.10.6\n")
    windows_executable(tmp_path / "venv" / "Scripts" / "python.exe")
    python, _, _ = patient("venv", tmp_path)
    assert (python.environment, python.portable) == ("venv", None)

"""Every environment that files tell of is found once, and none is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpudoctor.collect.python.environments import environments
from unit.collect.environments import (
    clean_environ,
    installation,
    put,
    venv,
    windows_executable,
    windows_installation,
)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return installation(tmp_path / "base")


def found(home: Path, cwd: Path | None = None, **variables: str) -> dict[str, str]:
    """Keeper by prefix, relative to the home folder."""
    listed = environments(str(cwd or home), clean_environ(home, **variables))
    return {str(Path(each.prefix).relative_to(home)): each.keeper for each in listed}


@pytest.mark.parametrize(
    ("place", "keeper"),
    [
        (".venv", "folder"),
        ("venv", "folder"),
        (".local/share/uv/tools/ruff", "uv"),
        (".pyenv/versions/3.11.7", "pyenv"),
        (".pyenv/versions/3.11.7/envs/work", "pyenv"),
        (".asdf/installs/python/3.12.3", "pyenv"),
        (".local/share/pipx/venvs/black", "pipx"),
        (".cache/pypoetry/virtualenvs/train-x-py3.11", "poetry"),
        (".local/share/virtualenvs/train-y", "virtualenvs"),
        ("miniforge3/envs/train", "conda"),
    ],
)
def test_what_a_tool_keeps_is_found(tmp_path: Path, base: Path, place: str, keeper: str) -> None:
    venv(tmp_path / place, base)
    assert found(tmp_path)[place] == keeper


def test_conda_s_own_list_is_followed(tmp_path: Path, base: Path) -> None:
    venv(tmp_path / "scratch" / "train", base)
    gone = tmp_path / "scratch" / "gone"
    put(tmp_path / ".conda" / "environments.txt", f"{tmp_path / 'scratch/train'}\n{gone}\n\n../x\n")
    assert found(tmp_path) == {"scratch/train": "conda"}


def test_portable_programs_are_found_where_people_unpack_them(tmp_path: Path) -> None:
    root = tmp_path / "Downloads" / "ComfyUI_windows_portable"
    put(root / "ComfyUI" / "main.py")
    windows_executable(root / "python_embeded" / "python.exe")
    put(root / "python_embeded" / "python311._pth", "python311.zip\nimport site\n")
    (one,) = environments(str(tmp_path), clean_environ(tmp_path))
    assert (one.keeper, one.program) == ("portable", "ComfyUI")


def test_each_is_named_once_and_the_active_one_first(tmp_path: Path, base: Path) -> None:
    venv(tmp_path / ".venv", base)
    venv(tmp_path / ".local/share/uv/tools/ruff", base)
    active = str(tmp_path / ".local/share/uv/tools/ruff")
    path = f"{tmp_path / '.venv/bin'}:{base / 'bin'}"
    listed = found(tmp_path, VIRTUAL_ENV=active, PATH=path)
    assert list(listed.items()) == [
        (".local/share/uv/tools/ruff", "active"),
        (".venv", "folder"),
        ("base", "system"),
    ]


def test_folders_without_an_interpreter_and_shims_are_none(tmp_path: Path, base: Path) -> None:
    (tmp_path / ".pyenv" / "versions" / "empty").mkdir(parents=True)
    put(tmp_path / "shims" / "python3", "#!/bin/sh\n").chmod(0o755)
    put(tmp_path / "store" / "python3").chmod(0o755)
    venv(tmp_path / ".venv", base)
    (tmp_path / ".venv" / "bin" / "python").unlink()
    (tmp_path / ".venv" / "bin" / "python").symlink_to("/nowhere")
    path = f"{tmp_path / 'shims'}:{tmp_path / 'store'}"
    assert found(tmp_path, PATH=path) == {}


def test_visual_studio_s_own_python_is_found(tmp_path: Path) -> None:
    shared = tmp_path / "x86" / "Microsoft Visual Studio" / "Shared"
    windows_installation(shared / "Python39_64", "3.9")
    put(shared / "VC" / "readme.txt")
    variables = {"PROGRAMFILES(X86)": str(tmp_path / "x86")}
    listed = environments(str(tmp_path), clean_environ(tmp_path, **variables))
    assert [(Path(each.prefix).name, each.keeper) for each in listed] == [("Python39_64", "system")]

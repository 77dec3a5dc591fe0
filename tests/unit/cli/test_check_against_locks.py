"""`check` in a project, as a process: the lock of each tool against what is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the environments have POSIX folders")

LOCKS = Path(__file__).parents[1] / "manifests" / "locks"
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
FORGE = "https://conda.anaconda.org/conda-forge/linux-64/pytorch-2.9.1-cuda129_mkl_py3_h1_301.conda"
PIXI = f"""version: 6
environments:
  default:
    channels:
    - url: https://conda.anaconda.org/conda-forge/
    packages:
      linux-64:
      - conda: {FORGE.replace("cuda129_mkl", "cpu_generic")}
  gpu:
    channels:
    - url: https://conda.anaconda.org/conda-forge/
    packages:
      linux-64:
      - conda: {FORGE}
packages: []
"""
CONDA_LOCK = f"""version: 1
package:
- name: pytorch
  version: 2.9.1
  manager: conda
  platform: linux-64
  url: {FORGE}
  category: main
"""


def installed(prefix: Path, torch: str, *, cuda: str | None, conda: bool = False) -> None:
    """An environment with a torch of that version in it, as far as its files tell."""
    site = prefix / "lib" / f"python{VERSION}" / "site-packages"
    (site / "torch").mkdir(parents=True)
    (site / "torch" / "__init__.py").touch()
    (site / "torch" / "version.py").write_text(
        f"__version__ = '{torch}'\ncuda = {cuda!r}\nhip = None\nxpu = None\n"
    )
    info = site / f"torch-{torch}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: torch\nVersion: {torch}\n")
    (prefix / "bin").mkdir()
    (prefix / "bin" / "python").symlink_to(sys.executable)
    if conda:
        (prefix / "conda-meta").mkdir()
        (prefix / "conda-meta" / "history").touch()
        (prefix / "bin" / f"python{VERSION}").symlink_to(sys.executable)
    else:
        home = Path(sys.base_prefix) / "bin"
        (prefix / "pyvenv.cfg").write_text(f"home = {home}\nversion = {VERSION}.0\n")


def told(folder: Path, prefix: Path) -> list[str]:
    """The titles of the finding about the lock."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = ["check", "--python", str(prefix), "--smoke", "off", "--allow-cpu", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "gpudoctor", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode in (0, 1, 3), done.stderr
    found = json.loads(done.stdout)["findings"]
    return [each["title"] for each in found if each["name"] == "lock-differs-from-environment"]


def project(tmp_path: Path, case: str) -> Path:
    for path in (LOCKS / case).iterdir():
        shutil.copy(path, tmp_path / path.name)
    if case.startswith("uv"):
        (tmp_path / "pylock.toml").unlink(missing_ok=True)
    return tmp_path


@pytest.mark.parametrize(
    ("case", "locked"),
    [
        ("uv/companion-forgotten", "2.9.1+cu130"),
        ("poetry/explicit", "2.9.1+cu126"),
        ("pdm/one-more-index", "2.9.1+cu126"),
        ("pipenv/named-source", "2.9.1+cu126"),
        ("pip/extra-index", "2.9.1+cu126"),
    ],
)
@pytest.mark.skipif(VERSION not in ("3.11", "3.12"), reason="the locks are for those Pythons")
def test_the_lock_beside_the_environment_is_held_against_it(tmp_path, case, locked):
    folder = project(tmp_path, case)
    installed(folder / ".venv", "2.9.1+cu128", cuda="12.8")
    assert told(folder, folder / ".venv")[0].endswith(
        f"says torch {locked}, and torch 2.9.1+cu128 is installed"
    )
    shutil.rmtree(folder / ".venv")
    installed(folder / ".venv", locked, cuda="12.6")
    assert told(folder, folder / ".venv") == []


@pytest.mark.skipif(VERSION not in ("3.11", "3.12"), reason="the locks are for those Pythons")
def test_an_extra_that_was_chosen_when_it_was_installed_is_no_difference(tmp_path):
    folder = project(tmp_path, "uv/conflicting-extras")
    for version, cuda in (("2.9.1+cpu", None), ("2.9.1+cu126", "12.6")):
        installed(folder / ".venv", version, cuda=cuda)
        assert told(folder, folder / ".venv") == []
        shutil.rmtree(folder / ".venv")


def test_a_lock_of_conda_tells_by_the_cuda_of_the_build(tmp_path):
    (tmp_path / "conda-lock.yml").write_text(CONDA_LOCK)
    for cuda, count in (("12.9", 0), (None, 1), ("12.8", 1)):
        installed(tmp_path / "env", "2.9.1", cuda=cuda, conda=True)
        assert len(told(tmp_path, tmp_path / "env")) == count
        shutil.rmtree(tmp_path / "env")


def test_a_conda_environment_of_another_name_is_not_the_locks(tmp_path):
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "conda-lock.yml").write_text(CONDA_LOCK)
    (tmp_path / "project" / "environment.yml").write_text("name: train\n")
    for name, count in (("train", 1), ("other", 0)):
        prefix = tmp_path / "envs" / name
        installed(prefix, "2.8.0", cuda="12.9", conda=True)
        assert len(told(tmp_path / "project", prefix)) == count


def test_each_environment_of_pixi_is_held_against_its_own_part(tmp_path):
    (tmp_path / "pixi.lock").write_text(PIXI)
    for name, cuda, count in (("default", None, 0), ("gpu", "12.9", 0), ("default", "12.9", 1)):
        prefix = tmp_path / ".pixi" / "envs" / name
        installed(prefix, "2.9.1", cuda=cuda, conda=True)
        assert len(told(tmp_path, prefix)) == count, name
        shutil.rmtree(prefix)


@pytest.mark.skipif(VERSION not in ("3.11", "3.12"), reason="the locks are for those Pythons")
def test_pdm_says_where_its_environment_lies(tmp_path):
    (tmp_path / "project").mkdir()
    folder = project(tmp_path / "project", "pdm/pypi")
    prefix = tmp_path / "venvs" / "demo-x-3.11"
    installed(prefix, "2.8.0+cu126", cuda="12.6")
    assert told(folder, prefix) == []
    (folder / ".pdm-python").write_text(f"{prefix}/bin/python")
    assert len(told(folder, prefix)) == 1

"""`check --all`: every environment that is found here, read from files, in one table."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from gpudoctor.collect.python.environments import environments
from gpudoctor.report import FORMATS


def environment(prefix, torch=None):
    """A virtual environment, with a torch of that version if one is given."""
    site = prefix / "lib" / "python3.12" / "site-packages"
    site.mkdir(parents=True)
    (prefix / "bin").mkdir()
    interpreter = prefix / "bin" / "python"
    interpreter.write_text('#!/bin/sh\ntouch "$(dirname $0)/STARTED"\n')
    interpreter.chmod(0o755)
    (prefix / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.7\n")
    if torch:
        (site / "torch").mkdir()
        (site / "torch" / "__init__.py").write_text("")
        (site / "torch" / "version.py").write_text(f"__version__ = {torch!r}\ncuda = None\n")
        info = site / f"torch-{torch}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: torch\nVersion: {torch}\n")
    return prefix


@pytest.fixture
def here(tmp_path):
    """A folder with a project, and a home with environments of several tools."""
    home, work = tmp_path / "home", tmp_path / "work"
    work.mkdir()
    environment(work / ".venv", "2.9.1+cpu")
    environment(work / "other" / "venv")
    environment(home / ".local" / "share" / "pipx" / "venvs" / "tool")
    listed = environment(tmp_path / "elsewhere", "2.8.0+cpu")
    (home / ".conda").mkdir()
    (home / ".conda" / "environments.txt").write_text(f"{listed}\n/gone\n")
    return work, home


def check(here, *arguments):
    work, home = here
    env = {"HOME": str(home), "PATH": "/usr/bin", "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-m", "gpudoctor", "check", "--all", *arguments],
        env=env,
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_environments_are_found_where_tools_put_them(here):
    work, home = here
    found = environments(str(work), {"HOME": str(home)})
    assert {".venv", "tool", "elsewhere"} <= {os.path.basename(e.prefix) for e in found}


@pytest.mark.skipif(os.name == "nt", reason="the environments are made for POSIX")
def test_each_is_judged_and_none_is_started(here, tmp_path):
    done = check(here, "--json", "--allow-cpu")
    found = {os.path.basename(e["path"]): e for e in json.loads(done.stdout)["environments"]}
    assert found[".venv"]["facts"]["torch"]["version"] == "2.9.1+cpu"
    assert found["elsewhere"]["facts"]["torch"]["version"] == "2.8.0+cpu"
    assert found["tool"]["facts"]["torch"] is None
    assert not list(tmp_path.rglob("STARTED"))


@pytest.mark.skipif(os.name == "nt", reason="the environments are made for POSIX")
@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_names_the_environments(here, format_):
    done = check(here, "--format", format_, "--allow-cpu")
    assert done.stderr == ""
    if format_ not in ("line", "prometheus"):
        assert "elsewhere" in done.stdout


def test_it_looks_at_all_and_not_at_one(here):
    done = check(here, "--python", "x")
    assert done.returncode == 2
    assert "--all" in done.stderr

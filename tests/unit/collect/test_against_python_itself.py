"""What is read from files is what the interpreter says of itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gpudoctor.collect.python_environment import collect_patient
from gpudoctor.model.facts import Python

ASK = """
import json, os, platform, struct, sys, sysconfig
print(json.dumps({
    "site_packages": [path for path in sys.path if path.endswith("-packages")],
    "version": platform.python_version(),
    "bits": struct.calcsize("P") * 8,
    "prefix": sys.prefix,
    "headers": os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")),
    "implementation": platform.python_implementation().lower(),
}))
"""


def both(executable: str, **variables: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The interpreter's own answers, and what was read without it."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environ |= variables
    asked = subprocess.run(
        [executable, "-c", ASK], env=environ, cwd="/", capture_output=True, check=True, timeout=60
    )
    own = json.loads(asked.stdout)
    fragment = collect_patient(executable, "/", environ, time.monotonic() + 60)
    python = fragment.values["python"]
    assert isinstance(python, Python)
    read = {key: getattr(python, key) for key in own}
    read["site_packages"] = list(read["site_packages"])
    return own, read


def make(folder: Path, *options: str) -> str:
    base = getattr(sys, "_base_executable", None) or sys.executable
    command = [base, "-m", "venv", "--without-pip", *options, str(folder)]
    subprocess.run(command, check=True, timeout=60)
    return str(folder / "bin" / "python")


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="layouts of Linux")


def test_of_the_interpreter_that_runs_the_tests() -> None:
    own, read = both(sys.executable)
    assert read == own


@pytest.mark.parametrize("options", [(), ("--system-site-packages",), ("--copies",)])
def test_of_a_fresh_environment(tmp_path: Path, options: tuple[str, ...]) -> None:
    own, read = both(make(tmp_path / "env", *options))
    assert read == own


def test_with_a_user_site(tmp_path: Path) -> None:
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    (tmp_path / "user" / "lib" / version / "site-packages").mkdir(parents=True)
    python = make(tmp_path / "env", "--system-site-packages")
    own, read = both(python, PYTHONUSERBASE=str(tmp_path / "user"))
    assert read == own
    assert any("user" in folder for folder in read["site_packages"])

"""The program in one file: everything works from it, wherever it lies and whoever runs it."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from contract import sheets as s
from contract.sheets import nvidia, sheet, torch

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BUILDER = ROOT / ".ci" / "pyz"


def builder():
    """The module that builds the archive."""
    loader = importlib.machinery.SourceFileLoader("pyz", str(BUILDER))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("pyz", loader))
    loader.exec_module(module)
    return module


PYTHONS = builder().pythons()


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The built file, in a folder with a blank and an umlaut that nobody may write to."""
    folder = tmp_path_factory.mktemp("one file") / "über allem"
    folder.mkdir()
    target = folder / "gpudoctor.pyz"
    command = [sys.executable, BUILDER, target, *PYTHONS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    folder.chmod(0o555)
    yield target
    folder.chmod(0o755)


def gpudoctor(archive, *arguments, python=sys.executable):
    """Run it with nothing of ours: no environment, no home, no site-packages."""
    return subprocess.run(
        [python, "-I", "-S", archive, *arguments],
        env={"PATH": "/usr/bin:/bin"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def installed(*arguments):
    """The program as it lies in this checkout."""
    return subprocess.run(
        [sys.executable, "-m", "gpudoctor", *arguments],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "src")},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_is_small_and_runs_alone(archive):
    assert archive.stat().st_size <= 4 * 2**20
    assert gpudoctor(archive, "--version").stdout.startswith("gpudoctor ")
    assert "Usage: gpudoctor" in gpudoctor(archive, "--help").stdout


@pytest.mark.parametrize("python", PYTHONS)
def test_every_python_gives_the_same_report(archive, tmp_path, python):
    file = tmp_path / "sheet.json"
    broken = sheet(nvidia(s.RTX_5060_TI), installed=torch("2.6.0+cu124", "12.4", s.CU126))
    file.write_text(json.dumps(broken), encoding="utf-8")
    command = ("check", "--facts", str(file), "--json")
    done = installed(*command)
    from_archive = gpudoctor(archive, *command, python=python)
    assert from_archive.stderr == ""
    assert from_archive.returncode == done.returncode == 1
    one, other = json.loads(from_archive.stdout), json.loads(done.stdout)
    one["timings_ms"] = other["timings_ms"] = {}
    assert one == other


COUNTS_WHAT_IS_COMPILED = """
import builtins, runpy, sys
compile_ = builtins.compile
def counted(source, name, *rest, **named):
    if sys.argv[0] in str(name):
        print("compiled", name, file=sys.stderr)
    return compile_(source, name, *rest, **named)
builtins.compile = counted
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize("python", PYTHONS)
def test_a_check_compiles_nothing_but_how_it_starts(archive, python):
    done = subprocess.run(
        [python, "-I", "-S", "-c", COUNTS_WHAT_IS_COMPILED, archive, "check", "--smoke", "off"],
        env={"PATH": "/usr/bin:/bin"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1, 3), done.stderr
    compiled = {Path(line).name for line in done.stderr.splitlines() if "compiled" in line}
    assert compiled <= {"__main__.py", "precompiled.py"}


def test_a_python_that_it_has_no_byte_code_for_takes_the_sources(archive, tmp_path):
    bare = tmp_path / "bare.pyz"
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(bare, "w") as rest:
        for entry in whole.infolist():
            if not entry.filename.startswith("compiled/"):
                rest.writestr(entry, whole.read(entry))
    assert gpudoctor(bare, "check", "--smoke", "off").stdout
    assert gpudoctor(bare, "--version").stdout == gpudoctor(archive, "--version").stdout


def test_the_same_inputs_give_the_same_bytes(archive, tmp_path):
    again = tmp_path / "again.pyz"
    subprocess.run([sys.executable, BUILDER, again, *PYTHONS], capture_output=True, check=True)
    assert again.read_bytes() == archive.read_bytes()


def test_it_examines_this_machine_as_the_installed_program_does(archive):
    one = json.loads(gpudoctor(archive, "check", "--json", "--python", sys.executable).stdout)
    done = installed("check", "--json", "--python", sys.executable)
    other = json.loads(done.stdout)
    for key in ("verdict", "exit_code", "findings", "prescription", "unknown"):
        assert one[key] == other[key]
    assert one["facts"]["driver"] == other["facts"]["driver"]


def test_the_children_that_ask_the_driver_start_from_within_it(archive):
    report = json.loads(gpudoctor(archive, "check", "--json").stdout)
    assert report["timings_ms"]
    reasons = [entry["reason"] for entry in report["unknown"]]
    assert not [reason for reason in reasons if "pynvml" in reason or "process" in reason]


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "--gpu", "T4", "--os", "linux", "--python", "3.12"],
        ["explain", "GPU201"],
        ["kb"],
        ["facts"],
        ["check", "--allow-cpu", "--format", "html"],
    ],
)
def test_every_command_works_from_it(archive, arguments):
    done = gpudoctor(archive, *arguments)
    assert done.returncode in (0, 1, 3), done.stderr
    assert done.stdout
    assert done.stderr == ""


def test_nothing_was_written_beside_it(archive):
    assert [path.name for path in archive.parent.iterdir()] == ["gpudoctor.pyz"]

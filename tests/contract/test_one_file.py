"""The program in one file: everything works from it, wherever it lies and whoever runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The built file, in a folder with a blank and an umlaut that nobody may write to."""
    folder = tmp_path_factory.mktemp("one file") / "über allem"
    folder.mkdir()
    target = folder / "gpudoctor.pyz"
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "pyz", target], capture_output=True, text=True, check=False
    )
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


def test_it_is_small_and_runs_alone(archive):
    assert archive.stat().st_size <= 4 * 2**20
    assert gpudoctor(archive, "--version").stdout.startswith("gpudoctor ")
    assert "Usage: gpudoctor" in gpudoctor(archive, "--help").stdout


def test_it_examines_this_machine_as_the_installed_program_does(archive):
    one = json.loads(gpudoctor(archive, "check", "--json", "--python", sys.executable).stdout)
    done = subprocess.run(
        [sys.executable, "-m", "gpudoctor", "check", "--json", "--python", sys.executable],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "src")},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
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

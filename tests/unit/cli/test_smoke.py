"""`gpudoctor smoke`, as a person or a script meets it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import jsonschema
import pytest

from gpudoctor.report.schema import report_schema
from machines import bad_torch

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are for POSIX"),
]


def smoke(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gpudoctor", "smoke", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )


def test_the_cpu_is_judged_by_its_tests_alone(torch_python: str) -> None:
    done = smoke("--device", "cpu", "--python", torch_python, "--json")
    report = json.loads(done.stdout)
    assert done.returncode == report["exit_code"] == 0
    jsonschema.validate(report, report_schema())
    assert report["verdict"] == "healthy"
    assert report["findings"] == []
    [device] = report["smoke"]["gpus"]
    assert report["smoke"]["level"] == "quick"
    assert (device["index"], device["status"], device["signal"]) == (None, "passed", None)
    assert len(device["tests"]) >= 15
    for test in device["tests"]:
        wanted = {"name", "dtype", "status", "relative_error", "tolerance", "seconds", "error"}
        assert set(test) >= wanted
        assert test["status"] == "passed"
        assert test["relative_error"] <= test["tolerance"]
    assert done.stderr == ""


def test_text_names_every_test_and_progress_goes_to_stderr(torch_python: str) -> None:
    done = smoke("--device", "cpu", "--python", torch_python, "-v")
    assert done.returncode == 0
    assert "matmul (bfloat16)" in done.stdout
    assert "the CPU: matmul:bfloat16 passed" in done.stderr
    assert "importing torch" not in done.stdout


@pytest.mark.parametrize(
    ("what", "name", "status"),
    [
        ("segfault", "torch-import-crash", "crashed"),
        ("hang", "torch-import-hang", "hung"),
        ("exit", "torch-import-crash", "crashed"),
    ],
)
def test_a_torch_that_is_bad_at_import_gives_a_whole_report_and_1(
    what: str, name: str, status: str
) -> None:
    done = smoke(
        *("--device", "cpu", "--python", sys.executable, "--timeout", "6", "--json"),
        BAD_TORCH=what,
        PYTHONPATH=bad_torch.STANDIN,
    )
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert report["findings"][0]["name"] == name
    assert report["smoke"]["gpus"][0]["status"] == status
    assert "Traceback" not in done.stderr


def test_wrong_numbers_are_an_error(torch_python: str) -> None:
    done = smoke(
        *("--device", "cpu", "--python", torch_python, "--json"),
        BAD_TORCH="secretly-half-matmul",
        PYTHONPATH=bad_torch.PATCHED,
    )
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert [finding["name"] for finding in report["findings"]] == ["wrong-numbers"]
    assert report["verdict"] == "broken"


def test_what_torch_prints_cannot_get_into_the_report(torch_python: str) -> None:
    done = smoke(
        *("--device", "cpu", "--python", torch_python, "--json"),
        BAD_TORCH="test-flood",
        PYTHONPATH=bad_torch.PATCHED,
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["smoke"]["gpus"][0]["status"] == "passed"
    assert "xxxx" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--device", "gpu"), "--device takes a GPU's number or cpu"),
        (("--device", "-1"), "--device takes a GPU's number or cpu"),
        (("--level", "fast"), "--level takes quick or full"),
        (("--timeout", "0"), "--timeout takes a number of seconds above 0"),
        (("--python", "/nowhere/at/all"), "/nowhere/at/all"),
        (("--format", "gif"), "--format"),
    ],
)
def test_wrong_usage_is_one_line_and_2(arguments: tuple[str, ...], words: str) -> None:
    done = smoke(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_advice_that_cannot_be_written_is_said_before_anything_runs(tmp_path: Path) -> None:
    done = smoke("--device", "cpu", "--advice", str(tmp_path / "no" / "advice.yaml"))
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


def test_an_environment_that_was_merely_found_is_not_started(tmp_path: Path) -> None:
    marker = tmp_path / "started"
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.7\n")
    (tmp_path / ".venv" / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    python = folder / "python"
    python.write_text(f"#!/bin/sh\ntouch {marker}\n")
    python.chmod(0o755)
    environment = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "CONDA_PREFIX")}
    done = subprocess.run(
        [sys.executable, "-m", "gpudoctor", "smoke", "--device", "cpu"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
        env=environment,
    )
    assert not marker.exists()
    assert done.returncode == 3
    assert "--python" in done.stderr


def hanging(token: str) -> subprocess.Popen[str]:
    """A smoke that has come to an import of torch which hangs."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gpudoctor", "smoke", "--device", "cpu", "-v"),
            *("--python", sys.executable),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "BAD_TORCH": "hang",
            "PYTHONPATH": bad_torch.STANDIN,
            bad_torch.TOKEN: token,
        },
    )
    assert process.stderr is not None
    while "importing torch" not in process.stderr.readline():
        assert process.poll() is None
    return process


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for children in /proc")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_ended_from_outside_it_leaves_no_child_behind(number: int, code: int) -> None:
    token = uuid.uuid4().hex
    with hanging(token) as process:
        process.send_signal(number)
        process.communicate(timeout=20)
        assert process.returncode == code
    assert bad_torch.left_over(token) == []

"""Exit codes in every place that a job may start from: the code is the answer, whoever listens.

The codes 5 and 6 need a fix that fails: `tests/machines/test_fix.py` and `test_fix_shapes.py` run
those; 130 stands in `test_fix_isolated.py` and `test_bad_days.py` too.
"""

from __future__ import annotations

import json
import os
import pwd
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from contract import sheets as s
from contract.sheets import nvidia, sheet, torch

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="these are the shells of POSIX")

SITUATIONS = {
    "healthy": (("check", "--facts", "healthy.json"), 0),
    "broken": (("check", "--facts", "broken.json"), 1),
    "no-such-file": (("check", "--facts", "nowhere.json"), 2),
    "no-such-option": (("check", "--bogus"), 2),
    "no-such-command": (("chekc",), 2),
    "not-known": (("check", "--facts", "unknown.json"), 3),
    "nothing-fits": (("plan", "--gpu", "GT 710"), 1),
    "no-such-gpu": (("plan", "--gpu", "sm_999"), 2),
    "a-lock-that-does-not-run": (("plan", "--requirements", "r.txt", "--gpu", "sm_120"), 1),
    "a-log": (("triage", "train.log"), 0),
    "a-fleet": (("report", "broken.json", "--expect", "n[1-2]"), 1),
    "a-silent-fleet": (("report", "healthy.json", "--expect", "n[1-2]"), 3),
    "a-silent-policy": (("check", "--facts", "healthy.json", "--policy", "nowhere.toml"), 2),
    "help": (("check", "--help"), 0),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the situations above read, in a folder that everybody may read."""
    place = tmp_path_factory.mktemp("codes")
    old = sheet(nvidia(s.RTX_5060_TI), installed=torch("2.6.0+cu124", "12.4", s.CU126))
    new = sheet(nvidia(s.RTX_5060_TI), installed=torch("2.9.1+cu128", "12.8", s.CU128))
    texts = {
        "broken.json": json.dumps(old),
        "healthy.json": json.dumps(new),
        "unknown.json": json.dumps({"facts": {"host": {"os": "linux", "arch": "x86_64"}}}),
        "r.txt": "torch==2.3.0+cu118\n",
        "train.log": "RuntimeError: CUDA error: no kernel image is available for execution\n",
    }
    for name, text in texts.items():
        (place / name).write_text(text, encoding="utf-8")
    return place


def words(arguments: tuple[str, ...]) -> str:
    """The command line of this checkout's program, for a shell."""
    return shlex.join([sys.executable, "-m", "gpudoctor", *arguments])


def shell(script: str, folder: Path, **env: str | None) -> subprocess.CompletedProcess[str]:
    """Run a script of bash where the files lie."""
    full = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), **env}
    return subprocess.run(
        ["/bin/bash", "-c", script],
        env={name: value for name, value in full.items() if value is not None},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


PYTHONS = (sys.executable, "/usr/bin/python3")


def as_nobody(python: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """A Python run by another user, with this checkout and what it needs on its path."""
    nobody = pwd.getpwnam("nobody")
    places = (str(ROOT / "src"), sysconfig.get_path("purelib"))
    return subprocess.run(
        [
            *("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"),
            *(python, *arguments),
        ],
        input=stdin,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": os.pathsep.join(places)},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


def each(name: str) -> tuple[str, int]:
    """The command line of a situation, and its code."""
    arguments, code = SITUATIONS[name]
    return words(arguments), code


every = pytest.mark.parametrize("name", SITUATIONS)
some = pytest.mark.parametrize("name", ["healthy", "broken", "no-such-file", "not-known"])


@every
def test_a_script_under_set_e_goes_on_after_0_alone(folder: Path, name: str) -> None:
    line, code = each(name)
    done = shell(f"set -euo pipefail\n{line} >/dev/null\necho went on >&2", folder)
    assert done.returncode == code, done.stderr
    assert ("went on" in done.stderr) is (code == 0)
    assert "Traceback" not in done.stderr
    complaints = [text for text in done.stderr.splitlines() if text.startswith("gpudoctor:")]
    assert len(complaints) == (code == 2)


@every
def test_a_pipe_that_is_closed_early_changes_no_code(folder: Path, name: str) -> None:
    line, code = each(name)
    done = shell(f"{line} | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}", folder)
    assert done.returncode == code, done.stderr
    done = shell(f"{line} | true; exit ${{PIPESTATUS[0]}}", folder)
    assert done.returncode == code, done.stderr
    assert "Broken" not in done.stderr


@some
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_changes_no_code(folder: Path, name: str, closed: str) -> None:
    line, code = each(name)
    done = shell(f"{line} {closed}", folder)
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_a_file_that_is_written_is_no_stand_in_for_a_closed_stream(folder: Path) -> None:
    arguments = ("check", "--facts", "healthy.json", "--output", "json=out.json")
    done = shell(f"{words(arguments)} <&- >&- 2>&-", folder)
    assert done.returncode == 0
    assert json.loads((folder / "out.json").read_text())["verdict"] == "healthy"


@every
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_a_full_disk_is_4_where_something_was_to_be_said(folder: Path, name: str) -> None:
    line, code = each(name)
    done = shell(f"{line} >/dev/full", folder)
    if code == 2:  # nothing was to be written there
        assert done.returncode == 2
    else:
        assert done.returncode == 4
        assert "cannot be written" in done.stderr
        assert done.stderr.count("\n") == 1
    assert shell(f"{line} >/dev/null 2>/dev/full", folder).returncode == code


@some
@pytest.mark.parametrize(
    "env",
    [
        {"HOME": None},
        {"HOME": "/nonexistent"},
        {"PATH": None},
        {"PATH": ""},
        {"LANG": None, "LC_ALL": "C"},
        {"TERM": "dumb", "COLUMNS": "0"},
        {"TMPDIR": "/nonexistent"},
    ],
    ids=str,
)
def test_an_environment_that_lacks_things_changes_no_code(
    folder: Path, name: str, env: dict[str, str | None]
) -> None:
    line, code = each(name)
    done = shell(f"exec {line} >/dev/null", folder, **env)
    assert done.returncode == code, done.stderr


def test_this_very_machine_is_examined_without_home_path_and_terminal(folder: Path) -> None:
    line = words(("check", "--allow-cpu", "--fail-on", "never", "--smoke", "off"))
    done = shell(f"exec {line}", folder, PATH=None, HOME=None)
    assert done.returncode in (0, 3), done.stderr
    assert done.stdout


@some
@pytest.mark.skipif(
    shutil.which("setpriv") is None or os.geteuid() != 0, reason="needs root and setpriv"
)
def test_another_user_gets_the_same_code(folder: Path, name: str) -> None:
    arguments, code = SITUATIONS[name]
    reads = "import gpudoctor.kb.info"
    python = next((p for p in PYTHONS if as_nobody(p, "-c", reads).returncode == 0), None)
    if python is None:
        pytest.skip("another user can read neither this checkout nor a Python")
    texts = {path.name: path.read_text() for path in folder.iterdir()}
    words_ = ["-" if word in texts else word for word in arguments]
    given = next((texts[word] for word in arguments if word in texts), "")
    done = as_nobody(python, "-m", "gpudoctor", *words_, stdin=given)
    assert done.returncode == code, done.stderr


@some
@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed")
@pytest.mark.parametrize("day", ["1971-01-01", "2010-06-01", "2099-06-01"])
def test_a_clock_that_is_far_off_changes_no_code(folder: Path, name: str, day: str) -> None:
    line, code = each(name)
    done = shell(f"faketime {day} {line} >/dev/null", folder)
    assert done.returncode == code, done.stderr


def test_an_interrupt_is_130_and_one_line() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "gpudoctor", "triage", "-"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1:] == ["gpudoctor: interrupted"]

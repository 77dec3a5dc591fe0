"""An installer that only the user and the prescription steer, and signals while it works."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from machines.build import command
from machines.test_fix import INSTALLED, Bench

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="stand-in drivers are ELF"),
]


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@pytest.fixture
def hostile(bench):
    """A folder of a stranger, in which the person stands."""
    folder = bench.folder / "hostile"
    folder.mkdir()
    shout = f"open({str(bench.folder / 'ran')!r}, 'a').write(__name__ + '\\n')\n"
    for name in ("pip", "typing", "types", "torch", "site", "sitecustomize", "os", "json"):
        (folder / f"{name}.py").write_text(shout)
    other = f'index-url = "{(bench.folder / "elsewhere").as_uri()}"\n'
    (folder / "uv.toml").write_text(other)
    (folder / "pyproject.toml").write_text(f"[tool.uv]\n{other}")
    (folder / "pip.conf").write_text("[install]\ntarget = /nowhere\n")
    for name in ("uv", "pip", "python", "sh"):
        (folder / name).write_text(f"#!/bin/sh\necho {name} >> {bench.folder / 'ran'}\n")
        (folder / name).chmod(0o755)
    return folder


def run(bench, folder, *arguments, **env):
    # As the installed script starts it: `python -m` alone would import from the folder.
    script = bench.folder / "gpudoctor-script.py"
    script.write_text("from gpudoctor.cli.main import main\nmain()\n")
    return subprocess.run(
        [sys.executable, str(script), *arguments],
        env=bench.env | env,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def ran(bench) -> str:
    path = bench.folder / "ran"
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_the_folder_that_one_stands_in_steers_no_installer(bench, hostile, tool):
    index = bench.index().as_uri()
    fix = ("fix", "--yes", "--smoke", "off", "--tool", tool, "--index-url", index)
    path = f".:{bench.env['PATH']}:{Path(sys.executable).parent}"
    done = run(bench, hostile, *fix, PATH=path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ran(bench) == ""
    assert run(bench, hostile, "fix", "--undo", PATH=path).returncode == 0
    assert bench.state() == bench.before


@pytest.mark.parametrize("setting", ["target", "root", "prefix"])
def test_a_pip_that_is_told_to_install_elsewhere_is_refused(bench, setting):
    home = Path(bench.env["HOME"])
    (home / ".config" / "pip").mkdir(parents=True)
    elsewhere = bench.folder / "elsewhere"
    config = f"[install]\n{setting} = {elsewhere}\n"
    (home / ".config" / "pip" / "pip.conf").write_text(config)
    done = bench.fix("--index-url", bench.index().as_uri())
    assert done.returncode == 5
    assert f"install.{setting}" in done.stderr
    assert "nothing was changed" in done.stderr
    assert not elsewhere.exists()
    assert bench.state() == bench.before


def test_a_persons_own_settings_count(bench):
    """The prescribed index is away; the person's own `find-links` has the wheels."""
    index = bench.index()
    home = Path(bench.env["HOME"])
    (home / ".config" / "pip").mkdir(parents=True)
    folders = " ".join(str(path) for path in index.iterdir())
    (home / ".config" / "pip" / "pip.conf").write_text(f"[install]\nfind-links = {folders}\n")
    done = bench.fix("--index-url", (bench.folder / "gone").as_uri())
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_environment_without_pip_gets_a_next_step(bench):
    for path in list((bench.prefix / "lib").rglob("site-packages/pip*")):
        path.rename(bench.folder / path.name)
    before = bench.state()
    done = bench.fix("--index-url", bench.index().as_uri())
    assert done.returncode == 5
    assert "ensurepip" in done.stderr
    assert "nothing was changed" in done.stderr
    assert bench.state() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("twice", [False, True])
def test_a_signal_ends_a_fix_with_the_environment_as_it_was(bench, number, twice):
    process = working(bench)
    process.send_signal(number)
    if twice:
        time.sleep(0.05)
        process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "the environment is as it was" in said
    assert bench.state() == bench.before
    assert bench.run("fix", "--undo").stdout.startswith("There is nothing to undo")


def test_a_signal_that_nohup_ignores_does_not_end_a_fix(bench):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = working(bench)
    finally:
        signal.signal(signal.SIGHUP, before)
    process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert bench.state() == bench.before


def test_an_installer_dies_with_a_fix_that_is_killed(bench):
    process = working(bench)
    process.kill()
    process.communicate(timeout=60)
    time.sleep(0.5)
    pids = [p.name for p in Path("/proc").iterdir() if p.name.isdigit()]
    left = [pid for pid in pids if str(bench.prefix).encode() in cmdline(pid)]
    assert left == []
    assert bench.run("fix", "--undo").returncode == 0
    assert bench.state() == bench.before


def working(bench):
    """A fix whose installer waits for an index that never answers."""
    import socket

    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen(8)
    bench.keep_open = silent
    address = f"http://127.0.0.1:{silent.getsockname()[1]}"
    fix = ("fix", "--yes", "--smoke", "off", "--tool", "pip", "--index-url", address)
    process = subprocess.Popen(
        command(*fix),
        env=bench.env | {"PIP_DEFAULT_TIMEOUT": "60"},
        cwd=bench.env["HOME"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while b"pip\0install" not in b"".join(cmdline(pid) for pid in children(process.pid)):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.3)
    return process


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return file.read().split()
    except OSError:
        return []


def cmdline(pid) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_a_state_folder_that_cannot_be_made_is_a_failure_without_a_change(bench):
    (bench.folder / "file").write_text("")
    done = bench.fix(
        "--index-url", bench.index().as_uri(), GPUDOCTOR_STATE=str(bench.folder / "file/state")
    )
    assert done.returncode == 5, done.stderr
    assert "nothing was changed" in done.stderr
    assert bench.state() == bench.before


def test_what_is_left_after_a_failing_fix_is_its_journal_alone(bench):
    temporary = bench.folder / "temporary"
    temporary.mkdir()
    done = bench.fix("--index-url", (bench.folder / "gone").as_uri(), TMPDIR=str(temporary))
    assert done.returncode == 5
    assert bench.state() == bench.before
    left = [p.name for p in (bench.folder / "state").rglob("*") if p.is_file()]
    assert set(left) <= {"journal.jsonl", "before.json", "lock"}
    assert INSTALLED in bench.run("check", "--smoke", "off", "--json").stdout
    assert list(temporary.iterdir()) == []

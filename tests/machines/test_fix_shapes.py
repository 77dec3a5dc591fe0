"""`gpudoctor fix` where environments are not plain: links, projects, people who go on working."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import pytest

from lab import environments
from machines.test_fix import Bench
from machines.test_fix_isolated import working

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="stand-in drivers are ELF"),
]


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    bench.env["PATH"] += f"{os.pathsep}{Path(sys.executable).parent}"  # where uv is
    return bench


@pytest.fixture
def other_disk():
    memory = Path("/dev/shm")
    if not (memory.is_dir() and os.access(memory, os.W_OK)):
        pytest.skip("there is no second file system here")
    folder = Path(tempfile.mkdtemp(dir=memory))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def site_of(bench) -> Path:
    return next((bench.prefix / "lib").glob("python*/site-packages"))


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_a_torch_on_another_disk_comes_back(bench, other_disk, tool):
    far = other_disk / "torch"
    shutil.move(str(site_of(bench) / "torch"), far)
    (site_of(bench) / "torch").symlink_to(far)
    before = bench.state() | environments.state(far)
    index = bench.index()
    done = bench.fix("--tool", tool, "--index-url", index.as_uri())
    if done.returncode == 0:
        assert bench.run("fix", "--undo").returncode == 0
    else:  # uv replaces no package that is a link
        assert (tool, done.returncode) == ("uv", 5), done.stderr
    assert bench.state() | environments.state(far) == before
    shutil.rmtree(next(index.glob("cu*/torchvision")))
    failed = bench.fix("--tool", tool, "--index-url", index.as_uri())
    assert failed.returncode == 5, failed.stderr
    assert bench.state() | environments.state(far) == before


def test_a_project_around_the_environment_goes_on_while_a_fix_is_cut_off(bench):
    project = bench.prefix
    (project / "train.py").write_text("before")
    process = working(bench)
    (project / "runs").mkdir()
    (project / "runs" / "epoch.pt").write_text("during")
    process.kill()
    process.communicate(timeout=60)
    (project / "runs" / "last.pt").write_text("since")
    (project / "train.py").write_text("edited")
    report = json.loads(bench.run("check", "--smoke", "off", "--json").stdout)
    assert "unfinished-fix" in [finding["name"] for finding in report["findings"]]
    done = bench.run("fix", "--undo")
    assert done.returncode == 0, done.stderr
    assert (project / "train.py").read_text() == "edited"
    assert sorted(p.name for p in (project / "runs").iterdir()) == ["epoch.pt", "last.pt"]


def test_a_damaged_journal_is_told_by_check_and_stops_the_next_fix(bench):
    process = working(bench)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    journal = next((bench.folder / "state").rglob("journal.jsonl"))
    journal.write_bytes(b"")
    report = json.loads(bench.run("check", "--smoke", "off", "--json").stdout)
    assert "fix-journal-damaged" in [finding["name"] for finding in report["findings"]]
    (unknown,) = [entry for entry in report["unknown"] if entry["fact"] == "unfinished_fix"]
    assert unknown["kind"] == "damaged"
    for arguments in (("fix", "--undo"), ("fix", "--yes", "--smoke", "off")):
        stopped = bench.run(*arguments)
        assert stopped.returncode == 5
        assert "damaged" in stopped.stderr
        assert "nothing was changed" in stopped.stderr
    listed = bench.run("fix", "--list").stdout
    assert "damaged" in listed
    assert bench.run("fix", "--forget", listed.split()[0]).returncode == 0
    report = json.loads(bench.run("check", "--smoke", "off", "--json").stdout)
    assert "fix-journal-damaged" not in [finding["name"] for finding in report["findings"]]


def test_kept_files_that_were_cleaned_away_are_told_with_the_number_that_differs(bench):
    assert bench.fix("--index-url", bench.index().as_uri()).returncode == 0
    shutil.rmtree(next((bench.folder / "state").rglob("kept-0")))
    done = bench.run("fix", "--undo")
    assert done.returncode == 6
    assert "cannot be undone" in done.stderr
    assert "paths of the environment differ" in done.stderr
    assert "--forget" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_killed_at_any_moment_a_fix_can_be_undone(bench, tool):
    import subprocess

    from machines.build import command

    index = bench.index(size=30_000_000).as_uri()
    fix = ("fix", "--yes", "--smoke", "off", "--tool", tool, "--index-url", index)
    for step in range(12):
        process = subprocess.Popen(
            command(*fix),
            env=bench.env,
            cwd=bench.env["HOME"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(0.4 + step * 0.35)
        process.kill()
        process.wait()
        mine = bench.prefix / "mine.txt"
        mine.write_text(str(step))
        undone = bench.run("fix", "--undo")
        assert undone.returncode == 0, undone.stderr
        assert mine.read_text() == str(step)
        mine.unlink()
        assert bench.state() == bench.before, step

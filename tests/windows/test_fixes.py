"""Whole fixes on Windows: cured, undone, and what a program that still runs does to them."""

from __future__ import annotations

import ast
import random
import shutil
import stat
import time
from pathlib import Path

import pytest

from windows.bench import DLL, INSTALLED, OLD, Bench, template
from windows.kills import Kills
from windows.machine import Wine, compiled, windows_path

_HOLDER = """
import ctypes, sys, time
kernel = ctypes.WinDLL("kernel32")
kernel.CreateFileW.restype = ctypes.c_void_p
print(kernel.CreateFileW(sys.argv[1], 0x80000000, 1, None, 3, 0, None), flush=True)
time.sleep(300)
"""
"""A training that still runs has its libraries open, which others may read and not remove."""


@pytest.fixture(scope="module")
def environment(wine: Wine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template(wine, tmp_path_factory.mktemp("environment"))


@pytest.fixture
def bench(wine: Wine, tmp_path: Path, environment: Path) -> Bench:
    return Bench(wine, tmp_path, environment)


def test_a_fix_cures_and_undo_puts_back_what_is_held_later(bench: Bench) -> None:
    assert bench.findings() == ["torch-lacks-arch-new-gpu"]
    done = bench.fix(bench.index())
    assert done.code == 0, done
    assert bench.version() != INSTALLED
    assert bench.findings() == []
    with bench.wine.beside(_HOLDER, windows_path(bench.site / DLL), folder=bench.folder):
        stopped = bench.run("fix", "--undo")
    assert stopped.code == 6, stopped
    said = stopped.stderr.decode()
    assert "torch_cuda.dll" in said
    assert "cp -a" not in said
    assert bench.version() == INSTALLED  # all else was put back
    undone = bench.run("fix", "--undo")
    assert undone.code == 0, undone
    assert bench.state() == bench.before
    assert b"nothing to undo" in bench.run("fix", "--undo").stdout


def test_a_held_file_is_found_before_the_first_change(bench: Bench) -> None:
    index = bench.index()
    with bench.wine.beside(_HOLDER, windows_path(bench.site / DLL), folder=bench.folder):
        refused = bench.fix(index)
    said = refused.stderr.decode()
    assert refused.code == 5, refused
    assert "torch_cuda.dll cannot be replaced while" in said
    assert "nothing was changed" in said
    assert bench.state() == bench.before


def test_a_fix_of_a_long_folder_is_undone_by_any_form_of_its_path(
    wine: Wine, tmp_path: Path, environment: Path
) -> None:
    here = Bench(wine, tmp_path, environment, place="d" * 100)
    assert here.fix(here.index()).code == 0
    assert here.version() != INSTALLED
    undone = here.wine.run(
        *("fix", "--undo", "--python", "\\\\?\\" + windows_path(here.prefix)),
        folder=tmp_path,
        environ=here.environ,
    )
    assert undone.code == 0, undone
    assert here.state() == here.before


def test_what_pip_cannot_write_beyond_the_old_limit_is_put_back(
    wine: Wine, tmp_path: Path, environment: Path
) -> None:
    here = Bench(wine, tmp_path, environment, place=f"{'d' * 90}/{'e' * 70}")
    assert max(len(windows_path(here.prefix / path)) for path in here.before) > 259
    failed = here.fix(here.index())
    assert failed.code == 5, failed
    assert b"the environment is as it was" in failed.stderr
    assert b"\\\\?\\" not in failed.stderr
    assert here.state() == here.before


def test_a_wheel_that_does_not_cure_is_taken_back(bench: Bench) -> None:
    (bench.site / DLL).chmod(stat.S_IREAD)
    before = bench.state()
    failed = bench.fix(bench.index(OLD))
    assert failed.code == 5, failed
    assert b"the environment is as it was" in failed.stderr
    assert bench.state() == before


def test_killed_at_any_moment_nothing_is_lost(bench: Bench) -> None:
    kills = Kills(bench, bench.index(), random.Random(int(time.time())))
    kills.fix()
    kills.undo()


_WHO = "import sys; from gpudoctor.fix.holders.held import holders; print(holders(sys.argv[1:]))"


@pytest.mark.parametrize("programs", [0, 1, 40])
def test_the_restart_manager_names_the_programs(wine: Wine, tmp_path: Path, programs: int) -> None:
    """Wine's own names nobody; this one is compiled against Windows' header."""
    (tmp_path / "held.dll").write_bytes(b"x")
    (tmp_path / "rstrtmgr.dll").write_bytes(compiled("rstrtmgr"))
    shutil.copy(tmp_path / "rstrtmgr.dll", wine.system / "rstrtmgr.dll")
    overrides = f"{wine.environ['WINEDLLOVERRIDES']};rstrtmgr=n"
    said = wine.start(
        *("{python}", "-X", "utf8", "-c", _WHO, windows_path(tmp_path / "held.dll")),
        folder=tmp_path,
        environ={"WINEDLLOVERRIDES": overrides, "RM_PROGRAMS": str(programs)},
    )
    assert said.code == 0, said
    expected = [f"Training ä.exe (process {1000 + number})" for number in range(programs)]
    assert ast.literal_eval(said.stdout.decode()) == expected

"""Processes, portable programs, the runtime and output on Windows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from windows.machine import Run, Windows, Wine, torch
from windows.test_driver import ADAPTER, CU128, machine

Check = Callable[..., Run]
PREFIX = "python_embeded"
SITE = f"{PREFIX}/Lib/site-packages"
COMFY: dict[str, str | bytes] = {
    "ComfyUI/main.py": "",
    f"{PREFIX}/python.exe": b"MZ" + bytes(0x3A) + b"\x80\0\0\0" + bytes(64) + b"PE\0\0\x64\x86",
    f"{PREFIX}/python311.dll": b"MZ",
    f"{PREFIX}/python311.zip": b"PK",
    f"{PREFIX}/python311._pth": "../ComfyUI\npython311.zip\n.\nimport site\n",
    f"{SITE}/pip/__init__.py": "",
}


def test_a_portable_program_is_cured_by_its_own_interpreter(check: Check, tmp_path: Path) -> None:
    old = "sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90"
    files = {**COMFY, **torch(SITE, "2.6.0+cu124", "12.4", old)}
    stranger = torch("stranger", "1.13.1+cu117", "11.7")
    what = machine(files={**files, **stranger}, environ={"PYTHONPATH_EXTRA": "stranger"})
    run = check(what, "check", "--json", "--smoke", "off", "--python", ".")
    python = run.report["facts"]["python"]
    assert (python["environment"], python["portable"]) == ("portable", "ComfyUI")
    assert run.found == ["torch-lacks-arch-new-gpu"]
    commands = [s["cmd"] for s in run.report["prescription"]["steps"] if s["kind"] == "install"]
    assert all("python_embeded\\python.exe -s -m pip install" in each for each in commands)
    assert commands


@pytest.mark.parametrize("missing", ["msvcp140.dll", "vcruntime140_1.dll"])
def test_a_missing_runtime_is_named(check: Check, missing: str) -> None:
    kept = tuple(name for name in Windows().runtime if name != missing)
    run = check(machine(runtime=kept), "check", "--json", "--smoke", "off", "--python", "venv")
    assert run.found == ["windows-vc-runtime-missing"]
    assert missing in run.report["findings"][0]["title"]


@pytest.mark.parametrize(
    ("runtime", "torch_version", "found"),
    [
        ("14.36.32532.0", "2.9.1+cu128", ["windows-vc-redist-outdated"]),
        ("14.36.32532.0", "2.8.0+cu128", []),
        ("14.40.33810.0", "2.9.1+cu128", []),
    ],
)
def test_a_runtime_older_than_torch_s_compiler_is_named(
    check: Check, runtime: str, torch_version: str, found: list[str]
) -> None:
    what = machine(torch_version, runtime_version=runtime)
    run = check(what, "check", "--json", "--smoke", "off", "--python", "venv")
    assert run.found == found
    assert run.report["facts"]["python"]["runtime_version"] == runtime


def test_a_crash_keeps_its_number_and_is_explained(wine: Wine, tmp_path: Path) -> None:
    code = (
        "import sys, subprocess\n"
        "done = subprocess.run([sys.executable, '-m', 'gpudoctor', 'run', '--no-preflight', '--',"
        " sys.executable, '-c', 'import os; os._exit(-1073741819)'], stderr=-1)\n"
        "print(done.returncode, 'ACCESS_VIOLATION' in done.stderr.decode())\n"
    )
    run = wine.python(code, folder=tmp_path)
    assert run.stdout.split() == [b"3221225477", b"True"]


def test_run_ends_with_its_command_though_a_grandchild_lives(wine: Wine, tmp_path: Path) -> None:
    child = (
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(9)'])\n"
        "sys.exit(7)\n"
    )
    (tmp_path / "child.py").write_text(child, encoding="utf-8")
    code = (
        "import subprocess, sys, time\n"
        "start = time.monotonic()\n"
        "done = subprocess.run([sys.executable, '-m', 'gpudoctor', 'run', '--no-preflight', '--',"
        " sys.executable, 'child.py'])\n"
        "print(done.returncode, time.monotonic() - start < 8)\n"
    )
    run = wine.python(code, folder=tmp_path)
    assert run.stdout.split() == [b"7", b"True"]


def test_what_a_child_starts_ends_with_it(wine: Wine, tmp_path: Path) -> None:
    code = (
        "import ctypes, sys\n"
        "from gpudoctor.collect.process.runner import run\n"
        'inner = (\'import subprocess, sys, time; p = subprocess.Popen([sys.executable, "-c",'
        ' "import time; time.sleep(60)"]); print(p.pid, flush=True); time.sleep(60)\')\n'
        "outcome = run([sys.executable, '-c', inner], seconds=5)\n"
        "handle = ctypes.windll.kernel32.OpenProcess(0x1000, 0, int(outcome.stdout))\n"
        "code = ctypes.c_ulong(1)\n"
        "handle and ctypes.windll.kernel32.GetExitCodeProcess(handle, ctypes.byref(code))\n"
        "print(outcome.status, code.value)\n"
    )
    run = wine.python(code, folder=tmp_path)
    assert run.stdout.split() == [b"timed-out", b"1"]  # 259 would be: it still runs


@pytest.mark.parametrize("encoding", ["cp1252", "cp866"])
def test_no_code_page_of_a_pipe_breaks_the_report(check: Check, encoding: str) -> None:
    what = machine(driver=None, adapters=(ADAPTER,))
    run = check(
        what,
        *("check", "--smoke", "off", "--python", "venv"),
        environ={"PYTHONIOENCODING": encoding},
    )
    assert run.code == 1
    assert b"Traceback" not in run.stderr
    assert b"No NVIDIA driver" in run.stdout
    assert CU128

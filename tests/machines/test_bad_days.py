"""Bad days: each ends with a report and the right exit code, within its time, and no traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from machines import cards, wheels
from machines.build import Driver, Machine, build, command
from machines.libraries import have_compiler
from machines.rights import give_up_roots_rights
from machines.trees import Module

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not have_compiler(), reason="stand-ins need a C compiler"),
]

HEALTHY = Machine(cards=(cards.RTX_4090,), torch=wheels.TORCH_2_9_CU128)


def check(
    machine: Machine, folder: Path, *arguments: str, seconds: float = 60
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run the check in the machine; the process may take `seconds` beyond its own deadline."""
    env = build(machine, str(folder / "machine"))
    done = subprocess.run(
        command("check", "--json", "--smoke", "off", *arguments),
        env=env,
        cwd=env["HOME"],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done, json.loads(done.stdout) if done.stdout.strip() else {}


def names(report: dict[str, Any]) -> list[str]:
    return [f["name"] for f in report["findings"] if f["severity"] != "info"]


def reasons(report: dict[str, Any], fact: str) -> str:
    return " ".join(u["reason"] for u in report["unknown"] if u["fact"].startswith(fact))


def running_below(folder: Path) -> list[str]:
    """Commands of processes that have the machine's folder in their environment."""
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            if str(folder).encode() in environment and state != "Z":
                found.append(Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "))
        except (OSError, UnicodeDecodeError):
            continue
    return found


def nothing_is_left(folder: Path) -> bool:
    end = time.monotonic() + 10
    while (left := running_below(folder)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not left
    return True


# The driver


def test_nvml_and_cuda_that_hang_are_given_up(tmp_path: Path) -> None:
    machine = replace(HEALTHY, driver=Driver(nvml="hang", libcuda="hang", smi="hang"))
    done, report = check(machine, tmp_path, "--timeout", "2")
    assert done.returncode in (1, 3)
    assert report["verdict"] in ("broken", "unknown")
    assert "did not answer" in reasons(report, "driver.cu_init")
    assert nothing_is_left(tmp_path)


@pytest.mark.parametrize(
    ("smi", "fact"),
    [
        ("hang", "did not answer"),
        ("garbage", "no table"),
    ],
)
def test_an_nvidia_smi_that_hangs_or_prints_garbage_is_unknown(
    tmp_path: Path, smi: str, fact: str
) -> None:
    machine = replace(HEALTHY, driver=Driver(nvml="missing", smi=smi))
    done, report = check(machine, tmp_path, "--timeout", "3")
    assert done.returncode in (0, 1, 3)
    assert fact in reasons(report, "driver.smi_error")
    assert report["facts"]["gpus"][0]["name"] == "NVIDIA GeForce RTX 4090"
    assert nothing_is_left(tmp_path)


def test_the_mismatch_text_of_nvidia_smi_is_understood_without_nvml(tmp_path: Path) -> None:
    text = "Failed to initialize NVML: Driver/library version mismatch"
    machine = replace(
        HEALTHY,
        driver=Driver(nvml="missing", cuda_init=803, smi=text),
        module=Module(version="570.124.06"),
    )
    done, report = check(machine, tmp_path)
    assert done.returncode == 1
    assert names(report)[0] == "nvml-driver-library-mismatch"


def test_a_driver_that_crashes_its_asker_does_not_crash_the_doctor(tmp_path: Path) -> None:
    done, report = check(replace(HEALTHY, driver=Driver(libcuda="crash")), tmp_path)
    assert "SIGABRT" in reasons(report, "driver.cu_init")
    assert done.returncode in (1, 3)


def test_markup_and_escapes_in_a_gpus_name_stay_inert(tmp_path: Path) -> None:
    evil = replace(cards.RTX_4090, name="[bold red]GPU\x1b[2J\x1b]0;x\x07 <b>&")
    env = build(replace(HEALTHY, cards=(evil,)), str(tmp_path / "machine"))
    done = subprocess.run(
        command("check", "--smoke", "off"),
        env=env,
        cwd=env["HOME"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "\x1b[2J" not in done.stdout
    assert "\x07" not in done.stdout
    assert "[bold red]GPU" in done.stdout


# torch


def without_library(init: str) -> Machine:
    """A torch whose architectures only a child process could tell, in a real interpreter."""
    torch = replace(wheels.TORCH_2_9_CU128, library="none", init=init)
    return replace(HEALTHY, torch=torch, interpreter="real")


def test_a_torch_that_crashes_on_import_is_said_so(tmp_path: Path) -> None:
    machine = without_library("import os\nos.kill(os.getpid(), 11)\n")
    done, report = check(machine, tmp_path)
    assert "SIGSEGV" in reasons(report, "torch.sass")
    assert done.returncode == 3


def test_a_torch_that_hangs_on_import_is_given_up(tmp_path: Path) -> None:
    machine = without_library("import time\nwhile True: time.sleep(60)\n")
    done, report = check(machine, tmp_path, "--timeout", "4")
    assert reasons(report, "torch.sass")
    assert done.returncode == 3
    assert nothing_is_left(tmp_path)


def test_a_truncated_library_is_unknown_and_not_missing_code(tmp_path: Path) -> None:
    torch = replace(wheels.TORCH_2_9_CU128, library="truncated")
    done, report = check(replace(HEALTHY, torch=torch), tmp_path)
    assert reasons(report, "torch.sass")
    assert "torch-lacks-arch-new-gpu" not in names(report)
    assert "torch-library-damaged" in names(report)
    assert done.returncode == 1
    assert report["prescription"]["status"] == "resolved"
    assert "--force-reinstall" in report["prescription"]["steps"][0]["posix"]


def test_a_torch_without_metadata_is_still_a_torch(tmp_path: Path) -> None:
    torch = replace(wheels.TORCH_2_9_CU128, has_metadata=False)
    done, report = check(replace(HEALTHY, torch=torch), tmp_path)
    assert report["facts"]["torch"]["version"] == "2.9.1+cu128"
    assert "sm_90" in report["facts"]["torch"]["sass"]
    assert done.returncode == 0


def test_a_site_packages_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    env = build(HEALTHY, str(tmp_path / "machine"))
    site = tmp_path / "machine/venv/lib/python3.12/site-packages"
    site.chmod(0)
    done = subprocess.run(
        command("check", "--json", "--smoke", "off"),
        env=env,
        cwd=env["HOME"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=give_up_roots_rights,
    )
    site.chmod(0o755)
    assert "Traceback" not in done.stderr
    report = json.loads(done.stdout)
    assert reasons(report, "torch")
    assert done.returncode == 3


# Fact sheets


def sheet(tmp_path: Path, content: bytes) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "facts.json"
    path.write_bytes(content)
    return subprocess.run(
        command("check", "--facts", str(path)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   \n",
        b"not JSON at all",
        b'{"schema_version": "1.0"',
        b"[]",
        b"null",
        b"\xff\xfe\x00{",
        b'{"schema_version": "2.0", "facts": {}, "unknown": []}',
        b'{"schema_version": "1.0", "facts": {"gpus": "many"}, "unknown": []}',
        b'{"schema_version": "1.0", "facts": ' + b'{"a":' * 100000 + b"1" + b"}" * 100000 + b"}",
    ],
    ids=[
        "empty",
        "blank",
        "no-json",
        "cut",
        "a-list",
        "null",
        "no-text",
        "newer-schema",
        "wrong-type",
        "deep",
    ],
)
def test_a_fact_sheet_that_is_none_is_refused_in_one_sentence(
    tmp_path: Path, content: bytes
) -> None:
    done = sheet(tmp_path, content)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert "facts.json" in done.stderr


def test_a_huge_fact_sheet_is_refused_or_read_and_never_fatal(tmp_path: Path) -> None:
    filler = b'"x": "' + b"a" * (80 << 20) + b'"'
    done = sheet(
        tmp_path, b'{"schema_version": "1.0", "facts": {}, "unknown": [], ' + filler + b"}"
    )
    assert done.returncode in (2, 3)
    assert "Traceback" not in done.stderr


def test_a_sheet_of_a_newer_minor_version_is_read(tmp_path: Path) -> None:
    content = {"schema_version": "1.99", "facts": {"gpus": [], "novelty": 1}, "unknown": []}
    done = sheet(tmp_path, json.dumps(content).encode())
    assert done.returncode in (1, 3), done.stderr


# The program's own ends


def test_a_closed_stdout_is_no_crash(tmp_path: Path) -> None:
    env = build(HEALTHY, str(tmp_path / "machine"))
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        command("check", "--smoke", "off"),
        env=env,
        cwd=env["HOME"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writer)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_no_stdout_at_all_is_no_crash(tmp_path: Path) -> None:
    env = build(HEALTHY, str(tmp_path / "machine"))
    arguments = " ".join(command("check", "--smoke", "off"))
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec {arguments} >&-"],
        env=env,
        cwd=env["HOME"],
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("what", ["nvml", "torch"])
def test_ctrl_c_ends_with_130_and_leaves_no_child(tmp_path: Path, what: str) -> None:
    if what == "nvml":
        machine = replace(HEALTHY, driver=Driver(nvml="hang", libcuda="hang"))
    else:
        machine = without_library("import time\nwhile True: time.sleep(60)\n")
    env = build(machine, str(tmp_path / "machine"))
    process = subprocess.Popen(
        command("check", "--smoke", "off", "--timeout", "50"),
        env=env,
        cwd=env["HOME"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    mark = "cuda_child.py" if what == "nvml" else "torch"
    end = time.monotonic() + 40
    while not any(
        mark in line for line in running_below(tmp_path) if "gpudoctor check" not in line
    ):
        assert time.monotonic() < end, "the child never started"
        time.sleep(0.02)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert stderr.splitlines()[-1] == "gpudoctor: interrupted"
    assert "Traceback" not in stderr
    assert nothing_is_left(tmp_path)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's help is Linux's")
def test_a_doctor_that_is_killed_takes_its_askers_along(tmp_path: Path) -> None:
    machine = replace(HEALTHY, driver=Driver(nvml="hang", libcuda="hang"))
    env = build(machine, str(tmp_path / "machine"))
    process = subprocess.Popen(
        command("check", "--smoke", "off", "--timeout", "50"),
        env=env,
        cwd=env["HOME"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 40
    while sum("_child.py" in line for line in running_below(tmp_path)) < 2:
        assert time.monotonic() < end, "the children never started"
        time.sleep(0.02)
    time.sleep(0.5)
    process.kill()
    process.wait()
    assert nothing_is_left(tmp_path)

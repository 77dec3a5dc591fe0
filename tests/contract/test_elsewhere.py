"""What is looked at, what is never started, and how long anything may take."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.program import Answer, found, judged, program
from machines import cards, wheels
from machines.build import Driver, Machine, build

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform != "linux" or shutil.which("cc") is None,
        reason="stand-in driver libraries are built with a C compiler on Linux",
    ),
]

_OLD_TORCH = Machine(cards=(cards.RTX_5060_TI,), torch=wheels.TORCH_2_6_CU124)
_HANGING = Machine(
    cards=(cards.RTX_5060_TI,),
    driver=Driver(nvml="hang", libcuda="hang", smi="hang"),
    torch=wheels.TORCH_2_6_CU124,
)


def at(env: dict[str, str], *arguments: str, cwd: str | None = None) -> Answer:
    return program(*arguments, env=env, cwd=cwd or env["HOME"])


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A machine with an RTX 5060 Ti and a torch from the wrong index."""
    return build(_OLD_TORCH, str(tmp_path_factory.mktemp("machine")))


@pytest.fixture(scope="module")
def visited(machine: dict[str, str]) -> Answer:
    return at(machine, "check", "--json", "--smoke", "off")


def test_the_facts_of_a_machine_come_from_its_driver_its_files_and_its_binaries(
    visited: Answer,
) -> None:
    facts = visited.report["facts"]
    assert (visited.code, visited.err) == (1, "")
    gpu = facts["gpus"][0]
    wanted = {
        "index": 0,
        "cuda_index": 0,
        "name": "NVIDIA GeForce RTX 5060 Ti",
        "vendor": "nvidia",
        "compute_capability": "12.0",
        "sm": "sm_120",
        "memory_bytes": 16311 << 20,
        "pci_id": "10de:2d04",
        "visible": True,
    }
    assert {key: gpu[key] for key in wanted} == wanted
    assert gpu["uuid"].startswith("GPU-")
    assert (facts["driver"]["version"], facts["driver"]["cuda"]) == ("570.172.08", "12.8")
    assert facts["driver"]["source"]
    assert facts["python"]["chosen_because"] == "VIRTUAL_ENV"
    assert facts["torch"]["version"] == "2.6.0+cu124"
    assert facts["torch"]["arch_source"] == "binary"
    assert set(facts["torch"]["sass"]) >= {f"sm_{n}" for n in (50, 60, 70, 75, 80, 86, 90)}
    assert "sm_120" not in facts["torch"]["sass"]
    assert found(visited.report)[0] == "torch-lacks-arch-new-gpu"
    assert visited.report["prescription"]["status"] == "resolved"
    assert visited.report["timings_ms"]


def test_a_saved_machine_gives_the_findings_of_the_machine(
    machine: dict[str, str], visited: Answer
) -> None:
    sheet = at(machine, "facts").report
    assert sheet["facts"]["gpus"][0]["uuid"] is None
    assert any(entry["fact"] == "gpus[0].uuid" for entry in sheet["unknown"])
    first = visited.report
    for saved in (sheet, first):
        again = judged(saved)
        assert again.code == visited.code
        for key in ("name", "severity", "title", "gpus"):
            assert [f[key] for f in again.report["findings"]] == [f[key] for f in first["findings"]]
        chosen = again.report["prescription"]
        for key in ("status", "torch", "variant", "packages"):
            assert chosen[key] == first["prescription"][key]
    kept = at(machine, "facts", "--no-redact").report
    assert kept["facts"]["gpus"][0]["uuid"].startswith("GPU-")


def test_fix_prints_what_cures_it_and_leaves_with_0(machine: dict[str, str]) -> None:
    report = at(machine, "fix", "--dry-run", "--json")
    assert (report.code, report.report["exit_code"]) == (0, 0)
    assert report.report["prescription"]["steps"][-1]["argv"]
    assert report.report["findings"]
    undone = at(machine, "fix", "--undo")
    assert undone.code == 0
    asked = at(machine, "fix")
    assert asked.code == 2
    assert asked.err.count("\n") == 1


def test_scan_without_a_named_gpu_judges_for_the_ones_of_this_machine(
    machine: dict[str, str],
) -> None:
    (library,) = Path(machine["VIRTUAL_ENV"]).rglob("libtorch_cuda.so")
    answer = at(machine, "scan", str(library), "--json")
    assert answer.code == 0
    (file,) = answer.report["files"]
    assert [(c["gpu"], c["status"]) for c in file["coverage"]] == [("sm_120", "none")]


def test_a_machine_with_an_unsuitable_gpu_index_is_wrong_usage(machine: dict[str, str]) -> None:
    answer = at(machine, "smoke", "--device", "7", "--json")
    assert (answer.code, answer.out) == (2, "")


def test_nothing_outside_the_given_root_is_read(tmp_path: Path, machine: dict[str, str]) -> None:
    """An absolute link below the root means the root's own file, not that of the host."""
    root = tmp_path / "root"
    shutil.copytree(machine["GPUDOCTOR_SYSROOT"], root, symlinks=True)
    release = root / "etc" / "os-release"
    release.unlink(missing_ok=True)
    (root / "usr" / "lib").mkdir(parents=True, exist_ok=True)
    (root / "usr" / "lib" / "os-release").write_text('PRETTY_NAME="Root 7"\nID=root\n')
    release.symlink_to("/usr/lib/os-release")
    env = {**machine, "GPUDOCTOR_SYSROOT": str(root)}
    host = at(env, "facts").report["facts"]["host"]
    assert host["distribution"] == "Root 7"
    release.unlink()
    (root / "usr" / "lib" / "os-release").unlink()
    release.symlink_to("/" + "../" * 12 + os.path.relpath(__file__, "/"))
    host = at(env, "facts").report["facts"]["host"]
    assert host["distribution"] is None


def test_an_empty_root_has_no_gpu_no_driver_and_no_traces_of_the_host(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "bin").mkdir()
    env = {
        "GPUDOCTOR_SYSROOT": str(tmp_path / "root"),
        "PATH": str(tmp_path / "bin"),
        "HOME": str(tmp_path),
    }
    facts = at(env, "facts").report["facts"]
    assert facts["gpus"] in ([], None)
    assert facts["host"]["distribution"] is None
    assert facts["host"]["kernel"] is None


def _found_environment(folder: Path, marker: Path) -> None:
    """A `.venv` whose interpreter writes down that it was started."""
    programs = folder / ".venv" / "bin"
    site = folder / ".venv" / "lib" / "python3.11" / "site-packages"
    info = site / "torch-2.6.0+cu124.dist-info"
    for path in (programs, info, site / "torch"):
        path.mkdir(parents=True)
    (folder / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.7\n")
    (programs / "python").write_text(f"#!/bin/sh\necho started >> {marker}\n")
    (programs / "python").chmod(0o755)
    (programs / "python3").symlink_to("python")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.6.0+cu124\n")
    (site / "torch" / "__init__.py").write_text("")
    (site / "torch" / "version.py").write_text(
        "__version__ = '2.6.0+cu124'\ncuda = '12.4'\nhip = None\n"
    )


def test_an_environment_that_was_merely_found_is_read_and_never_started(
    tmp_path: Path, machine: dict[str, str]
) -> None:
    marker = tmp_path / "marker"
    _found_environment(tmp_path, marker)
    path = machine["PATH"].split(os.pathsep)[-1]
    env = {k: v for k, v in machine.items() if k != "VIRTUAL_ENV"} | {"PATH": path}
    here = str(tmp_path)
    seen = at(env, "check", "--smoke", "full", "--json", cwd=here)
    assert seen.report["facts"]["python"]["chosen_because"] == ".venv"
    assert seen.report["facts"]["torch"]["version"] == "2.6.0+cu124"
    for arguments in (
        ("facts",),
        ("smoke", "--json"),
        ("smoke", "--device", "cpu", "--json"),
        ("fix", "--dry-run"),
        ("fix", "--undo"),
        ("scan", "."),
        ("run", "--", "/bin/true"),
    ):
        at(env, *arguments, cwd=here)
    assert not marker.exists()


def _children_of(marker: str) -> list[str]:
    """Processes that carry the marker in their environment."""
    left = []
    for entry in os.listdir("/proc"):
        try:
            data = Path(f"/proc/{entry}/environ").read_bytes() if entry.isdigit() else b""
        except OSError:
            continue
        if marker.encode() in data and int(entry) != os.getpid():
            left.append(entry)
    return left


@pytest.fixture(scope="module")
def hanging(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A machine whose driver answers nothing, ever."""
    folder = tmp_path_factory.mktemp("hanging")
    return {**build(_HANGING, str(folder)), "HANGING_MARK": str(folder)}


@pytest.mark.parametrize("command", [("check", "--smoke", "off", "--json"), ("facts",)])
def test_a_driver_that_hangs_is_left_at_the_deadline_and_is_unknown(
    hanging: dict[str, str], command: tuple[str, ...]
) -> None:
    begin = time.monotonic()
    answer = at(hanging, *command, "--timeout", "2")
    assert time.monotonic() - begin < 12, "the deadline is that of the whole command"
    assert "gpus" in json.dumps(answer.report["unknown"])
    if command[0] == "check":
        assert answer.code in (1, 3)
        assert answer.report["verdict"] in ("broken", "unknown")
    assert _children_of(f"HANGING_MARK={hanging['HANGING_MARK']}") == []


def test_an_interrupted_command_is_130_and_leaves_no_child(hanging: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "gpudoctor", "check", "--timeout", "30", "--json"],
        env=hanging,
        cwd=hanging["HOME"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert _children_of(f"HANGING_MARK={hanging['HANGING_MARK']}") == []


@pytest.fixture(scope="module")
def stand_in_torch(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment that may be started, whose torch cannot be imported to its end."""
    hangs = replace(wheels.TORCH_2_6_CU124, init="import time\nwhile True:\n    time.sleep(60)\n")
    folder = tmp_path_factory.mktemp("torch")
    machine = Machine(cards=(cards.RTX_3090,), torch=hangs, interpreter="real")
    return {**build(machine, str(folder)), "HANGING_MARK": str(folder)}


def test_a_torch_that_hangs_is_ended_at_the_deadline_and_named(
    stand_in_torch: dict[str, str],
) -> None:
    begin = time.monotonic()
    answer = at(stand_in_torch, "smoke", "--device", "cpu", "--timeout", "4", "--json")
    assert time.monotonic() - begin < 16
    assert answer.code == 1
    assert found(answer.report)[0] in ("torch-import-hang", "smoke-hung")
    _is_smoke(answer.report["smoke"])
    assert [device["status"] for device in answer.report["smoke"]["gpus"]] == ["hung"]
    assert _children_of(f"HANGING_MARK={stand_in_torch['HANGING_MARK']}") == []


def _is_smoke(smoke: dict[str, Any]) -> None:
    """The promised shape of what the kernels said."""
    assert smoke["level"] in ("quick", "full")
    statuses = ("passed", "failed", "crashed", "hung", "skipped")
    for device in smoke["gpus"]:
        assert {"index", "status", "signal", "tests"} <= set(device)
        assert device["status"] in statuses
        for test in device["tests"]:
            assert {"name", "dtype", "status", "relative_error", "tolerance"} <= set(test)
            assert {"seconds", "error"} <= set(test)
            assert test["status"] in statuses


def test_kernels_on_the_processor_are_judged_by_their_tests_alone(
    torch_python: str, tmp_path: Path
) -> None:
    """No GPU is needed, and that there is none is no finding."""
    (tmp_path / "root").mkdir()
    env = {
        "GPUDOCTOR_SYSROOT": str(tmp_path / "root"),
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
    }
    answer = at(env, "smoke", "--device", "cpu", "--python", torch_python, "--json")
    assert answer.code == 0
    report = answer.report
    assert (report["exit_code"], found(report, "error")) == (0, [])
    _is_smoke(report["smoke"])
    (device,) = report["smoke"]["gpus"]
    assert (device["index"], device["status"]) == (None, "passed")
    assert device["tests"]


_WATCH = """
import sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        with open({marker!r}, "a") as file:
            file.write(f"{{event}} {{arguments!r}}\\n")

sys.addaudithook(watch)
"""


def test_no_command_that_installs_nothing_uses_the_network(
    tmp_path: Path, machine: dict[str, str]
) -> None:
    marker = tmp_path / "marker"
    (tmp_path / "sitecustomize.py").write_text(_WATCH.format(marker=str(marker)))
    env = {**machine, "PYTHONPATH": str(tmp_path)}
    proof = "import socket; socket.getaddrinfo('localhost', 80)"
    subprocess.run([sys.executable, "-c", proof], env=env, check=True, timeout=60)
    assert marker.exists(), "the watch itself must see"
    marker.unlink()
    for arguments in (
        ("check", "--smoke", "off", "--json"),
        ("facts",),
        ("fix", "--dry-run"),
        ("plan", "--gpu", "T4", "--channel", "nightly"),
        ("explain", "GPU201"),
        ("kb",),
    ):
        assert at(env, *arguments).code in (0, 1)
    assert not marker.exists(), marker.read_text()

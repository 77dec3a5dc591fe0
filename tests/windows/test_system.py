"""What Windows itself says: its settings, its other source on GPUs, and who starts a program."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from machines.build import Driver
from windows.machine import FILES, GRAPHICS, WSL, Run, Windows, torch, windows_path
from windows.test_driver import CU128, TI, machine, named
from windows.test_program import COMFY, SITE

Check = Callable[..., Run]
TABLE = "0, NVIDIA GeForce RTX 5060 Ti, GPU-1, 00000000:01:00.0, 581.42, 16311, 12.0\n"


def test_settings_that_the_registry_keeps_are_facts(check: Check) -> None:
    settings: dict[str, dict[str, str | int]] = {
        GRAPHICS: {"HwSchMode": 2},
        FILES: {"LongPathsEnabled": 1},
        rf"{WSL}\{{1}}": {"DistributionName": "Ubuntu-24.04", "Version": 2},
    }
    system = named(check, machine(settings=settings)).report["facts"]["host"]["windows"]
    assert (system["gpu_scheduling"], system["long_paths"]) == (True, True)
    assert system["wsl"] == ["Ubuntu-24.04 (WSL 2)"]
    assert system["commit_limit_bytes"] >= system["commit_free_bytes"] > 0


def test_a_machine_as_it_is_delivered_has_the_old_limit(check: Check) -> None:
    system = named(check, machine()).report["facts"]["host"]["windows"]
    assert (system["gpu_scheduling"], system["long_paths"], system["wsl"]) == (None, False, [])


@pytest.mark.parametrize(("number", "model"), [(0, "WDDM"), (1, "TCC"), (2, "MCDM")])
def test_the_model_of_the_driver_is_a_fact(check: Check, number: int, model: str) -> None:
    card = dataclasses.replace(TI, driver_model=number)
    (gpu,) = named(check, machine(cards=(card,))).report["facts"]["gpus"]
    assert gpu["driver_model"] == model


def test_nvidia_smi_speaks_where_nvml_is_missing(check: Check) -> None:
    without = Driver(version="581.42", cuda=13000, nvml="missing", smi=f"0\n{TABLE}")
    run = named(check, machine(driver=without, adapters=()))
    assert [gpu["name"] for gpu in run.report["facts"]["gpus"]] == ["NVIDIA GeForce RTX 5060 Ti"]
    assert run.report["facts"]["driver"]["version"] == "581.42"


@pytest.mark.parametrize("said", ["9\nUnable to determine the device handle\n", "0\nRauschen\n"])
def test_an_nvidia_smi_that_fails_breaks_nothing(check: Check, said: str) -> None:
    broken = Driver(version="581.42", cuda=13000, nvml="missing", smi=said)
    run = named(check, machine(driver=broken))
    assert [gpu["sm"] for gpu in run.report["facts"]["gpus"]] == ["sm_120"]
    assert "collector-crashed" not in run.found


def comfy(script: str) -> Windows:
    files = {**COMFY, **torch(SITE, "2.9.1+cu128", "12.8", CU128), "run_nvidia_gpu.bat": script}
    return machine(files=files)


def test_the_report_names_what_a_double_click_starts(check: Check) -> None:
    script = ".\\python_embeded\\python.exe -s ComfyUI\\main.py\r\npause\r\n"
    run = check(comfy(script), "check", "--json", "--smoke", "off", "--python", ".")
    python = run.report["facts"]["python"]
    assert python["started_by"].endswith("\\run_nvidia_gpu.bat")
    assert python["starts"].lower() == python["executable"].lower()
    assert run.found == []
    text = check(comfy(script), "check", "--smoke", "off", "--python", ".").stdout.decode()
    assert "which run_nvidia_gpu.bat starts" in " ".join(text.split())


def test_a_script_that_starts_another_python_is_told(check: Check) -> None:
    run = check(
        comfy('"C:\\Python312\\python.exe" -s ComfyUI\\main.py\r\n'),
        *("check", "--json", "--smoke", "off", "--python", "."),
    )
    assert run.found == ["starter-runs-other-python"]
    assert "C:\\Python312\\python.exe" in run.report["findings"][0]["title"]


def test_an_environment_in_onedrive_is_told(check: Check, tmp_path: Path) -> None:
    environ = {"OneDrive": windows_path(tmp_path)}
    run = check(machine(), "check", "--json", "--python", "venv", "--smoke", "off", environ=environ)
    assert "environment-in-cloud-folder" in [f["name"] for f in run.report["findings"]]
    assert run.code == 0


def test_a_long_folder_is_told_before_an_installation_fails(check: Check) -> None:
    deep = "d" * 110
    what = machine()
    files = {f"{deep}/{name}": data for name, data in what.files.items()}
    run = check(
        dataclasses.replace(what, files=files),
        *("check", "--json", "--smoke", "off", "--python", f"{deep}\\venv"),
    )
    assert "windows-path-too-long" in run.found

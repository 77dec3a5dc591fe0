"""Driver and GPU on Windows: what is missing is recognised by numbers and files, never by words."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from machines import cards
from machines.build import Driver
from machines.cards import Card
from windows.machine import Adapter, Run, Windows, torch

Check = Callable[..., Run]

TI = dataclasses.replace(cards.RTX_5060_TI, bound=None)
ADAPTER = Adapter(pci_id="10de:2d04", name="NVIDIA GeForce RTX 5060 Ti")
SITE = "venv/Lib/site-packages"
VENV = {
    "venv/pyvenv.cfg": "home = C:\\Python311\nversion = 3.11.9\n",
    "venv/Scripts/python.exe": b"MZ" + bytes(0x3A) + b"\x80\0\0\0" + bytes(64) + b"PE\0\0\x64\x86",
}
CU128 = "sm_70 sm_75 sm_80 sm_86 sm_90 sm_100 sm_120"


def machine(version: str = "2.9.1+cu128", sass: str = CU128, **more: object) -> Windows:
    """A 5060 Ti with its driver and a torch in `venv`."""
    cuda = f"{version[-3:-1]}.{version[-1]}"
    given: dict[str, object] = {
        "cards": (TI,),
        "adapters": (ADAPTER,),
        "driver": Driver(version="581.42", cuda=13000, smi=None),
        "files": {**VENV, **torch(SITE, version, cuda, sass)},
        **more,
    }
    return Windows(**given)  # type: ignore[arg-type]  # the names are those of its fields


def named(check: Check, what: Windows) -> Run:
    return check(what, "check", "--json", "--smoke", "off", "--python", "venv")


def test_a_healthy_machine_is_healthy(check: Check) -> None:
    run = named(check, machine())
    assert (run.report["verdict"], run.code) == ("healthy", 0), run.stdout
    (gpu,) = run.report["facts"]["gpus"]
    assert (gpu["name"], gpu["sm"]) == ("NVIDIA GeForce RTX 5060 Ti", "sm_120")
    assert run.report["facts"]["driver"]["version"] == "581.42"


def test_a_wheel_without_code_for_the_gpu_is_named(check: Check) -> None:
    run = named(check, machine("2.6.0+cu124", "sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90"))
    assert run.found == ["torch-lacks-arch-new-gpu"]
    assert run.report["facts"]["torch"]["arch_source"] == "binary"
    (step, *_) = run.report["prescription"]["steps"]
    assert step["powershell"]
    assert step["cmd"]


def test_no_driver_at_all_is_told_as_that(check: Check) -> None:
    run = named(check, machine(driver=None))
    assert run.found == ["driver-not-loaded"]
    assert (run.report["verdict"], run.report["facts"]["driver"]) == ("broken", None)
    assert "driver" in [step["kind"] for step in run.report["prescription"]["steps"]]


def test_nvcuda_missing_is_no_health(check: Check) -> None:
    half = Driver(version="581.42", cuda=13000, libcuda="missing", smi=None)
    run = named(check, machine(driver=half))
    assert run.found == ["libcuda-missing"]
    (finding,) = [f for f in run.report["findings"] if f["name"] == "libcuda-missing"]
    assert "nvcuda.dll" in finding["title"]
    assert "sudo" not in str(run.report)


def test_nvml_missing_leaves_a_gpu_that_works_alone(check: Check) -> None:
    without = Driver(version="581.42", cuda=13000, nvml="missing", smi=None)
    run = named(check, machine(driver=without))
    assert "error" not in [f["severity"] for f in run.report["findings"]]
    assert run.code in (0, 3)


@pytest.mark.parametrize("service", ["BasicDisplay", None])
def test_a_card_under_the_basic_display_adapter_is_seen_on_the_bus(
    check: Check, service: str | None
) -> None:
    bare = Adapter(pci_id="10de:2d04", service=service, in_class=False)
    run = named(check, machine(driver=None, adapters=(bare,)))
    assert run.found == ["driver-not-loaded"]
    (gpu,) = run.report["facts"]["gpus"]
    assert (gpu["name"], gpu["sm"]) == ("NVIDIA GeForce RTX 5060 Ti", "sm_120")


def test_a_card_that_was_taken_out_is_not_counted(check: Check) -> None:
    old = Adapter(pci_id="10de:1b81", name="NVIDIA GeForce GTX 1070", present=False)
    run = named(check, machine(driver=None, adapters=(old, ADAPTER)))
    assert [gpu["pci_id"] for gpu in run.report["facts"]["gpus"]] == ["10de:2d04"]


def test_an_entry_of_the_class_alone_is_enough(check: Check) -> None:
    alone = dataclasses.replace(ADAPTER, on_bus=False)
    run = named(check, machine(driver=None, adapters=(alone,)))
    assert [gpu["pci_id"] for gpu in run.report["facts"]["gpus"]] == ["10de:2d04"]


def test_a_card_of_amd_is_seen(check: Check) -> None:
    radeon = Adapter(pci_id="1002:7550", name="AMD Radeon RX 9070 XT", service="amdwddmg")
    run = named(check, machine(driver=None, cards=(), adapters=(radeon,)))
    assert [gpu["vendor"] for gpu in run.report["facts"]["gpus"]] == ["amd"]


@pytest.mark.parametrize("behave", ["crash", "hang"])
def test_a_driver_that_takes_its_caller_along_takes_nothing_else(check: Check, behave: str) -> None:
    bad = Driver(version="581.42", cuda=13000, libcuda=behave, smi=None)
    what = machine(driver=bad)
    run = check(what, "check", "--json", "--smoke", "off", "--python", "venv", "--timeout", "5")
    assert run.report["facts"]["gpus"][0]["name"] == "NVIDIA GeForce RTX 5060 Ti"
    assert run.report["verdict"] != "healthy"
    assert "collector-crashed" not in run.found


def test_two_cards_are_both_told(check: Check) -> None:
    both: tuple[Card, ...] = (TI, dataclasses.replace(cards.RTX_4090, bound=None))
    second = Adapter(pci_id="10de:2684", name="NVIDIA GeForce RTX 4090")
    run = named(check, machine(cards=both, adapters=(ADAPTER, second)))
    assert [gpu["sm"] for gpu in run.report["facts"]["gpus"]] == ["sm_120", "sm_89"]
    assert run.code == 0


def test_a_driver_below_the_floor_is_named(check: Check) -> None:
    old = Driver(version="537.13", cuda=12020, smi=None)
    card = dataclasses.replace(cards.RTX_4090, bound=None)
    adapter = Adapter(pci_id="10de:2684", name="NVIDIA GeForce RTX 4090")
    what = machine("2.9.1+cu130", CU128, cards=(card,), adapters=(adapter,), driver=old)
    assert "driver-too-old" in named(check, what).found

"""The whole collection on stand-in machines: many sources, one fact sheet."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from gpudoctor.collect import assemble
from gpudoctor.collect.assemble import collect
from gpudoctor.collect.driver import asking as drivers
from gpudoctor.collect.driver.answers import CudaAnswer, NvmlAnswer
from gpudoctor.collect.driver.merge_driver import (
    library_kind,
    library_version,
    merge_driver,
    nvml_version,
)
from gpudoctor.collect.gpus.merge_gpus import GpuSources, merge_gpus
from gpudoctor.collect.gpus.pci import PciGpu
from gpudoctor.collect.reason import Reason
from gpudoctor.errors import UsageError
from gpudoctor.model.fact import Unknown
from gpudoctor.model.sheet import FactSheet
from machines import cards
from machines.build import Driver, Machine, build, card_uuid
from machines.libraries import have_compiler
from machines.trees import Module, System
from machines.wheels import TORCH_2_9_CU128

pytestmark = pytest.mark.skipif(not have_compiler(), reason="stand-ins need a C compiler")


def look(machine: Machine, tmp_path, seconds: float = 30, **environ: str) -> FactSheet:
    env = build(machine, str(tmp_path / "machine")) | environ
    return collect(None, seconds, env["HOME"], env)


def test_a_healthy_machine_leaves_nothing_unknown(tmp_path) -> None:
    machine = Machine(cards=(cards.RTX_4090, cards.H100), torch=TORCH_2_9_CU128)
    sheet = look(machine, tmp_path)
    assert sheet.unknown == ()
    driver = sheet.facts.driver
    assert driver is not None
    assert (driver.version, driver.cuda, driver.cu_init) == ("570.172.08", "12.8", 0)
    assert (driver.libcuda_kind, driver.libcuda_version) == ("driver", "570.172.08")
    first, second = sheet.facts.gpus
    assert (first.name, first.sm, first.pci_id) == ("NVIDIA GeForce RTX 4090", "sm_89", "10de:2684")
    assert (second.ecc_enabled, second.mig_mode, second.multiprocessors) == (True, False, 132)
    assert first.ecc_enabled is None  # it has none, which is known
    assert sheet.source("gpus[0].name") == "nvml"
    assert sheet.source("gpus[0].multiprocessors") == "cuda"
    assert sheet.facts.torch is not None


def test_cudas_order_is_told_beside_the_drivers(tmp_path) -> None:
    pair = (replace(cards.GTX_1080, cuda_rank=1), replace(cards.RTX_4090, cuda_rank=0))
    machine = Machine(cards=pair)
    gpus = look(machine, tmp_path).facts.gpus
    assert [(gpu.index, gpu.cuda_index) for gpu in gpus] == [(0, 1), (1, 0)]


def test_cudas_order_follows_the_bus_if_asked_to(tmp_path) -> None:
    pair = (replace(cards.GTX_1080, cuda_rank=1), replace(cards.RTX_4090, cuda_rank=0))
    sheet = look(Machine(cards=pair), tmp_path, CUDA_DEVICE_ORDER="PCI_BUS_ID")
    assert [gpu.cuda_index for gpu in sheet.facts.gpus] == [0, 1]


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ("0", [False, True]),  # CUDA counts the fastest first
        ("-1", [False, False]),
        ("", [False, False]),
        ("1,0", [True, True]),
        (card_uuid(0, cards.GTX_1080), [True, False]),
        ("0,7", [False, True]),
        ("0,0", [False, False]),
    ],
)
def test_a_mask_hides_what_the_driver_says_it_hides(tmp_path, mask: str, expected) -> None:
    pair = (replace(cards.GTX_1080, cuda_rank=1), replace(cards.RTX_4090, cuda_rank=0))
    sheet = look(Machine(cards=pair), tmp_path, CUDA_VISIBLE_DEVICES=mask)
    assert [gpu.visible for gpu in sheet.facts.gpus] == expected
    driver = sheet.facts.driver
    assert driver is not None
    assert driver.cu_init == 0, "a mask is no fault of the driver"
    assert [gpu.cuda_index is not None for gpu in sheet.facts.gpus] == expected


def test_without_nvml_the_gpus_come_from_cuda_and_the_bus(tmp_path) -> None:
    machine = Machine(cards=(cards.RTX_4090,), driver=Driver(nvml="missing", smi=None))
    sheet = look(machine, tmp_path)
    (gpu,) = sheet.facts.gpus
    assert (gpu.name, gpu.compute_capability) == ("NVIDIA GeForce RTX 4090", "8.9")
    assert gpu.uuid == card_uuid(0, cards.RTX_4090)
    assert gpu.pcie_generation_max == 4  # from the bus
    driver = sheet.facts.driver
    assert driver is not None
    assert driver.nvml_error == "NVML_ERROR_LIBRARY_NOT_FOUND"
    assert driver.version == "570.172.08"
    assert sheet.why_unknown("gpus[0].throttle_reasons") is not None


def test_where_the_driver_fails_the_bus_still_names_the_gpu(tmp_path) -> None:
    driver = Driver(nvml_init=18, cuda_init=803, smi="Driver/library version mismatch")
    machine = Machine(
        cards=(cards.RTX_5060_TI,), driver=driver, module=Module(version="570.124.06")
    )
    sheet = look(machine, tmp_path)
    (gpu,) = sheet.facts.gpus
    assert (gpu.name, gpu.sm) == ("NVIDIA GeForce RTX 5060 Ti", "sm_120")
    assert "knowledge base" in sheet.source("gpus[0].name")
    seen = sheet.facts.driver
    assert seen is not None
    assert seen.nvml_error == "NVML_ERROR_LIB_RM_VERSION_MISMATCH"
    assert (seen.cu_init, seen.cu_init_name) == (803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH")
    assert seen.smi_error == "Driver/library version mismatch"
    assert (seen.version, seen.nvml_version) == ("570.172.08", "570.172.08")
    assert sheet.facts.kernel_module is not None
    assert sheet.facts.kernel_module.version == "570.124.06"
    assert "MISMATCH" in (sheet.why_unknown("gpus[0].memory_bytes") or Unknown("", "")).reason


def test_nvml_that_hangs_in_the_middle_keeps_what_it_said_before(tmp_path) -> None:
    second = replace(cards.RTX_4090, extra={"behave": "hang"})
    machine = Machine(cards=(cards.H100, second), driver=Driver(smi=None))
    sheet = look(machine, tmp_path, seconds=2.0)
    gpus = sheet.facts.gpus
    assert [gpu.name for gpu in gpus] == ["NVIDIA H100 80GB HBM3", "NVIDIA GeForce RTX 4090"]
    assert gpus[0].ecc_enabled is True
    assert sheet.why_unknown("gpus[0].ecc_enabled") is None
    assert "did not answer" in (sheet.why_unknown("gpus[1].ecc_enabled") or Unknown("", "")).reason


@pytest.mark.parametrize("library", ["nvml", "libcuda"])
def test_a_library_that_crashes_takes_nobody_with_it(tmp_path, library: str) -> None:
    machine = Machine(cards=(cards.RTX_4090,), driver=Driver(**{library: "crash"}))
    sheet = look(machine, tmp_path)
    assert [gpu.name for gpu in sheet.facts.gpus] == ["NVIDIA GeForce RTX 4090"]
    fact = "driver.nvml_error" if library == "nvml" else "driver.cu_init"
    assert "SIGABRT" in (sheet.why_unknown(fact) or Unknown("", "")).reason


def test_a_lost_gpu_is_still_listed(tmp_path) -> None:
    lost = replace(cards.H100, nvml_error=15)
    sheet = look(Machine(cards=(cards.H100, lost), driver=Driver(listed=2)), tmp_path)
    assert len(sheet.facts.gpus) == 2
    assert sheet.why_unknown("gpus[1].ecc_enabled") is not None


def test_in_a_container_the_hosts_other_gpus_are_not_ours(tmp_path) -> None:
    machine = Machine(
        cards=(cards.H100, cards.H100),
        driver=Driver(listed=1),
        system=System(files={"/.dockerenv": ""}),
    )
    assert len(look(machine, tmp_path).facts.gpus) == 1


def test_mig_instances_are_listed_with_their_gpu(tmp_path) -> None:
    names = ("MIG-11111111-2222-3333-4444-555555555555",)
    machine = Machine(cards=(replace(cards.A100, mig=1, mig_uuids=names),))
    (gpu,) = look(machine, tmp_path, CUDA_VISIBLE_DEVICES=names[0]).facts.gpus
    assert (gpu.mig_mode, gpu.mig_devices, gpu.visible) == (True, names, True)
    assert gpu.uuid == card_uuid(0, cards.A100)


def test_sixteen_gpus_keep_their_order(tmp_path) -> None:
    gpus = look(Machine(cards=(cards.V100,) * 16), tmp_path).facts.gpus
    assert [gpu.index for gpu in gpus] == list(range(16))
    assert len({gpu.uuid for gpu in gpus}) == 16


def test_gpus_that_the_driver_does_not_list_come_after_those_that_it_does(tmp_path) -> None:
    machine = Machine(
        cards=(replace(cards.RTX_3090, bound="vfio-pci", nvml_error=6), cards.RTX_4090),
        others=(cards.RAPHAEL,),
    )
    gpus = look(machine, tmp_path).facts.gpus
    assert [gpu.vendor for gpu in gpus] == ["nvidia", "nvidia", "amd"]
    assert [gpu.index for gpu in gpus] == [0, 1, 2]


def test_children_that_were_started_early_are_taken_once(tmp_path) -> None:
    env = build(Machine(cards=(cards.RTX_4090,)), str(tmp_path / "machine"))
    drivers.start_early(env)
    first = drivers.take_children(env)
    second = drivers.take_children(env)
    assert first is not second
    for children in (first, second):
        assert drivers.ask_nvml(children.nvml, 30).count == 1
        assert drivers.ask_cuda(children.cuda, 30).init == 0


def test_children_that_were_started_for_another_machine_are_not_taken(tmp_path) -> None:
    drivers.start_early(build(Machine(), str(tmp_path / "without")))
    env = build(Machine(cards=(cards.RTX_4090,)), str(tmp_path / "with"))
    assert drivers.ask_nvml(drivers.take_children(env).nvml, 30).count == 1


# What goes wrong around the collectors


def test_a_collector_that_fails_makes_its_facts_unknown_and_no_others(
    tmp_path, monkeypatch
) -> None:
    def fail(*arguments: object) -> None:
        raise ValueError("a mistake")

    monkeypatch.setattr(assemble, "collect_patient", fail)
    sheet = look(Machine(cards=(cards.RTX_4090,)), tmp_path)
    assert len(sheet.facts.gpus) == 1
    assert "a mistake" in (sheet.why_unknown("torch") or Unknown("", "")).reason


def test_a_collector_that_is_late_is_left_behind(tmp_path, monkeypatch) -> None:
    gate = threading.Event()
    monkeypatch.setattr(assemble, "collect_patient", lambda *arguments: gate.wait(60))
    monkeypatch.setattr(assemble, "read_machine", lambda *arguments: gate.wait(60))
    started = time.monotonic()
    sheet = look(Machine(cards=(cards.RTX_4090,)), tmp_path, seconds=1.5)
    assert time.monotonic() - started < 30
    gate.set()
    for fact in ("torch", "host", "kernel_module"):
        assert "when the time was up" in (sheet.why_unknown(fact) or Unknown("", "")).reason
    assert [gpu.name for gpu in sheet.facts.gpus] == ["NVIDIA GeForce RTX 4090"]


def test_a_wrong_target_is_refused(tmp_path) -> None:
    env = build(Machine(), str(tmp_path / "machine"))
    with pytest.raises(UsageError):
        collect("/no/such/python", 10, env["HOME"], env)


def test_everything_silent_is_unknown_and_not_absent(tmp_path) -> None:
    machine = Machine(
        cards=(replace(cards.RTX_4090, on_pci=False),),
        driver=Driver(nvml="hang", libcuda="hang", smi="hang"),
        system=System(kernel="5.15.167.4-microsoft-standard-WSL2", wsl=True),
    )
    sheet = look(machine, tmp_path, seconds=1.5)
    assert sheet.why_unknown("gpus") is not None
    assert sheet.why_unknown("driver.cu_init") is not None


# The pure parts


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/usr/lib/x86_64-linux-gnu/libcuda.so.570.172.08", "driver"),
        ("/usr/local/cuda-13.0/compat/libcuda.so.580.65.06", "compat"),
        ("/usr/local/cuda/lib64/stubs/libcuda.so", "stub"),
        ("/usr/lib/wsl/drivers/nv_dispi.inf_amd64_1/libcuda.so.1.1", "wsl"),
        ("/usr/lib/wsl/lib/libcuda.so.1.1", "wsl"),
    ],
)
def test_the_folder_tells_which_libcuda_it_is(path: str, kind: str) -> None:
    assert library_kind(path) == kind


def test_the_file_name_tells_the_version() -> None:
    assert library_version("/usr/lib/libcuda.so.570.172.08") == "570.172.08"
    assert library_version("/usr/lib/libcuda.so.580.95") == "580.95"
    assert library_version("/usr/lib/tegra/libcuda.so.1.1") is None


def test_nvmls_version_is_the_drivers() -> None:
    assert nvml_version("12.570.172.08") == "570.172.08"
    assert nvml_version("570.172.08") == "570.172.08"
    assert nvml_version(None) is None


def test_no_library_at_all_is_no_driver() -> None:
    nothing = CudaAnswer(load_error="libcuda.so.1: cannot open", missing=True)
    absent = NvmlAnswer(error="NVML_ERROR_LIBRARY_NOT_FOUND")
    driver, unknown, _ = merge_driver(absent, nothing, None, None)
    assert driver is None
    assert unknown == ()


def test_a_source_that_was_not_heard_is_never_taken_for_a_missing_driver() -> None:
    silent: Any = NvmlAnswer(problem=Reason("late", "NVML did not answer within 5 s"))
    nothing = CudaAnswer(load_error="libcuda.so.1: cannot open", missing=True)
    driver, unknown, _ = merge_driver(silent, nothing, None, None)
    assert driver is not None
    assert {"driver.nvml_error", "driver.version"} <= {entry.fact for entry in unknown}


def test_adapters_of_windows_are_not_counted_twice() -> None:
    listed = NvmlAnswer(
        count=1,
        gpus=({"step": "device", "index": 0, "name": "RTX 4090", "pci": ["00000000:01:00.0", 0]},),
    )
    adapter = PciGpu(address="adapter 0", on_bus=False, vendor="nvidia", pci_id="10de:2684")
    gpus, _, _ = merge_gpus(GpuSources(pci=(adapter,), nvml=listed))
    assert [gpu.name for gpu in gpus] == ["RTX 4090"]
    gpus, _, _ = merge_gpus(GpuSources(pci=(adapter,)))
    assert [(gpu.pci_id, gpu.pci_address) for gpu in gpus] == [("10de:2684", None)]


def test_nothing_of_the_host_shows_through(tmp_path) -> None:
    sheet = look(Machine(), tmp_path)
    assert sheet.facts.host is not None
    assert sheet.facts.host.distribution == "Ubuntu 24.04.1 LTS"
    assert sheet.facts.host.container is None
    assert os.uname().release != sheet.facts.host.kernel

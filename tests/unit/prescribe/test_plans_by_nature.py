"""Plans that follow from what no table of builds says: a driver in common, systems, sizes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gpudoctor.model.facts import Gpu, Host, Torch
from gpudoctor.model.sheet import FactSheet
from gpudoctor.prescribe import PlanRequest
from gpudoctor.prescribe.plan import plan
from unit.prescribe.sheets import cure, errors, sheet


def asked(*gpus, **more):
    return plan(PlanRequest(gpus=gpus, **{"python": "3.12", "os": "linux", **more}))[1]


@pytest.mark.parametrize("os", ["linux", "windows"])
def test_gpus_that_no_driver_serves_together_get_no_common_build(os):
    found = asked("K80", "GTX 1080", "RTX 4090", os=os)
    assert found.why.startswith("Without NVIDIA Tesla K80")
    assert [step.kind for step in found.steps] == ["install", "mask-gpus"]


@pytest.mark.parametrize(
    ("gpu", "torch", "driver"),
    [("RTX 5090", "2.7.1", "570"), ("RTX 4090", "1.13.1", "520"), ("A100", "2.7.1", "525")],
)
def test_the_driver_that_a_plan_names_knows_the_gpu(gpu, torch, driver):
    found = asked(gpu, torch=torch, python="3.10")
    assert any(f"It needs NVIDIA driver {driver}" in note for note in found.notes)


def test_a_mac_with_graphics_of_intel_has_a_processor_of_intel():
    assert asked("UHD 630", os="macos", python="3.11").torch == "2.2.2"


def test_nothing_is_compiled_for_cuda_on_windows_on_arm():
    found = asked("RTX 4090", os="windows", arch="arm64")
    assert found.status == "impossible"
    assert not found.steps
    assert "+cpu runs on the processor" in found.alternatives[0].why


def test_a_card_of_amd_that_linux_alone_serves_is_sent_there():
    found = asked("MI210", os="windows")
    assert "under Linux, torch" in found.why


def test_of_two_cards_of_amd_the_one_that_amds_own_index_serves_is_kept():
    found = asked("RX 7900 XTX", "RX 580", os="windows")
    assert found.status == "resolved"
    assert "HIP_VISIBLE_DEVICES" in (found.steps[-1].powershell or "")
    assert found.packages == ("torch[device-gfx1100]",)


@pytest.mark.parametrize(("gpu", "word"), [("GT 710", "faster"), ("GTX 780 Ti", "not worth")])
def test_a_card_that_was_fast_in_its_day_is_not_called_slower_than_the_processor(gpu, word):
    assert word in asked(gpu).why


def mac(version, torch=None, python="3.12.4", arch="arm64"):
    made = sheet(os="macos", driver=None, python=python).facts
    host = Host(os="macos", arch=arch, distribution_version=version)
    gpus = (Gpu(index=0, name="Apple M3", vendor="apple"),) if arch == "arm64" else ()
    return FactSheet(replace(made, host=host, gpus=gpus, torch=torch))


def test_a_mac_whose_system_is_older_than_torchs_gpu_kernels_is_told_so_without_the_binary():
    made = mac("13.6", Torch(version="2.9.1"))
    assert "macos-too-old-for-torch" in errors(made)
    assert cure(made).torch == "2.8.0"
    assert "macos-too-old-for-torch" not in errors(mac("14.5", Torch(version="2.9.1")))


def test_an_intel_mac_with_a_newer_python_gets_one_installation_and_its_python_first():
    answer = cure(mac("13.6", python="3.13.1", arch="x86_64"))
    assert [step.kind for step in answer.steps] == ["manual", "install"]
    assert answer.why.startswith("No wheel exists for Python 3.13")

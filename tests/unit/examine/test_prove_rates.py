"""Measured rates are held to sheets and links that are known, and to nothing else."""

from __future__ import annotations

import pytest

from gpudoctor.kb import smoke_figures as figures
from gpudoctor.model.facts import Facts, Gpu
from gpudoctor.model.sheet import FactSheet
from gpudoctor.smoke.measured_rates import compare, reasons_of, slow
from gpudoctor.smoke.worker_run import Run, SmokeTarget

X16 = Gpu(index=0, name="NVIDIA H200", pcie_generation_max=5, pcie_width_max=16)


def run(**rates: float) -> Run:
    target = SmokeTarget(index=0, device="cuda:0", label="GPU 0 (NVIDIA H200)")
    made = Run(target)
    made.device = {"name": "NVIDIA H200"}
    made.rates = rates
    return made


def sheet(gpu: Gpu) -> FactSheet:
    return FactSheet(facts=Facts(gpus=(gpu,)))


def test_an_h200_as_it_was_measured_is_as_fast_as_it_should_be() -> None:
    healthy = run(
        device_to_device_gb_per_s=4300.0,
        matmul_bfloat16_tflop_per_s=788.0,
        host_to_device_pinned_gb_per_s=55.0,
    )
    assert slow((healthy,), sheet(X16)) == ()


def test_a_share_below_half_is_a_warning_that_names_both_figures() -> None:
    [finding] = slow((run(device_to_device_gb_per_s=1200.0),), sheet(X16))
    assert finding.name == "slower-than-its-sheet"
    assert "25%" in finding.title
    assert finding.evidence[0].value == "1200 of 4800 GB/s"
    assert finding.gpus == (0,)


def test_a_gpu_without_a_sheet_and_a_link_that_nobody_knows_is_not_judged() -> None:
    rates = {"device_to_device_gb_per_s": 0.001, "host_to_device_pinned_gb_per_s": 0.001}
    assert compare(rates, "NVIDIA GeForce RTX 9999", Gpu()) == ()
    assert compare(rates, "NVIDIA GeForce RTX 9999", None) == ()


@pytest.mark.parametrize(
    "name", ["NVIDIA H200", "H200", "nvidia h200".upper(), "NVIDIA GeForce RTX 4090", "Tesla T4"]
)
def test_sheets_are_found_by_the_name_that_the_driver_gives(name: str) -> None:
    assert figures.sheet_rates(name)["memory"] > 0


def test_the_names_of_sheets_are_whole_names() -> None:
    assert (
        figures.sheet_rates("NVIDIA H200 NVL")["bfloat16"]
        != figures.sheet_rates("H200")["bfloat16"]
    )
    assert figures.sheet_rates("NVIDIA H20") == {}


def test_a_link_is_lanes_times_what_a_lane_carries() -> None:
    assert figures.link_gb_per_s(4, 16) == pytest.approx(31.5, abs=0.1)
    assert figures.link_gb_per_s(9, 16) is None


def test_reasons_are_told_apart_by_facts_and_absent_without_them() -> None:
    assert reasons_of(None) == ()
    assert reasons_of(Gpu()) == ()
    text = " ".join(
        reasons_of(
            Gpu(
                pcie_width=4,
                pcie_width_max=16,
                power_limit_watts=200.0,
                power_limit_default_watts=450.0,
                throttle_reasons=("hw_thermal_slowdown",),
                processes=(1, 2),
                mig_mode=True,
                ecc_enabled=True,
            )
        )
    )
    for words in ("4 lanes of 16", "200 W of 450 W", "thermal", "1, 2", "MIG", "ECC"):
        assert words in text

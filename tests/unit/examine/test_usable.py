"""Which GPUs torch runs on, and what must be known before a Jetson may be called healthy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gpudoctor.examine.verdict import missing_essentials, usable_gpus, verdict
from gpudoctor.model.fact import Unknown
from gpudoctor.model.sheet import FactSheet
from gpudoctor.rules import judge
from unit.rules.make import CU130, amd, driver, gpu, jetson, machine, torch
from unit.rules.parts import ORIN

RTX_3060 = gpu("NVIDIA GeForce RTX 3060", "8.6")
GT_710 = gpu("NVIDIA GeForce GT 710", "3.5", index=1)


def test_a_card_that_the_build_has_no_code_for_is_not_used() -> None:
    sheet = machine(gpus=(RTX_3060, GT_710), torch=torch(sass=CU130))
    assert usable_gpus(sheet) == [0]


def test_a_card_that_the_driver_does_not_number_is_not_used() -> None:
    unlisted = replace(RTX_3060, index=1, cuda_index=None)
    assert usable_gpus(machine(gpus=(RTX_3060, unlisted), torch=torch(sass=CU130))) == [0]


def test_graphics_that_no_build_serves_are_not_used() -> None:
    card = replace(amd("AMD Radeon RX 7900 XTX", "gfx1100"), index=0)
    graphics = replace(amd("AMD Radeon Graphics", "gfx1036"), index=1, integrated=True)
    rocm = torch("2.9.1+rocm6.4", None, hip="6.4.0", sass=())
    assert usable_gpus(machine(gpus=(card, graphics), driver=None, torch=rocm)) == [0]


def test_what_is_not_known_of_a_gpu_is_not_held_against_it() -> None:
    assert usable_gpus(machine(gpus=(gpu(cc=None),), torch=torch(sass=CU130))) == [0]


@pytest.mark.parametrize("started", [True, False])
def test_a_jetson_needs_no_driver_number_where_cuda_starts(*, started: bool) -> None:
    board = machine(
        host=jetson(),
        gpus=(ORIN,),
        driver=driver(None, "11.4", cu_init=0 if started else 100),
        torch=torch("2.0.0+nv23.05", "11.4", sass=("sm_72", "sm_87")),
    )
    silent = Unknown("driver.version", "JetPack has none", "", "not-asked")
    sheet = FactSheet(board.facts, (silent,))
    missing = missing_essentials(sheet)
    assert ("driver.version" in [entry.fact for entry in missing]) is not started
    if started:
        assert verdict(judge(sheet).findings, missing) == "healthy"

"""What people call their GPU, beside the names that are printed on its box."""

from __future__ import annotations

import pytest

import gpudoctor
from gpudoctor.kb._data import load
from gpudoctor.kb.hardware import amd_gpus as amd
from gpudoctor.kb.hardware import intel_gpus as intel
from gpudoctor.prescribe.request.gpu_names import gpu_of


@pytest.mark.parametrize(
    ("text", "gfx"),
    [
        ("Navi 31", "gfx1100"),
        ("navi21", None),
        ("Steam Deck", "gfx1033"),
        ("AMD Ryzen AI Max+ 395", "gfx1151"),
        ("Ryzen AI 9 HX 370", "gfx1150"),
        ("Polaris", "gfx803"),
        ("R9 Fury", "gfx803"),
    ],
)
def test_an_amd_gpu_is_known_by_its_chip_and_by_its_processor(text: str, gfx: str | None) -> None:
    found = amd.by_other_name(text)
    assert (found and found[1]) == gfx
    if gfx is not None:
        assert gpu_of(text, 0).gfx == gfx


def test_another_name_of_a_gpu_says_what_the_table_says_of_it() -> None:
    for row in load("amd")["also_called"]:
        for name in row["names"]:
            assert {gpu.gfx for gpu in amd.match(name)} <= {row["gfx"]}, name


@pytest.mark.parametrize(
    ("text", "capability"),
    [("K40", "3.5"), ("Tesla K20", "3.5"), ("P106-100", "6.1"), ("NVS 510", "3.0")],
)
def test_an_nvidia_board_is_known_without_its_form_and_by_the_name_of_the_bus(
    text: str, capability: str
) -> None:
    assert gpu_of(text, 0).compute_capability == capability


@pytest.mark.parametrize("text", ["UHD 770", "Intel(R) UHD Graphics 620", "Iris Xe"])
def test_graphics_that_no_xpu_build_serves_get_the_build_for_the_processor(text: str) -> None:
    assert intel.match(text) is None
    report = gpudoctor.plan(gpus=[text], os="linux", arch="x86_64", python="3.12")
    assert report.prescription is not None
    assert report.prescription.variant == "cpu"
    assert any("PyTorch runs on the CPU" in note for note in report.prescription.notes)


@pytest.mark.parametrize("text", ["UHD 770", "Iris Xe"])
def test_such_graphics_change_nothing_beside_a_card(text: str) -> None:
    wanted = {"os": "windows", "arch": "x86_64", "python": "3.12"}
    for card in ("Arc B580", "RTX 4090"):
        alone = gpudoctor.plan(gpus=[card], **wanted).prescription
        both = gpudoctor.plan(gpus=[text, card], **wanted).prescription
        assert alone is not None
        assert both is not None
        assert (alone.variant, alone.notes) == (both.variant, both.notes)


@pytest.mark.parametrize("text", ["Battlemage", "Lunar Lake", "Meteor Lake", "Alchemist"])
def test_an_intel_gpu_is_known_by_its_code_name(text: str) -> None:
    assert intel.match(gpu_of(text, 0).name or "") is not None


def test_a_build_without_blas_is_named_only_where_somebody_met_it() -> None:
    plan = gpudoctor.plan(gpus=["MI50"], os="linux", arch="x86_64", python="3.11").prescription
    assert plan is not None
    assert plan.variant == "rocm6.3"
    assert any("2.14.1+rocm7.2 has torch's own code for gfx906" in note for note in plan.notes)
    plan = gpudoctor.plan(gpus=["780M"], os="linux", arch="x86_64", python="3.12").prescription
    assert plan is not None
    assert not any("Newer builds" in note for note in plan.notes)


@pytest.mark.parametrize(
    ("gpu", "system", "processor"),
    [
        ("RX 580", "windows", "x86_64"),
        ("RX 580", "linux", "x86_64"),
        ("MI300X", "linux", "aarch64"),
        ("Arc A770", "linux", "aarch64"),
    ],
)
def test_a_gpu_that_no_build_serves_leaves_the_processor(
    gpu: str, system: str, processor: str
) -> None:
    plan = gpudoctor.plan(gpus=[gpu], os=system, arch=processor, python="3.12").prescription
    assert plan is not None
    assert plan.status == "impossible"
    assert "runs on the processor with" not in plan.why
    assert [way.variant for way in plan.alternatives if way.steps] == ["cpu"]


def test_torch_is_built_with_a_python_that_its_release_knows() -> None:
    def built(python: str) -> list[str]:
        plan = gpudoctor.plan(gpus=["K40"], os="linux", arch="x86_64", python=python).prescription
        assert plan is not None
        return [step.posix or "" for step in plan.steps]

    assert not any("venv" in line for line in built("3.12"))
    commands = built("3.14")
    assert "python3.13 -m venv torch-3.13" in commands
    assert any("../torch-3.13/bin/python -m pip install" in line for line in commands)

"""What is said of masks that hide AMD's and Intel's GPUs, and of who set them."""

from __future__ import annotations

import pytest

from gpudoctor import rules
from gpudoctor.model.finding import Finding
from gpudoctor.smoke.suite import targets_of
from unit.rules.fires_vendors import XTX
from unit.rules.make import amd, amd_stack, machine

UUIDS = ("GPU-00000000aaaa0001", "GPU-00000000aaaa0002")


def found(environment: dict[str, str], *, visible: bool = False) -> list[Finding]:
    cards = tuple(
        amd("AMD Instinct MI300X", "gfx942", index=place, uuid=uuid, visible=visible)
        for place, uuid in enumerate(UUIDS)
    )
    sheet = machine(**{**XTX, "gpus": cards}, amd=amd_stack(), environment=environment)
    return [
        one for one in rules.judge(sheet).findings if one.name == "cuda-visible-devices-hides-gpus"
    ]


def test_two_masks_that_hide_all_only_together_are_named_together() -> None:
    (one,) = found({"ROCR_VISIBLE_DEVICES": "1", "CUDA_VISIBLE_DEVICES": "1", "SLURM_JOB_ID": "7"})
    assert "ROCR_VISIBLE_DEVICES='1' and CUDA_VISIBLE_DEVICES='1'" in one.title
    assert "Slurm" in one.detail
    assert [step.posix for step in one.remedies] == ["unset CUDA_VISIBLE_DEVICES"]


def test_the_one_that_hides_all_by_itself_is_named_alone() -> None:
    (one,) = found({"ROCR_VISIBLE_DEVICES": "0", "HIP_VISIBLE_DEVICES": "-1"})
    assert one.title.startswith("HIP_VISIBLE_DEVICES hides every GPU")
    assert "ROCR" not in one.title


def test_in_a_worker_of_ray_the_way_to_ask_ray_is_named() -> None:
    (one,) = found({"HIP_VISIBLE_DEVICES": "-1", "RAY_JOB_ID": "01000000"})
    assert "num_gpus=1" in one.detail
    assert "RAY_EXPERIMENTAL_NOSET_HIP_VISIBLE_DEVICES=1" in one.detail


def test_a_worker_whose_masks_ray_leaves_alone_is_not_told_that_ray_sets_them() -> None:
    told = {"HIP_VISIBLE_DEVICES": "-1", "RAY_JOB_ID": "01000000"}
    name = "RAY_EXPERIMENTAL_NOSET_HIP_VISIBLE_DEVICES"
    (one,) = found({**told, name: "1"})
    assert "Ray does not set it here" in one.detail
    assert "num_gpus" not in one.detail
    (one,) = found({**told, name: "0"})
    assert "num_gpus=1" in one.detail


def test_a_variable_that_hip_does_not_read_is_never_blamed() -> None:
    assert found({"GPU_DEVICE_ORDINAL": "9"}) == []


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, {0: "cuda:0", 1: "cuda:1"}),
        ({"HIP_VISIBLE_DEVICES": "1,0"}, {0: "cuda:1", 1: "cuda:0"}),
        ({"ROCR_VISIBLE_DEVICES": "1,0"}, {0: "cuda:1", 1: "cuda:0"}),
    ],
)
def test_kernels_are_said_to_run_on_the_gpu_that_hip_chose(
    environment: dict[str, str], expected: dict[int, str]
) -> None:
    cards = tuple(
        amd("AMD Instinct MI300X", "gfx942", index=place, uuid=uuid)
        for place, uuid in enumerate(UUIDS)
    )
    sheet = machine(**{**XTX, "gpus": cards}, amd=amd_stack(), environment=environment)
    assert {target.index: target.device for target in targets_of(sheet)} == expected

"""What the masks of AMD and Intel leave visible, as their own runtimes read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.compat.visible_devices import (
    amd_culprits,
    amd_order,
    amd_visible,
    intel_visible,
    selector_leaves_none,
    visible_by_numbers,
)

FIRST, SECOND = "GPU-00000000aaaa0001", "GPU-00000000aaaa0002"
TWO = (FIRST, SECOND)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, [True, True]),
        ({"HIP_VISIBLE_DEVICES": "0"}, [True, False]),
        ({"HIP_VISIBLE_DEVICES": "1,0"}, [True, True]),
        ({"HIP_VISIBLE_DEVICES": "-1"}, [False, False]),
        ({"HIP_VISIBLE_DEVICES": ""}, [True, True]),
        ({"CUDA_VISIBLE_DEVICES": "1"}, [False, True]),
        ({"CUDA_VISIBLE_DEVICES": "1", "HIP_VISIBLE_DEVICES": "0"}, [True, False]),
        ({"CUDA_VISIBLE_DEVICES": "1", "HIP_VISIBLE_DEVICES": ""}, [False, True]),
        ({"ROCR_VISIBLE_DEVICES": "1"}, [False, True]),
        ({"ROCR_VISIBLE_DEVICES": ""}, [False, False]),
        ({"ROCR_VISIBLE_DEVICES": "1", "HIP_VISIBLE_DEVICES": "0"}, [False, True]),
        ({"ROCR_VISIBLE_DEVICES": "1", "HIP_VISIBLE_DEVICES": "1"}, [False, False]),
        ({"ROCR_VISIBLE_DEVICES": SECOND}, [False, True]),
        ({"HIP_VISIBLE_DEVICES": FIRST.upper()}, [True, False]),
        ({"HIP_VISIBLE_DEVICES": "0,x,1"}, [True, False]),
        ({"ROCR_VISIBLE_DEVICES": "1,0", "HIP_VISIBLE_DEVICES": "0"}, [False, True]),
    ],
)
def test_rocr_filters_first_and_hip_counts_in_what_is_left(
    environ: dict[str, str], expected: list[bool]
) -> None:
    assert amd_visible(environ, TWO) == expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HIP_VISIBLE_DEVICES": "1,0"}, [1, 0]),
        ({"ROCR_VISIBLE_DEVICES": "1,0", "HIP_VISIBLE_DEVICES": "1"}, [0]),
        ({"GPU_DEVICE_ORDINAL": "1"}, [0, 1]),  # OpenCL's alone
        ({}, [0, 1]),
    ],
)
def test_hip_counts_in_the_order_of_the_masks(environ: dict[str, str], expected: list[int]) -> None:
    assert amd_order(environ, TWO) == expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"ROCR_VISIBLE_DEVICES": "1", "HIP_VISIBLE_DEVICES": "1"}, ("ROCR", "HIP")),
        ({"ROCR_VISIBLE_DEVICES": "1", "CUDA_VISIBLE_DEVICES": "1"}, ("ROCR", "CUDA")),
        ({"ROCR_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": "0"}, ("ROCR",)),
        ({"ROCR_VISIBLE_DEVICES": "0", "HIP_VISIBLE_DEVICES": "-1"}, ("HIP",)),
        ({"HIP_VISIBLE_DEVICES": "9", "CUDA_VISIBLE_DEVICES": "0"}, ("HIP",)),
        ({"HIP_VISIBLE_DEVICES": "", "CUDA_VISIBLE_DEVICES": "9"}, ("CUDA",)),
        ({"ROCR_VISIBLE_DEVICES": "1", "HIP_VISIBLE_DEVICES": "0"}, ()),
        ({"GPU_DEVICE_ORDINAL": "9"}, ()),
    ],
)
def test_who_hides_all_gpus_is_named_and_nobody_else(
    environ: dict[str, str], expected: tuple[str, ...]
) -> None:
    assert amd_culprits(environ, TWO) == tuple(f"{name}_VISIBLE_DEVICES" for name in expected)


@given(st.text("01,-GPU a", max_size=12), st.text("01,-GPU a", max_size=12))
def test_every_pair_of_masks_has_an_answer_for_every_gpu(rocr: str, hip: str) -> None:
    environ = {"ROCR_VISIBLE_DEVICES": rocr, "HIP_VISIBLE_DEVICES": hip}
    both, alone = amd_visible(environ, TWO), amd_visible({"ROCR_VISIBLE_DEVICES": rocr}, TWO)
    assert len(both) == 2
    assert all(before or not after for before, after in zip(alone, both, strict=True))


@pytest.mark.parametrize(
    ("selector", "none_left"),
    [
        (None, False),
        ("", False),
        ("level_zero:gpu", False),
        ("level_zero:0", False),
        ("*:gpu", False),
        ("opencl:cpu;level_zero:*", False),
        ("!opencl:*", False),
        ("opencl:cpu", True),
        ("*:cpu", True),
        ("opencl:gpu", True),
    ],
)
def test_a_selector_without_a_gpu_of_level_zero_leaves_none(
    selector: str | None, none_left: object
) -> None:
    assert selector_leaves_none(selector) is none_left


def test_the_masks_of_intel_count_together() -> None:
    assert intel_visible({"ZE_AFFINITY_MASK": "1"}, 2) == [False, True]
    both = {"ZE_AFFINITY_MASK": "1", "ONEAPI_DEVICE_SELECTOR": "opencl:cpu"}
    assert intel_visible(both, 2) == [False, False]


@pytest.mark.parametrize(
    ("mask", "expected"),
    [(None, [True, True]), ("", [False, False]), ("1", [False, True]), ("0.1", [True, False])],
)
def test_the_mask_of_intel_counts(mask: str | None, expected: list[bool]) -> None:
    assert visible_by_numbers(mask, 2) == expected

"""What `CUDA_VISIBLE_DEVICES` leaves visible, as the driver reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.collect.gpus.visibility import (
    MaskableGpu,
    visible,
)

A, B, C = "GPU-aaaa1111-0", "GPU-aaaa2222-0", "GPU-bbbb0000-0"
SAME = [MaskableGpu(uuid, kind="H100") for uuid in (A, B, C)]
MIXED = [MaskableGpu(A, kind="GTX 1080"), MaskableGpu(B, kind="RTX 4090")]


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (None, [True, True, True]),
        ("", [False, False, False]),
        ("-1", [False, False, False]),
        ("NoDevFiles", [False, False, False]),
        ("0", [True, False, False]),
        ("2,0", [True, False, True]),
        ("0,-1,1", [True, False, False]),
        ("0,7,1", [True, False, False]),
        ("1,1", [False, False, False]),
        (" 1 , 2 ", [False, True, True]),
        ("9" * 5000, [False, False, False]),
        (A, [True, False, False]),
        ("GPU-bbbb", [False, False, True]),
        ("gpu-BBBB", [False, False, True]),
        ("GPU-aaaa", [False, False, False]),
        ("GPU-ffff", [False, False, False]),
        (f"{C},{A}", [True, False, True]),
    ],
)
def test_a_mask_on_equal_gpus(mask: str | None, expected: list[bool]) -> None:
    assert visible(mask, SAME, pci_order=False) == expected


def test_a_number_on_a_mixed_machine_is_the_drivers_secret() -> None:
    assert visible("0", MIXED, pci_order=False) == [None, None]
    assert visible("0", MIXED, pci_order=True) == [True, False]
    assert visible(A, MIXED, pci_order=False) == [True, False]
    assert visible("0,1", MIXED, pci_order=False) == [True, True]


def test_a_mig_instance_leaves_its_gpu_visible() -> None:
    gpus = [MaskableGpu(A, ("MIG-1234-5", "MIG-6789-0")), MaskableGpu(B)]
    assert visible("MIG-6789", gpus, pci_order=False) == [True, False]
    assert visible(f"MIG-{A}/1/0", gpus, pci_order=False) == [True, False]


@given(st.text(alphabet="0123-, GPUMIabf", max_size=20))
def test_every_mask_has_an_answer_for_every_gpu(mask: str) -> None:
    flags = visible(mask, SAME, pci_order=False)
    assert len(flags) == len(SAME)
    assert None not in flags

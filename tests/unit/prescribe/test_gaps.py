"""A build whose libraries do not all serve a GPU is prescribed with that said."""

from __future__ import annotations

import pytest

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.kb import torch_binaries
from gpudoctor.kb.torch_releases import build, builds
from gpudoctor.prescribe import PlanRequest, plan
from gpudoctor.prescribe.build.gaps import gaps

T4 = ComputeCapability(7, 5)
H100 = ComputeCapability(9, 0)


def test_linear_algebra_without_turing_is_named():
    (said,) = gaps(build("2.13.0", "cu130", "linux_x86_64"), (H100, T4))
    assert said.startswith("libtorch_cuda_linalg.so of this build (torch.linalg on CUDA)")
    assert said.endswith("what needs it fails on sm_75.")


@pytest.mark.parametrize(
    ("release", "variant", "gpu"),
    [("2.13.0", "cu130", H100), ("2.9.1", "cu128", T4), ("2.9.1", "cu128", H100)],
)
def test_a_build_that_serves_in_full_has_no_gap(release, variant, gpu):
    assert gaps(build(release, variant, "linux_x86_64"), (gpu,)) == ()


def test_a_build_that_was_not_read_is_not_judged():
    unread = next(item for item in builds() if item.confidence != "binary" and item.sass)
    assert torch_binaries.libraries(unread) is None
    assert gaps(unread, (T4,)) == ()


def test_a_plan_says_it():
    request = PlanRequest(gpus=("T4",), driver="580", os="linux", arch="x86_64", python="3.12")
    _, found = plan(request)
    assert any("libtorch_cuda_linalg.so" in note for note in found.notes)

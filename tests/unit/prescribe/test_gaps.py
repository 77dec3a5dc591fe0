"""A build whose libraries do not all serve a GPU is prescribed with that said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gpudoctor.binaries.judgement.published import gaps
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.kb.software import torch_binaries
from gpudoctor.kb.software.torch_releases import build
from gpudoctor.model.sheet import FactSheet
from gpudoctor.prescribe import PlanRequest
from gpudoctor.prescribe.build.gaps import sentences
from gpudoctor.prescribe.plan import plan
from gpudoctor.rules import judge
from unit.prescribe.sheets import cure, sheet

T4 = ComputeCapability(7, 5)
H100 = ComputeCapability(9, 0)


def test_linear_algebra_without_turing_is_named():
    (said,) = sentences(build("2.13.0", "cu130", "linux_x86_64"), (H100, T4))
    assert said.startswith("libtorch_cuda_linalg.so of this build (torch.linalg on CUDA)")
    assert said.endswith("what needs it fails on sm_75.")


@pytest.mark.parametrize(
    ("release", "variant", "gpu"),
    [("2.13.0", "cu130", H100), ("2.9.1", "cu128", T4), ("2.9.1", "cu128", H100)],
)
def test_a_build_that_serves_in_full_has_no_gap(release, variant, gpu):
    assert gaps(build(release, variant, "linux_x86_64"), (gpu,)) == ()


def test_an_unread_build_is_taken_for_what_its_sister_with_the_same_targets_is():
    unread = build("2.13.0", "cu132", "linux_x86_64")
    assert torch_binaries.libraries(unread) is None
    (said,) = sentences(unread, (T4,))
    assert "of the cu130 build of this release" in said
    assert gaps(build("2.13.0", "cu126", "linux_x86_64"), (T4,)) == ()


def test_a_sister_with_other_targets_says_nothing():
    assert gaps(build("2.7.1", "cu128", "linux_x86_64"), (ComputeCapability(12, 0),)) == ()


def test_a_plan_for_turing_gives_the_newest_build_that_serves_everything():
    request = PlanRequest(gpus=("T4",), driver="580", os="linux", arch="x86_64", python="3.12")
    _, found = plan(request)
    assert (found.torch, found.variant) == ("2.14.1", "cu126")
    assert "newer releases lack torch.linalg on CUDA for sm_75" in found.why


def test_where_the_release_is_asked_for_the_gap_is_said():
    _, found = plan(PlanRequest(gpus=("T4",), driver="580", python="3.12", torch="2.15.0"))
    assert any("libtorch_cuda_linalg.so" in note for note in found.notes)


def test_the_warning_is_cured_by_a_build_that_serves_everything():
    machine = sheet("T4", torch="2.15.0+cu132")
    libraries = torch_binaries.libraries(build("2.15.0", "cu132", "linux_x86_64"))
    answer = cure(FactSheet(replace(machine.facts, libraries=libraries)))
    assert (answer.status, answer.torch, answer.variant) == ("resolved", "2.14.1", "cu126")


def test_a_report_without_libraries_is_judged_by_the_published_build():
    made = sheet("T4", torch="2.15.0+cu132")
    (warning,) = judge(made).findings
    assert warning.name == "partial-kernel-coverage"
    assert "torch.linalg on CUDA" in warning.title
    assert cure(made).torch == "2.14.1"

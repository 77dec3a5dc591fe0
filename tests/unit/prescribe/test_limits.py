"""What a system, a card or a toolkit does not allow, and the words for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gpudoctor.kb.software import torch_releases
from gpudoctor.model.facts import Host
from gpudoctor.model.sheet import FactSheet
from gpudoctor.prescribe import Options, PlanRequest, prescribe
from gpudoctor.prescribe.build.standing import standing
from gpudoctor.prescribe.options.source_build import recipe_for
from gpudoctor.prescribe.plan import plan, sheet_of
from gpudoctor.prescribe.request.target import target_of
from gpudoctor.rules import judge
from unit.prescribe.sheets import sheet


@pytest.mark.parametrize(
    ("macos", "torch"), [("13.6", "2.8.0"), ("14.2", "2.15.0"), ("10.15", None)]
)
def test_a_wheel_for_a_newer_macos_is_not_chosen(macos, torch):
    host = Host(os="macos", arch="arm64", distribution_version=macos)
    machine = sheet("M2", driver=None, host=host, python="3.12.1")
    answer = prescribe(machine, judge(machine).findings, Options(choose=True))
    assert answer.torch == torch
    if torch is None:
        assert "macOS 11" in answer.why


def test_on_a_mac_too_old_for_its_gpu_kernels_a_demanded_release_runs_on_the_processor():
    """torch 2.11 installs on macOS 11; its Metal library says 14.0."""
    host = Host(os="macos", arch="arm64", distribution_version="13.6")
    machine = sheet("M2", driver=None, host=host, python="3.12.1")
    answer = prescribe(machine, judge(machine).findings, Options(choose=True, torch_spec="2.11.0"))
    assert answer.torch == "2.11.0"
    assert "on the processor" in answer.why
    assert "14.0" in answer.why
    assert "13.6" in answer.why


def test_late_pythons_of_some_releases_need_the_newer_macos():
    assert torch_releases.minimum_macos("2.10.0", "macos_arm64", "3.12") == "11.0"
    assert torch_releases.minimum_macos("2.10.0", "macos_arm64", "3.14") == "14.0"


def test_a_card_that_any_processor_outruns_is_told_so():
    _, answer = plan(PlanRequest(gpus=("GT 710",), python="3.12"))
    assert "the processor is faster than this card" in answer.why
    assert not any(step.kind == "source-build" for step in answer.steps)
    assert [way.variant for way in answer.alternatives] == ["cpu"]


def test_a_large_card_of_the_same_age_is_not_told_so():
    _, answer = plan(PlanRequest(gpus=("K80",), python="3.12"))
    assert answer.variant == "cu118"


@pytest.mark.parametrize("driver", ["470.256.02", "535.183.01", "580.95.05"])
def test_a_source_build_takes_a_toolkit_that_runs_here_and_that_its_release_knows(
    driver,
):
    target = target_of(sheet_of(PlanRequest(gpus=("A100",), driver=driver)))
    release, toolkit, _ = recipe_for(target)
    assert any(
        build.torch == release and (build.cuda or "").startswith(toolkit)
        for build in torch_releases.builds()
    )
    assert int(toolkit.split(".")[0]) <= {"470": 11, "535": 12, "580": 13}[driver[:3]]


def test_windows_says_that_the_newest_release_is_not_confirmed():
    _, answer = plan(PlanRequest(gpus=("4090",), os="windows", driver="600.0", python="3.12"))
    assert answer.torch != torch_releases.newest()
    assert f"{torch_releases.newest()}+" in answer.why
    assert "not confirmed" in answer.why


def test_a_driver_that_is_too_old_for_the_unconfirmed_build_says_nothing_of_it():
    _, answer = plan(PlanRequest(gpus=("4090",), os="windows", driver="572.61", python="3.12"))
    assert "not confirmed" not in answer.why


@pytest.mark.parametrize("gpu", ["GTX 980", "GTX 1080", "T4", "V100", "A100", "5090", "H100"])
@pytest.mark.parametrize("driver", [None, "470.256.02", "535.183.01", "570.172.08", "580.95.05"])
def test_the_newest_is_said_of_the_newest_alone(gpu, driver):
    sheet_, answer = plan(PlanRequest(gpus=(gpu,), driver=driver, python="3.12"))
    if "it is the newest release that does" not in answer.why:
        return
    target = target_of(sheet_)
    build = torch_releases.build(answer.torch, answer.variant, "linux_x86_64")
    assert standing(build, target).kind == "newest"


def test_a_line_that_ended_elsewhere_is_not_mentioned():
    _, answer = plan(PlanRequest(gpus=("K80",), python="3.11"))
    assert not any("have ended" in note for note in answer.notes)


def test_a_build_that_few_have_seen_comes_after_the_established_one():
    _, answer = plan(PlanRequest(gpus=("7900 XTX",), python="3.12"))
    assert answer.variant == "rocm7.2"


def test_an_unseen_build_outside_the_matrix_comes_after_the_official_one():
    machine = sheet("H100", driver="535.183.01", arch="aarch64")
    machine = FactSheet(replace(machine.facts, torch=None))
    answer = prescribe(machine, judge(machine).findings)
    build = torch_releases.build(answer.torch, answer.variant, "linux_aarch64")
    assert not build.off_matrix or build.published != "documented"


@pytest.mark.parametrize("torch", ["2.15.0+cu132", "2.9.1+cu128", None])
def test_a_gpu_newer_than_every_table_is_answered_with_doubt_and_a_nightly(torch):
    machine = sheet("5090", driver="595.58.03", torch=torch)
    gpus = tuple(replace(g, compute_capability="13.0", sm="sm_130") for g in machine.facts.gpus)
    machine = FactSheet(replace(machine.facts, gpus=gpus))
    answer = prescribe(machine, judge(machine).findings)
    assert any("no table has" in note for note in answer.notes)
    (nightly,) = (way for way in answer.alternatives if "nightly" in way.why)
    assert "--pre" in nightly.steps[-1].posix


def test_a_known_gpu_is_answered_without_doubt():
    _, answer = plan(PlanRequest(gpus=("5090",), python="3.12"))
    assert not any("no table has" in note for note in answer.notes)
    assert not any("nobody here knows" in way.why for way in answer.alternatives)

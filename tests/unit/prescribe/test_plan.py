"""Plans: names as people write them, partial machines, and what is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor.errors import UsageError
from gpudoctor.kb.hardware import nvidia_gpus as kb_gpus
from gpudoctor.kb.software import torch_releases
from gpudoctor.prescribe import PlanRequest, missing_fact
from gpudoctor.prescribe.plan import plan, sheet_of
from gpudoctor.prescribe.request.gpu_names import gpu_of


@pytest.mark.parametrize(
    ("text", "capability"),
    [("5060 ti", "12.0"), ("RTX PRO 6000 Blackwell", "12.0"), ("A10G", "8.6"), ("sm_120", "12.0"),
     ("12.0", "12.0"), ("SM90", "9.0"), ("gtx1080", "6.1"), ("H100", "9.0"), ("4090", "8.9"),
     ("V100", "7.0"), ("GB10", "12.1"), ("NVIDIA GeForce RTX 3090 Ti", "8.6")],
)  # fmt: skip
def test_gpus_are_known_by_what_people_write(text, capability):
    assert gpu_of(text, 0).compute_capability == capability


def test_other_vendors_are_known():
    assert gpu_of("MI300X", 0).gfx == "gfx942"
    assert gpu_of("gfx1100", 0).vendor == "amd"
    assert gpu_of("Arc B580", 0).vendor == "intel"
    assert gpu_of("M3 Max", 0).vendor == "apple"


def test_an_ambiguous_name_lists_the_gpus_with_their_capabilities():
    with pytest.raises(UsageError) as error:
        gpu_of("RTX 6000", 0)
    message = str(error.value)
    assert all(text in message for text in ("7.5", "8.9", "12.0", "Ada"))
    assert "\n" not in message


@pytest.mark.parametrize(
    "text", ["sm_999", "99.9", "sm_12", "RTX 5061 Ti", "banana", "", "compute_"]
)
def test_unknown_names_are_refused_in_one_line(text):
    with pytest.raises(UsageError) as error:
        gpu_of(text, 0)
    assert "\n" not in str(error.value)


def test_a_typing_error_gets_a_suggestion():
    with pytest.raises(UsageError, match="RTX 5060 Ti"):
        gpu_of("RTX 5061 Ti", 0)


@pytest.mark.parametrize(
    "request_",
    [{"os": "beos"}, {"arch": "mips"}, {"driver": "new"}, {"python": "three"}, {"tool": "apt"},
     {"channel": "beta"}, {"torch": "newest"}, {"index_url": "not a url"}],
)  # fmt: skip
def test_wrong_requests_are_refused(request_):
    with pytest.raises(UsageError):
        plan(PlanRequest(gpus=("4090",), **request_))


def test_what_was_not_stated_is_unknown_and_not_absent():
    sheet = sheet_of(PlanRequest(gpus=("4090",)))
    assert sheet.why_unknown("driver") is not None
    assert sheet.why_unknown("python") is not None
    assert sheet.why_unknown("gpus[0].uuid") is not None
    assert sheet.why_unknown("gpus[0].compute_capability") is None


def test_without_a_driver_the_plan_says_which_it_needs_and_what_an_older_one_takes():
    _, found = plan(PlanRequest(gpus=("4090",), python="3.12"))
    assert found.torch == torch_releases.releases()[-1].version
    assert any("580.65.06" in note for note in found.notes)
    (older,) = found.alternatives
    assert older.variant == "cu126"


def test_an_older_driver_must_still_know_the_gpu():
    _, found = plan(PlanRequest(gpus=("RTX 5090",), os="windows", python="3.12"))
    (older,) = found.alternatives
    assert older.why.startswith("With a driver from 570 on and below 580")
    assert older.variant == "cu128"


def test_a_bare_branch_is_a_driver():
    _, found = plan(PlanRequest(gpus=("4090",), driver="580", python="3.12"))
    assert str(found.variant).startswith("cu13")
    _, found = plan(PlanRequest(gpus=("4090",), driver="550", python="3.12"))
    assert str(found.variant).startswith("cu12")


def test_a_cluster_of_mixed_gpus_gets_one_build():
    _, found = plan(PlanRequest(gpus=("T4", "H100", "A10G"), driver="580.95.05", python="3.12"))
    assert found.status == "resolved"
    assert len(found.packages) == 1


def test_arm_follows_from_a_gpu_that_is_sold_with_nothing_else():
    sheet, found = plan(PlanRequest(gpus=("GB10",), driver="580.95.05"))
    assert sheet.facts.host.arch == "aarch64"
    assert found.status == "resolved"


def test_amd_on_linux_and_on_windows():
    _, linux = plan(PlanRequest(gpus=("7900 XTX",), python="3.12"))
    assert str(linux.variant).startswith("rocm")
    _, windows = plan(PlanRequest(gpus=("7900 XTX",), os="windows", python="3.12"))
    assert "repo.amd.com" in str(windows.index_url)
    assert windows.packages == ("torch[device-gfx1100]",)


def test_an_old_amd_gpu_has_no_build():
    _, found = plan(PlanRequest(gpus=("RX 580",), python="3.12"))
    assert found.status == "impossible"


def test_intel_and_apple():
    _, intel = plan(PlanRequest(gpus=("Arc B580",), python="3.12"))
    assert intel.variant == "xpu"
    _, apple = plan(PlanRequest(gpus=("M3",), os="macos", python="3.12"))
    assert apple.status == "resolved"
    assert apple.packages[0].startswith("torch==2.")


def test_from_source_prints_the_recipe_for_linux_and_windows():
    linux = plan(PlanRequest(gpus=("5090",), driver="580.95.05", python="3.12", from_source=True))[
        1
    ]
    text = "\n".join(str(step.posix) + step.text for step in linux.steps)
    assert "TORCH_CUDA_ARCH_LIST=12.0+PTX" in text
    assert "MAX_JOBS" in text
    assert "gcc" in text
    windows = plan(
        PlanRequest(gpus=("5090",), driver="581.42", os="windows", python="3.12", from_source=True)
    )[1]
    text = "\n".join(str(step.powershell) + step.text for step in windows.steps)
    assert "Visual Studio" in text
    assert "$env:TORCH_CUDA_ARCH_LIST = '12.0+PTX'" in text


def test_a_triage_sheet_says_by_name_what_it_lacks():
    sheet = sheet_of(PlanRequest(gpus=("4090",)))
    assert missing_fact(sheet) == "driver.version"
    assert missing_fact(sheet_of(PlanRequest(gpus=("4090",), driver="570.172.08"))) is None
    assert missing_fact(sheet_of(PlanRequest(gpus=("MI300X",)))) is None


names = st.sampled_from([model.name for model in kb_gpus.models()])


@settings(max_examples=120, deadline=None)
@given(
    gpus=st.lists(names, min_size=1, max_size=3),
    driver=st.one_of(
        st.none(), st.sampled_from(["470.256.02", "535.183.01", "570.172.08", "580.95.05"])
    ),
    os=st.sampled_from(["linux", "windows", "wsl", None]),
    python=st.sampled_from([None, "3.9", "3.12", "3.14", "3.13t"]),
)
def test_every_gpu_of_the_knowledge_base_gets_an_answer_with_a_reason(gpus, driver, os, python):
    try:
        sheet, found = plan(PlanRequest(gpus=tuple(gpus), driver=driver, os=os, python=python))
    except UsageError:
        assert any(len(kb_gpus.by_name(name).capabilities) > 1 for name in gpus)
        return
    assert found.why.endswith(".") or found.why.endswith(").")
    assert "  " not in found.why
    assert "None" not in found.why
    if found.status == "impossible":
        assert not found.packages
    else:
        assert found.steps
        for step in found.steps:
            assert step.text
            assert "None" not in step.text
    json.dumps(repr(sheet))


def test_only_what_is_the_newest_is_called_the_newest():
    newest = "it is the newest release that does"
    _, free = plan(PlanRequest(gpus=("1060",), os="linux"))
    assert newest in free.why
    _, pinned = plan(PlanRequest(gpus=("1060",), os="linux", torch="2.9"))
    assert pinned.torch == "2.9.1"
    assert "newest" not in pinned.why
    _, old = plan(PlanRequest(gpus=("4090",), os="linux", python="3.8"))
    assert "of those with a wheel for Python 3.8 it is the newest" in old.why
    _, two = plan(PlanRequest(gpus=("5060 ti",), os="linux", driver="570.172.08", python="3.12"))
    claims = [two.why, *(way.why for way in two.alternatives)]
    assert "cu129" in claims[0]
    assert newest in claims[0]
    assert "cu128" in claims[1]
    assert "newest release of PyTorch's official matrix" in claims[1]


def test_a_name_that_fits_many_cards_is_not_turned_into_one_of_them():
    assert gpu_of("a100", 0).name == "NVIDIA A100"
    assert gpu_of("5060 ti", 0).name == "NVIDIA GeForce RTX 5060 Ti"
    assert gpu_of("gfx1100", 0).name is None


def test_a_plan_for_gpus_that_no_build_serves_together_says_so():
    _, answer = plan(PlanRequest(gpus=("1080 ti", "5090"), os="linux"))
    assert answer.why.startswith("No build serves all of these GPUs. Without NVIDIA GeForce GTX")


@pytest.mark.parametrize(
    ("asked", "vendor", "name"),
    [
        ("B580", "intel", "Intel Arc B580"),
        ("a770", "intel", "Intel Arc A770"),
        ("Max 1550", "intel", "Intel Data Center GPU Max 1550"),
        ("140V", "intel", "Intel Arc 140V"),
        ("R9700", "amd", "Radeon AI PRO R9700"),
        ("Strix Halo", "amd", "Strix Halo iGPU"),
    ],
)
def test_a_gpu_is_known_by_the_words_that_people_use_for_it(asked, vendor, name):
    gpu = gpu_of(asked, 0)
    assert (gpu.vendor, gpu.name) == (vendor, name)


@pytest.mark.parametrize("asked", ["B5", "Max", "Arc", "GPU", "Lake"])
def test_a_part_of_a_name_that_says_no_model_is_no_gpu(asked):
    with pytest.raises(UsageError):
        gpu_of(asked, 0)

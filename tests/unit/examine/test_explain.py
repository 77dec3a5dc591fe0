from __future__ import annotations

import pytest

from gpudoctor.errors import UsageError
from gpudoctor.examine.explain import explain
from gpudoctor.kb.findings import catalogue, error_codes
from gpudoctor.kb.hardware import nvidia_gpus as gpus
from gpudoctor.kb.software import cuda as kb_cuda
from gpudoctor.kb.software import torch_releases
from gpudoctor.report.style import Style
from gpudoctor.report.views.documentation import render


@pytest.mark.parametrize("entry", catalogue.entries(), ids=lambda entry: entry.code)
def test_every_finding_is_explained_by_code_and_by_name(entry):
    by_code, by_name = explain(entry.code), explain(entry.name)
    assert by_code == by_name
    assert entry.code in by_code.markdown
    text = render(by_code, "text", Style(width=80))
    prose = [line for line in text.splitlines() if line[:4].strip() and "://" not in line]
    assert all(len(line) <= 80 for line in prose)


@pytest.mark.parametrize("capability", gpus.all_capabilities())
def test_every_capability_is_explained(capability):
    text = explain(capability).markdown
    assert f"Compute capability {capability}:" in text
    assert "Machine code that runs on it" in text


def test_code_for_one_architecture_reaches_that_one_alone():
    assert "runs as it is on compute capability 9.0." in explain("sm_90a").markdown
    assert "on compute capability 12.0, 12.1." in explain("sm_120f").markdown


def test_code_that_only_this_family_runs_is_named_too():
    assert "sm_90, sm_90a." in explain("9.0").markdown
    assert "sm_120, sm_120a, sm_120f." in explain("12.0").markdown


def test_a_target_that_no_cuda_has_is_refused():
    with pytest.raises(UsageError, match="no CUDA compiles for it; there is sm_89"):
        explain("sm_89a")


def test_a_jetson_is_told_apart_from_desktop_code():
    assert "Tegra" in explain("sm_87").markdown


def test_old_gpus_are_told_the_last_release_that_serves_them():
    assert "cu126: 2.14.1" in explain("GTX 1080").markdown


def test_ptx_alone_is_not_called_code():
    builds = explain("sm_120").markdown.split("PyTorch builds")[1]
    assert "cu118" not in builds


@pytest.mark.parametrize(
    ("what", "near"),
    [
        ("sm_999", "sm_1"),
        ("12.7", "sm_12"),
        ("GPU9", "GPU"),
        ("torch-lacks-arch", "torch-lacks-arch-new-gpu"),
        ("RTX 5061 Ti", "5060 Ti"),
    ],
)
def test_what_nobody_knows_is_answered_with_the_nearest(what, near):
    with pytest.raises(UsageError, match="nobody knows") as caught:
        explain(what)
    assert near in str(caught.value)


def test_a_mac_s_gpu_is_explained_as_what_has_no_cuda():
    page = explain("m3 max")
    assert page.kind == "gpu"
    assert "MPS" in page.markdown


@pytest.mark.parametrize("row", error_codes.error_codes(), ids=lambda row: row.names[0])
def test_every_error_is_explained_by_name_and_by_number(row):
    by_name = explain(row.names[0])
    by_number = explain(f"{row.library} {row.number}")
    assert row.says[1:] in by_name.markdown
    assert row.says[1:] in by_number.markdown
    if row.cause:
        assert catalogue.entry(row.cause).code in by_name.markdown


def test_a_bare_number_is_every_librarys():
    page = explain("2").markdown
    assert "CUDA 2: cudaErrorMemoryAllocation" in page
    assert "NCCL 2: ncclSystemError" in page


@pytest.mark.parametrize("text", ["803", "Error 803", "CUDA error 803", "error code: 803"])
def test_the_ways_people_write_a_number(text):
    assert "GPU109" in explain(text).markdown


def test_a_number_with_two_meanings_has_the_current_one_first():
    page = explain("CUDA 4").markdown
    assert page.index("cudaErrorCudartUnloading") < page.index("up to CUDA 10.0")


def test_a_card_known_by_its_number_is_no_error():
    assert "GeForce RTX 3090" in explain("3090").markdown


def test_a_variant_names_its_releases_and_its_driver():
    page = explain("cu128").markdown
    assert "CUDA 12.8" in page
    assert "525.60.13 or newer on Linux" in page
    assert "torch 2.7.0 to" in page


def test_a_variable_is_explained_with_its_value_too():
    expected = explain("CUDA_VISIBLE_DEVICES").markdown
    assert explain("CUDA_VISIBLE_DEVICES=0,1").markdown == expected


@pytest.mark.parametrize("text", ["cu999", "CUDNN_STATUS_NONSENSE", "CUDA error 12345", "0.5.1"])
def test_what_nobody_knows_is_refused(text):
    with pytest.raises(UsageError):
        explain(text)


@pytest.mark.parametrize("release", torch_releases.releases(), ids=lambda release: release.version)
def test_every_release_of_torch_is_explained(release):
    page = explain(f"torch {release.version}")
    assert page == explain(f"{release.version}+cu999") == explain(f"torch=={release.version}")
    assert release.date in page.markdown
    for build in torch_releases.builds_of(release.version):
        assert not build.exists or build.variant in page.markdown


@pytest.mark.parametrize("kit", kb_cuda.toolkits(), ids=lambda kit: kit.version)
def test_every_cuda_is_explained(kit):
    page = explain(f"CUDA {kit.version}").markdown
    assert f"driver branch {kit.branch}" in page
    if gpus.capability_row(kit.version) is None:
        assert explain(kit.version).markdown == page


def test_a_driver_is_explained_by_its_number_and_never_as_a_gpu():
    page = explain("570.172.08").markdown
    assert "branch 570" in page
    assert "CUDA up to 12.8" in page
    assert "cu128" in page
    assert "cu130" not in page
    assert "Radeon" not in page
    assert explain("driver 570").markdown.splitlines()[2:4] == page.splitlines()[2:4]


def test_a_generation_is_explained_by_all_of_its_capabilities():
    page = explain("Ampere").markdown
    assert all(f"## {sm}" in page for sm in ("sm_80", "sm_86", "sm_87"))


def test_code_that_does_not_run_has_its_own_reason():
    page = explain("8.6").markdown
    assert "sm_88, sm_89 (code for a higher minor number does not run)" in page
    assert "sm_87 (Tegra parts" in page


@pytest.mark.parametrize("what", ["Navi 31", "P106-100", "UHD 770", "Meteor Lake", "Steam Deck"])
def test_what_people_call_their_gpu_is_explained(what):
    assert explain(what).kind == "gpu"


def test_a_build_whose_blas_lacks_a_gpu_is_not_said_to_serve_it():
    builds = explain("gfx906").markdown.split("PyTorch builds")[1]
    assert "rocm6.3" in builds
    assert "rocm7.2" not in builds

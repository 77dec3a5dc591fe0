"""Releases and builds of torch."""

from __future__ import annotations

import re

import pytest

from gpudoctor.kb import info
from gpudoctor.kb.hardware import nvidia_gpus as gpus
from gpudoctor.kb.software import cuda, torch_binaries, torch_releases

BUILDS = torch_releases.builds()


def sass(torch: str, variant: str, platform: str = "linux_x86_64") -> tuple[str, ...]:
    build = torch_releases.build(torch, variant, platform)
    assert build is not None
    return build.sass


def test_releases_are_in_order_and_the_newest_is_last() -> None:
    versions = [tuple(map(int, item.version.split("."))) for item in torch_releases.releases()]
    assert versions == sorted(versions)
    assert torch_releases.newest() == torch_releases.releases()[-1].version


def test_a_local_label_does_not_hide_a_release() -> None:
    found = torch_releases.release("2.9.1+cu128")
    assert found is not None
    assert found.version == "2.9.1"
    assert torch_releases.release("9.9.9") is None


def test_companions_of_a_release() -> None:
    assert torch_releases.companions("2.9.1+cu130") == {
        "torchvision": "0.24.1",
        "torchaudio": "2.9.1",
        "triton": "3.5.1",
    }
    assert torch_releases.companions("9.9.9") == {}


def test_each_build_belongs_to_a_release_and_is_listed_once() -> None:
    keys = [(build.torch, build.variant, build.platform) for build in BUILDS]
    assert len(keys) == len(set(keys))
    assert {build.torch for build in BUILDS} == {r.version for r in torch_releases.releases()}


def test_each_build_states_its_evidence_and_its_index() -> None:
    for build in BUILDS:
        assert build.evidence, build
        assert build.index_url == f"https://download.pytorch.org/whl/{build.variant}"


def test_a_cuda_build_has_code_and_only_what_its_toolkit_can_compile() -> None:
    for build in (*BUILDS, *torch_releases.nightlies()):
        if build.kind != "cuda":
            assert not build.sass
            continue
        assert build.sass, build
        assert build.cuda is not None
        kit = cuda.toolkit(build.cuda)
        assert kit is not None
        assert set(build.sass) <= set(kit.sm), build
        assert {name.replace("compute", "sm") for name in build.ptx} <= set(kit.sm), build


def test_a_variant_agrees_with_its_cuda_version() -> None:
    for build in BUILDS:
        if build.kind == "cuda":
            assert build.cuda is not None
            assert torch_releases.cuda_of_variant(build.variant) == ".".join(
                build.cuda.split(".")[:2]
            )
    assert torch_releases.cuda_of_variant("cpu") is None
    assert torch_releases.cuda_of_variant("rocm7.2") is None


def test_plain_pip_brings_one_build_a_platform() -> None:
    for release in torch_releases.releases():
        for platform, variant in release.default_variants.items():
            found = [b for b in torch_releases.builds_of(release.version) if b.platform == platform]
            assert [b.variant for b in found if b.on_pypi] == [variant], (release.version, platform)


def test_windows_wheels_of_plain_pip_are_cpu_only() -> None:
    assert {r.default_variants["win_amd64"] for r in torch_releases.releases()} == {"cpu"}


def test_every_build_has_pythons_that_look_like_pythons() -> None:
    for build in BUILDS:
        assert build.pythons, build
        assert all(re.fullmatch(r"3\.\d{1,2}t?", python) for python in build.pythons), build


def test_the_lines_that_end() -> None:
    """cu126 is the last with Maxwell to Volta; Volta left cu128 with 2.11."""
    assert {"sm_50", "sm_60", "sm_70"} <= set(sass("2.14.1", "cu126"))
    assert torch_releases.build("2.15.0", "cu126", "linux_x86_64") is None
    assert "sm_70" in sass("2.10.0", "cu128")
    assert "sm_70" not in sass("2.11.0", "cu128")


def test_windows_kept_pascal_longer_than_linux() -> None:
    assert "sm_61" in sass("2.8.0", "cu128", "win_amd64")
    assert "sm_60" not in sass("2.8.0", "cu128")


def test_thor_and_grace_builds_are_told_apart() -> None:
    assert "sm_110" in sass("2.9.1", "cu130", "linux_aarch64")
    assert "sm_110" not in sass("2.9.1", "cu128", "linux_aarch64")
    assert "sm_110" not in sass("2.9.1", "cu130")


def test_a_build_without_a_local_label_is_asked_for_without_one() -> None:
    grace = torch_releases.build("2.5.1", "cu124", "linux_aarch64")
    mac = torch_releases.build("2.9.1", "cpu", "macos_arm64")
    linux = torch_releases.build("2.9.1", "cu128", "linux_x86_64")
    assert grace is not None
    assert mac is not None
    assert linux is not None
    assert grace.requirement == "torch==2.5.1"
    assert mac.requirement == "torch==2.9.1"
    assert linux.requirement == "torch==2.9.1+cu128"


@pytest.mark.parametrize(
    ("torch", "variant", "platform", "glibc"),
    [
        ("2.5.1", "cu124", "linux_x86_64", "2.17"),
        ("2.6.0", "cu124", "linux_x86_64", "2.17"),
        ("2.6.0", "cu126", "linux_x86_64", "2.28"),
        ("2.6.0", "cpu", "linux_aarch64", "2.28"),
        ("2.6.0", "xpu", "linux_x86_64", "2.28"),
        ("2.9.1", "cu128", "linux_x86_64", "2.28"),
        ("2.9.1", "cpu", "win_amd64", None),
    ],
)
def test_the_glibc_a_wheel_asks_for(
    torch: str, variant: str, platform: str, glibc: str | None
) -> None:
    build = torch_releases.build(torch, variant, platform)
    assert build is not None
    assert build.min_glibc == glibc


def test_the_cuda_of_a_build_is_what_torch_prints() -> None:
    build = torch_releases.build("2.9.1", "cu128", "linux_x86_64")
    assert build is not None
    assert (build.cuda, build.toolkit) == ("12.8", "12.8.1")


def test_what_nobody_has_seen_does_not_exist() -> None:
    build = torch_releases.build("2.15.0", "cu134", "linux_x86_64")
    assert build is not None
    assert not build.exists


def test_python_wheels_of_the_index_may_be_more_than_those_of_pypi() -> None:
    release = torch_releases.release("2.13.0")
    assert release is not None
    assert "3.15" in release.index_pythons["linux_x86_64"]
    assert "3.15" not in release.pythons["linux_x86_64"]


def test_nightlies_lead_up_to_a_version_that_is_not_released() -> None:
    for build in torch_releases.nightlies():
        assert build.nightly
        assert build.torch.endswith(".dev")
        assert torch_releases.is_newer_than_known(build.torch)
        assert "/nightly/" in build.index_url
        assert build.kind != "cuda" or (build.cuda or "").startswith("13.")


@pytest.mark.parametrize(
    ("version", "newer"), [("2.15.0", False), ("2.14.1+cu130", False), ("3.0.0", True)]
)
def test_newer_than_known(version: str, newer: bool) -> None:
    assert torch_releases.is_newer_than_known(version) is newer


def test_wheels_that_were_read_win_over_the_table() -> None:
    read = [build for build in BUILDS if build.confidence == "binary"]
    assert read, "configs/torch_binaries.yaml has no wheel"
    for build in read:
        assert build.evidence[0].startswith("binary: read out of torch-")
        assert torch_binaries.libraries(build) is not None
    assert len(torch_binaries.disagreements()) < len(read)


def test_a_download_is_the_wheel_and_what_it_requires() -> None:
    with_libraries = [build for build in BUILDS if build.requires_bytes is not None]
    assert {build.platform for build in with_libraries} == {"linux_x86_64", "linux_aarch64"}
    for build in with_libraries:
        assert build.on_pypi
        assert build.kind == "cuda"
        # cuBLAS and cuDNN alone are more than half a gigabyte, and nothing has come near five.
        assert 0.5e9 < build.requires_bytes < 5e9
        if build.wheel_bytes is not None:
            assert build.download_bytes == build.wheel_bytes + build.requires_bytes
    windows = [build for build in BUILDS if build.platform == "win_amd64" and build.wheel_bytes]
    assert all(build.download_bytes == build.wheel_bytes for build in windows)
    assert all(build.download_bytes is None for build in BUILDS if build.wheel_bytes is None)


def test_libraries_of_a_wheel_that_was_read_carry_its_architectures() -> None:
    for build in BUILDS:
        libraries = torch_binaries.libraries(build)
        if not libraries:
            continue
        main = next(item for item in libraries if "libtorch_cuda.so" in item.path)
        assert set(build.sass) <= set(main.sass), build
        assert sum(group.count for group in main.groups) == main.fatbins


def test_every_architecture_of_a_build_is_a_known_capability() -> None:
    known = {f"sm_{text.replace('.', '')}" for text in gpus.all_capabilities()}
    assert {name for build in BUILDS for name in build.sass} <= known


def test_variants_are_listed_cuda_first() -> None:
    names = torch_releases.variants()
    assert names[0].startswith("cu")
    assert names[-1] == "cpu"
    assert len(names) == len(set(names))


def test_the_date_of_the_knowledge_is_not_before_its_newest_release() -> None:
    assert torch_releases.releases()[-1].date <= info.date()

"""Extensions beside torch: another release, a rebuild only from sources that exist, or to part."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gpudoctor.kb.software import packages as kb_packages
from gpudoctor.model.facts import CodeGroup, Library, Package, Requirement
from gpudoctor.model.finding import Severity
from gpudoctor.model.sheet import FactSheet
from gpudoctor.rules import judge
from unit.prescribe.sheets import cure, line, sheet

FLASH = Package(
    name="flash-attn", version="2.8.3", requires=("torch",), build="cu12torch2.6cxx11abiFALSE"
)


@pytest.mark.parametrize("card", ["Tesla T4", "V100", "RTX 2080 Ti"])
def test_flash_attention_is_never_rebuilt_for_a_gpu_that_it_cannot_serve(card):
    answer = cure(sheet(card, torch="2.9.1+cu126", packages=(FLASH,)))
    assert "pip uninstall --yes flash-attn" in line(answer)
    assert "--no-binary" not in line(answer)
    assert "sdpa" in " ".join(step.text for step in answer.steps)
    assert not any("rebuilt" in note for note in answer.notes)
    assert any("no build of it runs on" in note for note in answer.notes)


def test_beside_a_gpu_that_it_serves_it_is_rebuilt_for_that_one_alone():
    answer = cure(sheet("Tesla T4", "A100", torch="2.9.1+cu126", packages=(FLASH,)))
    assert "TORCH_CUDA_ARCH_LIST=8.0+PTX" in line(answer)


@pytest.mark.parametrize(
    ("package", "label", "build"),
    [
        ("transformer-engine", "2.4.0+3cd6870", "cu12torch2.6"),
        ("someones-own", "1.0", "cu12torch2.6"),
    ],
)
def test_without_published_sources_no_rebuild_is_prescribed(package, label, build):
    found = Package(name=package, version=label, requires=("torch",), build=build)
    answer = cure(sheet("4090", torch="2.9.1+cu128", packages=(found,)))
    assert "--no-binary" not in line(answer)
    assert any("sources are not known" in step.text for step in answer.steps)


def test_a_rebuild_asks_for_the_sources_without_the_label_of_the_wheel():
    scatter = Package(name="torch-scatter", version="2.1.2+pt25cu124", requires=())
    answer = cure(sheet("4090", torch="2.9.1+cu128", packages=(scatter,)))
    assert "--no-binary torch-scatter torch-scatter==2.1.2" in line(answer)
    assert "2.1.2+" not in line(answer)


def test_a_newer_cudnn_of_the_same_major_is_no_fault_and_stays():
    machine = sheet("4090", torch="2.9.1+cu128")
    requires = (
        Requirement(name="nvidia-cudnn-cu12", specifier="==9.10.2.21", installed="9.15.0.57"),
    )
    torch = replace(machine.facts.torch, requires=requires)
    newer = FactSheet(replace(machine.facts, torch=torch))
    assert cure(newer).status == "not-needed"
    assert not [f for f in judge(newer).findings if f.severity is not Severity.INFO]


def test_an_older_cudnn_or_one_of_another_major_is_put_right():
    machine = sheet("4090", torch="2.9.1+cu128")
    for installed in ("9.5.1.17", "8.9.7.29", "10.0.0.1"):
        requires = (
            Requirement(name="nvidia-cudnn-cu12", specifier="==9.10.2.21", installed=installed),
        )
        torch = replace(machine.facts.torch, requires=requires)
        answer = cure(FactSheet(replace(machine.facts, torch=torch)))
        assert answer.packages == ("nvidia-cudnn-cu12==9.10.2.21",)


def test_the_torch_that_an_engine_demands_comes_before_giving_the_engine_up():
    engine = Package(name="someones-engine", version="1.0", requires=("torch==2.8.0",))
    flash = replace(FLASH, build="cu12torch2.6cxx11abiFALSE")
    answer = cure(sheet("4090", torch="2.9.1+cu128", packages=(engine, flash)))
    assert answer.torch == "2.8.0"
    assert any("someones-engine" not in package for package in answer.packages)


def test_a_torch_that_does_not_run_here_is_not_the_one_that_an_engine_gets():
    engine = Package(name="someones-engine", version="1.0", requires=("torch==2.6.0",))
    flash = replace(FLASH, build="cu12torch2.6cxx11abiFALSE")
    answer = cure(sheet("5090", torch="2.9.1+cu128", packages=(engine, flash)))
    assert answer.torch is None
    assert any("environment of its own" in step.text for step in answer.steps)


def test_the_torch_that_an_engine_demands_is_a_way_too_where_another_release_of_it_fits():
    vllm = Package(name="vllm", version="0.11.0", requires=("torch==2.8.0",))
    answer = cure(sheet("H100", torch="2.9.1+cu130", packages=(vllm,)))
    assert "vllm==0.16.0" in line(answer)
    assert [way.torch for way in answer.alternatives] == ["2.8.0"]


def test_an_engine_follows_torch_before_it_is_given_up():
    engine = Package(name="vllm", version="0.8.5", requires=("torch==2.6.0",))
    answer = cure(sheet("RTX 5090", torch="2.6.0+cu124", packages=(engine,)))
    assert kb_packages.release_for("vllm", answer.torch) is not None
    assert "pip install vllm==" in line(answer)  # with what it requires
    assert "uninstall" not in line(answer)


def test_bitsandbytes_without_a_library_for_torchs_cuda_gets_its_newest_release():
    old = Package(name="bitsandbytes", version="0.45.5", requires=("torch<3,>=2.0",))
    library = Library(
        path="bitsandbytes/libbitsandbytes_cuda126.so", distribution="bitsandbytes", fatbins=1
    )
    made = sheet("RTX 4090", torch="2.9.1+cu130", packages=(old,))
    answer = cure(FactSheet(replace(made.facts, libraries=(library,))))
    assert answer.torch is None
    assert "bitsandbytes==" in line(answer)


def test_a_triton_of_another_torch_is_named_without_metadata_too():
    made = sheet(
        "RTX 4090", torch="2.9.1+cu128", packages=(Package(name="triton", version="3.2.0"),)
    )
    assert "triton==3.5.1" in line(cure(made))


def test_a_build_that_has_only_old_ptx_for_a_gpu_gives_way_to_one_with_code():
    made = sheet("RTX 5090", torch="2.6.0+cu124")
    torch = replace(made.facts.torch, ptx=("compute_90",))
    answer = cure(FactSheet(replace(made.facts, torch=torch)))
    assert answer.torch == "2.15.0"


def test_what_lacks_code_is_compiled_and_no_ready_wheel_is_fetched_again():
    made = sheet("RTX 5090", torch="2.9.1+cu128")
    flash = Package(name="flash-attn", version="2.8.3", requires=("torch",))
    library = Library(
        path="flash_attn_2_cuda.so", distribution="flash-attn", fatbins=9, sass={"sm_80": 9},
        groups=(CodeGroup(sass=("sm_80",), ptx=(), count=9),),
    )  # fmt: skip
    facts = replace(made.facts, packages=(*made.facts.packages, flash), libraries=(library,))
    assert "FLASH_ATTENTION_FORCE_BUILD=TRUE" in line(cure(FactSheet(facts)))
    other = replace(flash, build="cu12torch2.6cxx11abiFALSE")
    assert "FORCE_BUILD" not in line(cure(sheet("A100", torch="2.9.1+cu128", packages=(other,))))

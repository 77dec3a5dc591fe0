"""Architectures, GPU by GPU: the rules of binary compatibility as findings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gpudoctor import rules
from gpudoctor.model.facts import Gpu, Host, Torch
from gpudoctor.model.finding import Severity
from gpudoctor.model.sheet import FactSheet
from unit.prescribe.sheets import sheet
from unit.rules.make import (
    CU124,
    CU128,
    CU130,
    driver,
    gpu,
    group,
    judged,
    library,
    linux,
    machine,
    module,
    requirement,
    torch,
)

NEW = "torch-lacks-arch-new-gpu"
OLD = "torch-dropped-arch-old-gpu"
OWN = "jetson-needs-own-wheel"
ARM128 = ("sm_80", "sm_90", "sm_100", "sm_120")


def on(cc: str, sass: tuple[str, ...], ptx: tuple[str, ...] = (), **more: object) -> set[str]:
    """Names of the alarms for one GPU of that capability under a recent driver."""
    found = judged(
        machine(
            host=linux(),
            gpus=(gpu(f"GPU {cc}", cc),),
            driver=driver("580.95.05", "13.0"),
            kernel_module=module("580.95.05", flavour=None),
            torch=torch("2.9.1", "13.0", sass=sass, ptx=ptx),
            **more,
        )
    )
    return {f.name for f in found.values() if f.severity is Severity.ERROR}


@pytest.mark.parametrize(
    ("cc", "sass", "expected"),
    [
        ("8.9", ("sm_80",), set()),
        ("8.6", ("sm_80",), set()),
        ("8.0", ("sm_86",), {OLD}),
        ("6.1", ("sm_60",), set()),
        ("7.5", ("sm_70",), set()),
        ("7.0", ("sm_75",), {OLD}),
        ("12.1", ("sm_120",), set()),
        ("12.0", ("sm_121",), {OLD}),
        ("10.3", ("sm_100",), set()),
        ("12.0", ("sm_100",), {NEW}),
        ("10.0", ("sm_120",), {OLD}),
        ("9.0", ("sm_90a",), set()),
        ("10.0", ("sm_90a",), {NEW}),
        ("10.3", ("sm_100a",), {NEW}),
        ("10.3", ("sm_100f",), set()),
        ("12.1", ("sm_120f",), set()),
        ("12.1", ("sm_120a",), {NEW}),
        ("11.0", ARM128, {NEW}),
        ("11.0", (*ARM128, "sm_110"), set()),
        ("11.0", (*ARM128, "sm_101"), set()),
        ("8.7", ("sm_80", "sm_86"), {OWN}),
        ("8.7", ("sm_87",), set()),
        ("8.6", ("sm_87",), {OLD}),
    ],
)
def test_code_runs_where_the_rules_of_binary_compatibility_say(
    cc: str, sass: tuple[str, ...], expected: set[str]
) -> None:
    assert on(cc, sass) & {NEW, OLD, OWN} == expected


def test_ptx_of_a_cuda_that_knew_the_gpu_is_no_alarm() -> None:
    found = judged(
        machine(
            gpus=(gpu("NVIDIA GeForce RTX 5090", "12.0"),),
            torch=torch("2.9.1", "12.8", sass=("sm_80",), ptx=("compute_90",)),
        )
    )
    assert {name: f.severity for name, f in found.items()} == {"runs-through-jit": Severity.INFO}


def test_ptx_of_a_cuda_older_than_the_gpu_is_a_warning() -> None:
    found = judged(
        machine(
            gpus=(gpu("NVIDIA GeForce RTX 5090", "12.0"),),
            torch=torch("2.5.1+cu118", "11.8", sass=CU124, ptx=("compute_37",)),
        )
    )
    assert {name: f.severity for name, f in found.items()} == {NEW: Severity.WARNING}


def test_a_list_of_architectures_is_judged_without_version_and_cuda() -> None:
    """As a warning of torch gives it, and nothing else."""
    sheet = machine(
        unknown={"torch.version": "not stated", "torch.cuda": "not stated"},
        gpus=(gpu("NVIDIA GeForce RTX 5090", "12.0"),),
        torch=Torch(sass=CU124),
    )
    assert judged(sheet)[NEW].title.startswith("the installed torch has no code for sm_120")


@pytest.mark.parametrize(("label", "expected"), [("2.6.0+cu124", True), ("2.9.1+cu128", False)])
def test_a_build_that_cannot_be_read_is_judged_by_its_name(label: str, *, expected: bool) -> None:
    """And the evidence says that it comes from the knowledge base."""
    cuda = f"{label[-3:-1]}.{label[-1]}"
    sheet = machine(
        unknown={"torch.sass": "the library is not there", "torch.ptx": "the library is not there"},
        gpus=(gpu("NVIDIA GeForce RTX 5090", "12.0"),),
        torch=torch(label, cuda, sass=(), path=None),
    )
    found = judged(sheet)
    assert (NEW in found) is expected
    if expected:
        assert found[NEW].evidence[0].source == "knowledge base"


def test_nothing_is_concluded_from_the_name_of_a_build_whose_files_could_not_be_read() -> None:
    sheet = machine(
        unknown={"torch.sass": "no device code in it", "torch.ptx": "no device code in it"},
        gpus=(gpu("NVIDIA GeForce RTX 5090", "12.0"),),
        torch=torch("2.6.0+cu124", "12.4", sass=()),
    )
    judgement = rules.judge(sheet)
    assert judgement.findings == ()
    assert NEW in {entry.fact for entry in judgement.not_judged}


def test_equal_gpus_share_a_finding_and_others_have_their_own() -> None:
    sheet = machine(
        gpus=(
            gpu("NVIDIA GeForce RTX 5090", "12.0"),
            gpu("NVIDIA GeForce RTX 5090", "12.0", index=1),
            gpu("NVIDIA A100-SXM4-80GB", "8.0", index=2),
        ),
        torch=torch("2.6.0+cu124", "12.4", sass=CU124),
    )
    found = judged(sheet)
    assert found[NEW].gpus == (0, 1)
    assert "2 × NVIDIA GeForce RTX 5090" in found[NEW].title


LINALG = "torch/lib/libtorch_cuda_linalg.so"


def partial(*groups: object) -> FactSheet:
    return machine(
        gpus=(gpu("Tesla T4", "7.5"),),
        torch=torch(sass=CU130),
        libraries=(
            library("torch/lib/libtorch_cuda.so", "torch", group(*CU130, count=415)),
            library(LINALG, "torch", *groups),  # type: ignore[arg-type]
        ),
    )


def test_a_library_with_almost_nothing_for_a_gpu_is_a_hole() -> None:
    """libtorch_cuda_linalg.so of torch 2.15.0+cu132, as its headers read."""
    newer = group("sm_80", "sm_86", "sm_90", "sm_100", "sm_120", count=32)
    found = judged(partial(newer, group(*CU130, count=1)))
    title = found["partial-kernel-coverage"].title
    assert title == (
        "libtorch_cuda_linalg.so (torch.linalg on CUDA) has only 1 of 33 parts for Tesla T4"
    )
    assert found["partial-kernel-coverage"].severity is Severity.WARNING


def test_a_library_that_serves_the_gpu_is_none() -> None:
    assert judged(partial(group(*CU130, count=33))) == {}


def test_an_error_is_proved_by_what_was_read() -> None:
    sheet = machine(gpus=(gpu("NVIDIA GeForce GTX 1080", "6.1"),), torch=torch(sass=CU128))
    proofs = {proof.fact: proof.value for proof in judged(sheet)[OLD].evidence}
    assert proofs == {"torch.sass": ", ".join(CU128), "gpus[0].compute_capability": "6.1"}


@pytest.mark.parametrize(
    ("version", "cuda", "host", "says"),
    [
        ("2.9.1+cu130", "13.0", Host(os="linux", arch="x86_64"), "same release for CUDA 12.6"),
        ("2.15.0+cu132", "13.2", Host(os="linux", arch="x86_64"), "torch 2.14.1 for CUDA 12.6"),
        ("2.15.0+cu132", "13.2", Host(), "if there is a wheel of it for this system"),
        ("2.9.1+cu130", "13.0", Host(os="linux", arch="aarch64"), "for others there is one"),
    ],
)
def test_which_build_still_serves_an_old_gpu_is_said_as_it_is(
    version: str, cuda: str, host: Host, says: str
) -> None:
    sheet = machine(
        host=host,
        gpus=(gpu("NVIDIA GeForce GTX 1080", "6.1"),),
        torch=torch(version, cuda, sass=CU130),
    )
    assert says in judged(sheet)["torch-dropped-arch-old-gpu"].detail


def test_a_cudnn_newer_than_the_pin_may_stay_only_where_it_serves_the_gpu() -> None:
    def wrong(card: Gpu) -> bool:
        sheet = machine(
            gpus=(card,),
            torch=torch(
                "2.7.1+cu126",
                "12.6",
                sass=CU124,
                requires=(requirement("nvidia-cudnn-cu12", "==9.5.1.17", "9.11.0.98"),),
            ),
        )
        return "cuda-library-pin-mismatch" in judged(sheet)

    assert wrong(gpu("NVIDIA GeForce GTX 1080", "6.1"))
    assert not wrong(gpu("NVIDIA GeForce RTX 4090", "8.9"))


def test_a_pasted_report_without_a_system_never_names_the_cuda_that_is_installed():
    made = sheet("GTX 1080", torch="2.8.0+cu128")
    made = FactSheet(replace(made.facts, host=None))
    [found] = [f for f in rules.judge(made).findings if f.name == "torch-dropped-arch-old-gpu"]
    assert "The same release for CUDA 12.6 does, if there is a wheel of it" in found.detail

"""The path of AMD's GPUs, walked on a CPU build of torch that pretends to be one for ROCm."""

from __future__ import annotations

import sys

import pytest

from gpudoctor.model.facts import Facts, Gpu, Python, Torch
from gpudoctor.model.report import SmokeTest
from gpudoctor.model.sheet import FactSheet
from gpudoctor.smoke.suite import Proof, prove
from machines import pretend_gpu

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is for POSIX"),
]

QUICK = ("copy", "relu:float32", "matmul:float32", "matmul:tfloat32")


class Patient:
    """A machine with pretended GPUs of AMD's."""

    def __init__(self, python: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._python = python
        self._monkeypatch = monkeypatch

    def prove(
        self,
        gfx: str,
        fault: str = "",
        *,
        count: int = 1,
        level: str = "quick",
        tests: tuple[str, ...] = QUICK,
        built_for: str = "gfx90a gfx942 gfx1100",
    ) -> Proof:
        variables = {
            "PRETEND_GPUS": str(count),
            "PRETEND_HIP": gfx,
            "PRETEND_FAULT": fault,
            "PRETEND_ARCHITECTURES": built_for,
            "PYTHONPATH": pretend_gpu.HERE,
        }
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)
        sheet = FactSheet(
            facts=Facts(
                gpus=tuple(
                    Gpu(index=i, name=f"AMD card {i}", vendor="amd", gfx=gfx) for i in range(count)
                ),
                torch=Torch(version="2.13.0+rocm7.2", cuda=None, hip="7.2.26015"),
                python=Python(executable=self._python),
            )
        )
        return prove(sheet, level, tests=tests, refresh=lambda: sheet)  # type: ignore[arg-type]


@pytest.fixture
def patient(torch_python: str, monkeypatch: pytest.MonkeyPatch) -> Patient:
    return Patient(torch_python, monkeypatch)


def results(proof: Proof) -> dict[str, SmokeTest]:
    return {
        f"{test.name}:{test.dtype}" if test.dtype else test.name: test
        for test in proof.smoke.gpus[0].tests
    }


def test_the_same_tests_run_and_what_rocm_lacks_is_left_out_with_its_reason(
    patient: Patient,
) -> None:
    tests = (*QUICK, "attention-cudnn:float16", "float8-matmul", "train:float32")
    proof = patient.prove("gfx1100", level="full", tests=(*tests, "streams:float32"))
    found = results(proof)
    left_out = {name: test.error or "" for name, test in found.items() if test.status == "skipped"}
    assert set(left_out) == {"matmul:tfloat32", "attention-cudnn:float16", "float8-matmul"}
    assert "NVIDIA" in left_out["matmul:tfloat32"]
    assert "MIOpen" in left_out["attention-cudnn:float16"]
    assert "gfx1100" in left_out["float8-matmul"]
    assert {found[name].status for name in ("copy", "matmul:float32", "train:float32")} == {
        "passed"
    }
    assert proof.smoke.gpus[0].status == "passed"
    assert proof.findings == ()
    assert proof.runs[0].device["gfx"] == "gfx1100"
    said = " ".join(line["because"] for line in proof.smoke.advice)
    assert "cuDNN picks" not in said
    assert "compute capability" not in said


@pytest.mark.parametrize(("gfx", "runs"), [("gfx1201", True), ("gfx950", True), ("gfx90a", False)])
def test_float8_is_for_the_gpus_that_have_it(patient: Patient, gfx: str, runs: bool) -> None:
    proof = patient.prove(gfx, level="full", tests=("copy", "float8-matmul"), built_for=gfx)
    assert results(proof)["float8-matmul"].status == ("passed" if runs else "skipped")


def test_a_gpu_that_the_build_leaves_out_is_named_by_hips_own_error(patient: Patient) -> None:
    proof = patient.prove("gfx1030", "no-kernel")
    first, second = proof.findings
    assert (first.name, second.name) == ("rocm-torch-lacks-gfx", "smoke-failed")
    assert "gfx1030" in first.title
    codes = [each.value for each in second.evidence if each.source == "HIP's error codes"]
    assert codes == ["hipErrorInvalidDeviceFunction (98): the build has no code for this GPU"]
    assert "nvidia" not in str(proof.findings).lower().replace("nvidia-smi", "")


def test_the_same_error_on_a_gpu_that_the_build_has_names_no_cause(patient: Patient) -> None:
    proof = patient.prove("gfx942", "no-kernel")
    assert [found.name for found in proof.findings] == ["smoke-failed"]


def test_rocblas_that_ends_the_process_is_told_by_what_it_said(patient: Patient) -> None:
    proof = patient.prove("gfx1103", "tensile", built_for="gfx1103")
    names = [found.name for found in proof.findings]
    assert names == ["rocm-blas-lacks-gfx", "smoke-crashed"]
    assert proof.findings[1].caused_by == "rocm-blas-lacks-gfx"
    assert results(proof)["copy"].status == "passed"


def test_what_may_be_asynchronous_is_repeated_as_rocm_serialises_kernels(
    patient: Patient,
) -> None:
    proof = patient.prove("gfx942", "assert")
    errors = " ".join(test.error or "" for test in results(proof).values())
    assert "AMD_SERIALIZE_KERNEL=3" in errors
    assert "CUDA_LAUNCH_BLOCKING" not in errors


def test_several_gpus_are_tried_together_over_rccl(patient: Patient) -> None:
    tests = ("copy", "peer-copy:float32", "all-reduce:float32")
    proof = patient.prove("gfx942", count=2, level="full", tests=tests)
    assert results(proof)["all-reduce:float32"].status == "passed"

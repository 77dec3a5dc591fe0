"""Kernels on a real GPU: they pass, and planted faults are called by their names."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest

from gpudoctor.collect import collect
from gpudoctor.model.report import SmokeDevice, SmokeTest
from gpudoctor.model.sheet import FactSheet
from gpudoctor.smoke.suite import Proof, prove
from machines import bad_torch

pytestmark = pytest.mark.gpu

RELU = "relu:float32"


def first(proof: Proof) -> SmokeDevice:
    return proof.smoke.gpus[0]


def results(proof: Proof) -> dict[str, SmokeTest]:
    return {f"{test.name}:{test.dtype}": test for test in first(proof).tests}


def finding(proof: Proof, name: str) -> object:
    found = {one.name: one for one in proof.findings}
    assert name in found, (list(found), [t for t in first(proof).tests if t.error])
    return found[name]


class Patient:
    """The first GPU, under a torch that does one bad thing to it."""

    def __init__(self, sheet: FactSheet, python: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sheet = sheet
        self.python = python
        self.monkeypatch = monkeypatch

    def prove(self, what: str, **limits: float) -> Proof:
        token = uuid.uuid4().hex
        self.monkeypatch.setenv("BAD_TORCH", what)
        self.monkeypatch.setenv(bad_torch.TOKEN, token)
        path = os.environ.get("PYTHONPATH", "")
        self.monkeypatch.setenv("PYTHONPATH", os.pathsep.join((bad_torch.PATCHED, path)))
        result = prove(
            self.sheet,
            "quick",
            only=(0,),
            python=self.python,
            limits=limits,
            refresh=lambda: collect(self.python, 30.0, os.getcwd(), os.environ),
        )
        assert bad_torch.left_over(token) == []
        return result


@pytest.fixture
def patient(sheet: FactSheet, gpu_python: str, monkeypatch: pytest.MonkeyPatch) -> Patient:
    return Patient(sheet, gpu_python, monkeypatch)


def test_quick_passes_with_errors_far_below_the_tolerances(patient: Patient) -> None:
    proof = patient.prove("")
    assert proof.findings == ()
    assert first(proof).status == "passed"
    assert "matmul:tfloat32" in results(proof)
    for test in first(proof).tests:
        assert test.relative_error is not None
        assert test.tolerance is not None
        assert test.relative_error <= test.tolerance / 3


def test_an_index_out_of_range_is_a_device_side_assert_and_costs_its_own_child_alone(
    patient: Patient,
) -> None:
    proof = patient.prove("gpu-embedding")
    assert results(proof)[RELU].status == "failed"
    assert results(proof)["matmul:float32"].status == "passed"
    failed = finding(proof, "smoke-failed")
    assert failed.caused_by == "device-side-assert"  # type: ignore[attr-defined]
    # Repeated with CUDA_LAUNCH_BLOCKING=1, the failing line is the one that looked up the index.
    assert "CUDA_LAUNCH_BLOCKING=1" in (results(proof)[RELU].error or "")


def test_an_allocation_beyond_memory_fails_without_blaming_others(patient: Patient) -> None:
    proof = patient.prove("gpu-memory")
    assert results(proof)[RELU].status == "failed"
    assert "out of memory" in (results(proof)[RELU].error or "")
    assert [one.name for one in proof.findings] == ["smoke-failed"]


def test_a_kernel_that_does_not_end_is_a_hang_and_the_gpu_works_afterwards(
    patient: Patient,
) -> None:
    proof = patient.prove("gpu-endless", relu=8.0)
    assert results(proof)[RELU].status == "hung"
    assert results(proof)["matmul:float32"].status == "passed"
    finding(proof, "smoke-hung")


def test_wrong_numbers_of_cublas_are_caught(patient: Patient) -> None:
    proof = patient.prove("secretly-half-matmul")
    finding(proof, "wrong-numbers")
    assert results(proof)["matmul:float32"].status == "failed"


def test_a_build_whose_machine_code_is_ignored_has_no_kernel_image(patient: Patient) -> None:
    # The driver then takes PTX alone, and release wheels have none for this GPU.
    patient.monkeypatch.setenv("CUDA_FORCE_PTX_JIT", "1")
    proof = patient.prove("")
    if first(proof).status == "passed":
        pytest.skip("this build carries PTX for this GPU")
    assert any(
        one.caused_by == "no-kernel-image" or one.name == "no-kernel-image"
        for one in proof.findings
    ), [test.error for test in first(proof).tests]


@pytest.fixture
def hog(gpu_python: str) -> Iterator[None]:
    """Another process that holds nearly all of the first GPU's memory."""
    code = (
        "import torch; free = torch.cuda.mem_get_info(0)[0]\n"
        "x = [torch.empty(1 << 28, dtype=torch.int8, device='cuda') "
        "for _ in range((free - (300 << 20)) >> 28)]\n"
        "print('holding', flush=True)\n"
        "import sys; sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [gpu_python, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"holding\n"
        yield
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)


@pytest.mark.usefixtures("hog")
def test_memory_that_others_hold_is_told_from_memory_that_is_too_small(
    patient: Patient,
) -> None:
    proof = patient.prove("")
    if first(proof).status == "passed":
        pytest.skip("quick found room all the same")
    finding(proof, "gpu-memory-held-by-other-process")


def test_the_command_line_answers_in_json_and_exits_with_0(gpu_python: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gpudoctor", "smoke", "--python", gpu_python, "--json"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert '"level": "quick"' in done.stdout
    assert '"status": "passed"' in done.stdout

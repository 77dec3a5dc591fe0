"""The GPU's path, walked on a CPU build of torch that pretends to have CUDA GPUs."""

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

SOME = ("copy", "elementwise:float32", "relu:float32", "matmul:float32", "matmul:tfloat32")
RELU = "relu:float32"


class Patient:
    """A machine with pretended GPUs."""

    def __init__(self, python: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._python = python
        self._monkeypatch = monkeypatch

    def sheet(self, count: int, **gpu: object) -> FactSheet:
        usual = {
            "name": "NVIDIA H200",
            "compute_capability": "9.0",
            "memory_bytes": 1 << 31,
            "memory_free_bytes": 1 << 30,
            "compute_mode": "default",
            "pcie_generation_max": 5,
            "pcie_width_max": 16,
            "pcie_width": 16,
        }
        gpus = tuple(
            Gpu(index=i, cuda_index=i, **{**usual, **gpu})  # type: ignore[arg-type]
            for i in range(count)
        )
        facts = Facts(
            gpus=gpus,
            torch=Torch(version="2.13.0", cuda="13.0"),
            python=Python(executable=self._python),
        )
        return FactSheet(facts=facts)

    def prove(
        self,
        fault: str = "",
        *,
        count: int = 1,
        level: str = "quick",
        tests: tuple[str, ...] = SOME,
        limits: dict[str, float] | None = None,
        only: tuple[int, ...] | None = None,
        architectures: str = "sm_80 sm_90",
        **gpu: object,
    ) -> Proof:
        self._monkeypatch.setenv("PRETEND_GPUS", str(count))
        self._monkeypatch.setenv("PRETEND_FAULT", fault)
        self._monkeypatch.setenv("PRETEND_ARCHITECTURES", architectures)
        self._monkeypatch.setenv("PYTHONPATH", pretend_gpu.HERE)
        sheet = self.sheet(count, **gpu)
        return prove(
            sheet,
            level,  # type: ignore[arg-type]
            only=only,
            tests=tests,
            limits=limits or {},
            refresh=lambda: sheet,
        )


@pytest.fixture
def patient(torch_python: str, monkeypatch: pytest.MonkeyPatch) -> Patient:
    return Patient(torch_python, monkeypatch)


def results(proof: Proof, device: int = 0) -> dict[str, SmokeTest]:
    return {f"{test.name}:{test.dtype}": test for test in proof.smoke.gpus[device].tests}


def test_each_gpu_has_a_child_and_an_entry_of_its_own(patient: Patient) -> None:
    proof = patient.prove(count=3)
    assert [(gpu.index, gpu.status) for gpu in proof.smoke.gpus] == [
        (0, "passed"),
        (1, "passed"),
        (2, "passed"),
    ]
    assert proof.findings == ()
    assert {line["device"] for line in proof.smoke.advice} == {"0", "1", "2"}


def test_only_the_gpu_that_was_asked_for_is_proved(patient: Patient) -> None:
    proof = patient.prove(count=2, only=(1,))
    assert [gpu.index for gpu in proof.smoke.gpus] == [1]


def test_the_gpus_whole_path_passes(patient: Patient) -> None:
    tests = (
        "optimizer:float32",
        "autocast:float16",
        "train:float32",
        "convolution:float32",
        "attention-math:bfloat16",
        "streams:float32",
        "pinned-memory:float32",
        "float8-matmul",
        "memory",
        "rate-device-copy",
        "rate-host-copy",
        "linalg:float32",
        "random:float32",
    )
    proof = patient.prove(level="full", tests=tests)
    assert {test.status for test in proof.smoke.gpus[0].tests} == {"passed"}
    assert len(proof.smoke.gpus[0].tests) == len(tests)
    assert set(proof.smoke.gpus[0].rates) == {
        "device_to_device_gb_per_s",
        "host_to_device_pinned_gb_per_s",
        "device_to_host_pinned_gb_per_s",
        "host_to_device_pageable_gb_per_s",
    }


def test_several_gpus_are_tried_together_and_it_is_said_on_the_first(patient: Patient) -> None:
    proof = patient.prove(
        "no-peer", count=2, level="full", tests=("copy", "peer-copy:float32", "all-reduce:float32")
    )
    assert results(proof)["peer-copy:float32"].status == "passed"
    assert results(proof)["all-reduce:float32"].status == "passed"
    assert "peer-copy:float32" not in results(proof, 1)
    assert {"no"} == {
        line["value"] for line in proof.smoke.advice if line["topic"] == "peer access"
    }


def test_an_all_reduce_that_hangs_names_the_usual_reason_and_the_variable(
    patient: Patient,
) -> None:
    proof = patient.prove(
        "all-reduce-hangs",
        count=2,
        level="full",
        tests=("copy", "peer-copy:float32", "all-reduce:float32"),
        limits={"all-reduce": 2.0},
    )
    [finding] = proof.findings
    assert finding.name == "smoke-hung"
    assert finding.caused_by == "nccl-p2p-iommu-acs-hang"
    assert any("NCCL_P2P_DISABLE=1" in (step.posix or "") for step in finding.remedies)
    assert proof.smoke.gpus[0].status == "hung"
    assert proof.smoke.gpus[1].status == "passed"


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("exclusive_process", "gpu-exclusive-process-mode"),
        ("default", "gpu-driver-state-busy"),
    ],
)
def test_a_busy_gpu_is_told_by_its_compute_mode(mode: str, name: str, patient: Patient) -> None:
    proof = patient.prove("busy", compute_mode=mode)
    assert [finding.name for finding in proof.findings] == [name, "smoke-failed"]
    assert proof.findings[1].caused_by == name
    assert results(proof)["wake-device:None"].status == "failed"


def test_a_gpu_that_does_not_wake_is_a_hang(patient: Patient) -> None:
    proof = patient.prove("wake-hangs", limits={"init": 1.0})
    assert [finding.name for finding in proof.findings] == ["smoke-hung"]
    assert proof.findings[0].title.startswith("Waking GPU 0 (NVIDIA H200)")


@pytest.mark.parametrize(
    ("architectures", "name"),
    [
        ("sm_50 sm_80 compute_80", "no-kernel-image"),
        ("sm_50 sm_80", "torch-lacks-arch-new-gpu"),
        ("sm_100 sm_120", "torch-dropped-arch-old-gpu"),
        ("sm_90", "no-kernel-image"),
    ],
)
def test_a_missing_kernel_is_held_against_what_torch_was_compiled_for(
    architectures: str, name: str, patient: Patient
) -> None:
    proof = patient.prove("no-kernel", architectures=architectures)
    assert [finding.name for finding in proof.findings] == [name, "smoke-failed"]
    assert results(proof)["copy:None"].status == "passed"


@pytest.mark.parametrize(
    ("free", "names"),
    [
        (1 << 27, ["gpu-memory-held-by-other-process", "smoke-failed"]),
        (1 << 30, ["smoke-failed"]),
    ],
)
def test_memory_that_others_hold_is_blamed_on_them_alone_if_they_hold_it(
    free: int, names: list[str], patient: Patient
) -> None:
    proof = patient.prove("memory", memory_free_bytes=free, processes=(4711,))
    assert [finding.name for finding in proof.findings] == names
    if len(names) == 2:
        assert "4711" in proof.findings[0].title


def test_a_lost_context_costs_its_child_and_the_operation_is_named_by_repeating(
    patient: Patient,
) -> None:
    proof = patient.prove("assert")
    assert results(proof)[RELU].status == "failed"
    assert "CUDA_LAUNCH_BLOCKING=1" in (results(proof)[RELU].error or "")
    assert results(proof)["matmul:float32"].status == "passed"
    assert [finding.caused_by for finding in proof.findings if finding.name == "smoke-failed"] == [
        "device-side-assert"
    ]


def test_a_slow_gpu_is_warned_of_with_what_the_facts_say(patient: Patient) -> None:
    proof = patient.prove(
        "slow", level="full", tests=("rate-device-copy", "rate-host-copy"), pcie_width=4
    )
    [finding] = proof.findings
    assert finding.name == "slower-than-its-sheet"
    assert finding.severity.value == "warning"
    assert "4 lanes of 16" in finding.detail
    assert proof.smoke.gpus[0].status == "passed"

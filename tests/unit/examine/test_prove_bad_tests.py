"""A real torch that misbehaves in a test: the test is named, the others still run."""

from __future__ import annotations

import sys
import time
import uuid

import pytest

from gpudoctor.model.report import SmokeTest
from gpudoctor.model.sheet import FactSheet
from gpudoctor.smoke.suite import Proof, prove
from machines import bad_torch

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for children in /proc"),
]

RELU = "relu:float32"
SOME = ("copy", "elementwise:float32", RELU, "relu:float16", "matmul:float32", "matmul:float16")
"""Without what takes time and, like the network, calls ReLU as well."""


class Patient:
    """Proves the CPU with a torch that does one bad thing."""

    def __init__(self, python: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._python = python
        self._monkeypatch = monkeypatch

    def prove(
        self,
        what: str,
        *,
        deadline: float | None = None,
        tests: tuple[str, ...] = SOME,
        **limits: float,
    ) -> Proof:
        token = uuid.uuid4().hex
        self._monkeypatch.setenv("BAD_TORCH", what)
        self._monkeypatch.setenv(bad_torch.TOKEN, token)
        self._monkeypatch.setenv("PYTHONPATH", bad_torch.PATCHED)
        result = prove(
            FactSheet(),
            "quick",
            deadline,
            cpu=True,
            python=self._python,
            limits=limits,
            tests=tests,
        )
        assert bad_torch.left_over(token) == []
        return result


@pytest.fixture
def patient(torch_python: str, monkeypatch: pytest.MonkeyPatch) -> Patient:
    return Patient(torch_python, monkeypatch)


def results(proof: Proof) -> dict[str, SmokeTest]:
    [device] = proof.smoke.gpus
    return {f"{test.name}:{test.dtype}": test for test in device.tests}


def names(proof: Proof) -> list[str]:
    return [finding.name for finding in proof.findings]


def others(proof: Proof) -> set[str]:
    """Statuses of the tests that have nothing to do with ReLU."""
    return {test.status for test in results(proof).values() if test.name != "relu"}


def test_a_good_torch_passes_every_test_with_errors_far_below_the_tolerance(
    patient: Patient,
) -> None:
    proof = patient.prove("", tests=())
    assert proof.findings == ()
    assert proof.smoke.gpus[0].status == "passed"
    for test in results(proof).values():
        assert test.status == "passed"
        assert test.relative_error is not None
        assert test.tolerance is not None
        assert test.relative_error <= test.tolerance / 3


@pytest.mark.parametrize(
    ("what", "signal", "words"),
    [
        ("test-segfault", "SIGSEGV", "was ended by SIGSEGV"),
        ("test-exit", None, "ended with exit status 0"),
        ("test-close-fds", None, "closed the descriptor"),
    ],
)
def test_a_crash_costs_its_own_test_alone(
    what: str, signal: str | None, words: str, patient: Patient
) -> None:
    proof = patient.prove(what)
    relu = results(proof)[RELU]
    assert relu.status == "crashed"
    assert words in (relu.error or "")
    assert proof.smoke.gpus[0].status == "crashed"
    assert proof.smoke.gpus[0].signal == signal
    assert others(proof) == {"passed"}
    assert names(proof) == ["smoke-crashed"]


def test_a_crash_shows_what_was_said_last(patient: Patient) -> None:
    proof = patient.prove("test-segfault")
    assert "a last word" in proof.smoke.gpus[0].output_tail
    assert any(item.fact == "smoke.relu:float32.stderr" for item in proof.findings[0].evidence)


@pytest.mark.parametrize("what", ["test-hang", "test-hang-deaf"])
def test_a_hang_is_ended_after_its_limit_and_named(what: str, patient: Patient) -> None:
    proof = patient.prove(what, relu=1.0)
    assert results(proof)[RELU].status == "hung"
    assert results(proof)["relu:float16"].status == "skipped"
    assert others(proof) == {"passed"}
    assert "did not come back within" in (results(proof)[RELU].error or "")
    assert names(proof) == ["smoke-hung"]
    assert proof.smoke.gpus[0].status == "hung"


def test_what_had_started_at_the_deadline_is_hung_and_what_had_not_is_skipped(
    patient: Patient,
) -> None:
    proof = patient.prove("test-hang", deadline=time.monotonic() + 8)
    tests = results(proof)
    assert tests["copy:None"].status == "passed"
    assert tests[RELU].status == "hung"
    assert tests["matmul:float32"].status == "skipped"
    assert "time allowed was over" in (tests["matmul:float32"].error or "")
    assert names(proof) == ["smoke-hung"]


def test_a_call_of_exit_in_a_test_is_a_failure_and_the_rest_goes_on(patient: Patient) -> None:
    proof = patient.prove("test-sys-exit")
    assert results(proof)[RELU].status == "failed"
    assert "SystemExit" in (results(proof)[RELU].error or "")
    assert others(proof) == {"passed"}


def test_a_gigabyte_of_output_harms_nobody(patient: Patient) -> None:
    proof = patient.prove("test-flood")
    assert proof.findings == ()
    assert proof.smoke.gpus[0].status == "passed"
    assert proof.smoke.gpus[0].output_tail == ()


def test_what_a_test_leaves_running_is_ended_with_it(patient: Patient) -> None:
    assert patient.prove("test-leave-child").findings == ()


@pytest.mark.parametrize(
    ("what", "behind"),
    [
        ("test-no-kernel", "no-kernel-image"),
        ("test-assert", "device-side-assert"),
        ("test-memory", None),
    ],
)
def test_an_error_of_cuda_is_a_failure_with_what_lies_behind_it(
    what: str, behind: str | None, patient: Patient
) -> None:
    proof = patient.prove(what)
    assert results(proof)[RELU].status == "failed"
    assert others(proof) == {"passed"}
    [finding] = [one for one in proof.findings if one.name == "smoke-failed"]
    assert finding.caused_by == behind


def test_a_failure_names_the_operation(patient: Patient) -> None:
    [finding] = [
        one for one in patient.prove("test-no-kernel").findings if one.name == "smoke-failed"
    ]
    operations = [e.value for e in finding.evidence if e.fact.endswith(".operation")]
    assert "t.torch.relu" in operations[0]


@pytest.mark.parametrize(
    ("what", "test", "words"),
    [
        ("wrong-matmul", "matmul:float32", "off by 0.001"),
        ("half-matmul", "matmul:float32", "is float16 where float32 was due"),
        ("secretly-half-matmul", "matmul:float32", "off by"),
        ("test-nan", RELU, "differ"),
        ("stale-optimizer", "optimizer:float32", "left every parameter as it was"),
        ("transposed-gradient", "backward:float32", "is off by"),
    ],
)
def test_wrong_numbers_are_caught_by_their_own_name(
    what: str, test: str, words: str, patient: Patient
) -> None:
    proof = patient.prove(what, tests=(*SOME, test))
    assert "wrong-numbers" in names(proof)
    assert results(proof)[test].status == "failed"
    assert words in (results(proof)[test].error or "")
    assert proof.smoke.gpus[0].status == "failed"


def test_a_crash_at_the_very_end_is_told_although_all_tests_passed(patient: Patient) -> None:
    proof = patient.prove("exit-segfault")
    assert {test.status for test in results(proof).values()} == {"passed"}
    assert names(proof) == ["smoke-crashed"]
    assert "at its end, after all tests" in proof.findings[0].title
    assert proof.smoke.gpus[0].status == "crashed"
    assert proof.smoke.gpus[0].signal == "SIGSEGV"


def test_a_process_that_does_not_end_is_told_although_all_tests_passed(patient: Patient) -> None:
    proof = patient.prove("exit-hang", exit=1.0)
    assert names(proof) == ["smoke-hung"]
    assert proof.smoke.gpus[0].status == "hung"


def test_when_every_test_ends_the_process_the_rest_is_skipped_with_the_reason(
    patient: Patient,
) -> None:
    proof = patient.prove("every-test-segfaults", tests=())
    statuses = [test.status for test in results(proof).values()]
    assert statuses.count("crashed") == 3
    assert set(statuses) == {"crashed", "skipped"}
    assert "processes in a row" in (results(proof)["optimizer:float32"].error or "")
    assert names(proof) == ["smoke-crashed"]

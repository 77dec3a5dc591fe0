"""A torch that is bad at import: always a whole answer, the right name, no child left."""

from __future__ import annotations

import importlib.util
import sys
import time
import uuid

import pytest

from gpudoctor.model.sheet import FactSheet
from gpudoctor.smoke.suite import Proof, prove
from machines import bad_torch

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for children in /proc"),
]

LIMITS = {"start": 20, "import": 20}


def proof_of(what: str, monkeypatch: pytest.MonkeyPatch, **limits: float) -> Proof:
    token = uuid.uuid4().hex
    monkeypatch.setenv("BAD_TORCH", what)
    monkeypatch.setenv(bad_torch.TOKEN, token)
    monkeypatch.setenv("PYTHONPATH", bad_torch.STANDIN)
    result = prove(
        FactSheet(), "quick", cpu=True, python=sys.executable, limits={**LIMITS, **limits}
    )
    assert bad_torch.left_over(token) == []
    return result


def names(proof: Proof) -> list[str]:
    return [finding.name for finding in proof.findings]


@pytest.mark.parametrize(
    ("what", "signal", "words"),
    [
        ("segfault", "SIGSEGV", "was ended by SIGSEGV"),
        ("abort", "SIGABRT", "was ended by SIGABRT"),
        ("exit", None, "ended with exit status 0"),
        ("close-fds", None, "closed the descriptor"),
    ],
)
def test_an_import_that_ends_the_process_is_a_crash_with_its_way_of_ending(
    what: str, signal: str | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = proof_of(what, monkeypatch)
    assert names(proof) == ["torch-import-crash"]
    assert words in proof.findings[0].title
    [device] = proof.smoke.gpus
    assert (device.index, device.status, device.signal) == (None, "crashed", signal)
    assert [(test.name, test.status) for test in device.tests] == [("import-torch", "crashed")]


def test_a_crash_shows_the_last_lines_of_stderr_and_the_frame_it_was_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [device] = proof_of("segfault", monkeypatch).smoke.gpus
    assert "about to do something terrible" in device.output_tail
    assert any("torch/__init__.py" in line for line in device.output_tail)


@pytest.mark.parametrize("what", ["hang", "hang-deaf"])
def test_an_import_that_does_not_come_back_is_ended_and_named(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = proof_of(what, monkeypatch, **{"import": 1.0})
    assert names(proof) == ["torch-import-hang"]
    assert "import torch did not come back within 1" in proof.findings[0].title
    [device] = proof.smoke.gpus
    assert (device.status, device.signal) == ("hung", None)


def test_a_hang_says_in_which_line_python_stood(monkeypatch: pytest.MonkeyPatch) -> None:
    [device] = proof_of("hang", monkeypatch, **{"import": 1.0}).smoke.gpus
    assert any("torch/__init__.py" in line for line in device.output_tail)


def test_a_deadline_in_the_import_ends_everything_at_that_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = uuid.uuid4().hex
    monkeypatch.setenv("BAD_TORCH", "hang")
    monkeypatch.setenv(bad_torch.TOKEN, token)
    monkeypatch.setenv("PYTHONPATH", bad_torch.STANDIN)
    deadline = time.monotonic() + 1.5
    proof = prove(FactSheet(), "quick", deadline, cpu=True, python=sys.executable)
    assert names(proof) == ["torch-import-hang"]
    assert "when the time allowed was over" in proof.findings[0].title
    assert bad_torch.left_over(token) == []


def test_an_import_that_gets_on_is_no_hang_when_the_time_allowed_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BAD_TORCH", "slow")
    monkeypatch.setenv(bad_torch.TOKEN, token := uuid.uuid4().hex)
    monkeypatch.setenv("PYTHONPATH", bad_torch.STANDIN)
    deadline = time.monotonic() + 1.5
    proof = prove(FactSheet(), "quick", deadline, cpu=True, python=sys.executable)
    assert names(proof) == []
    [unknown] = proof.cut_short
    assert unknown.kind == "late"
    assert unknown.reason.startswith("import torch had not come back after")
    assert [device.status for device in proof.smoke.gpus] == ["skipped"]
    assert bad_torch.left_over(token) == []


def test_a_missing_library_is_named_as_what_lies_behind_the_crash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [finding] = proof_of("library", monkeypatch).findings
    assert finding.name == "torch-import-crash"
    assert finding.caused_by == "cuda-wheel-library-missing"
    assert "libcudnn.so.9" in finding.title


def test_an_import_that_calls_exit_is_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    [finding] = proof_of("sys-exit", monkeypatch).findings
    assert finding.name == "torch-import-crash"
    assert "SystemExit" in finding.title


def test_a_gigabyte_of_output_is_read_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    proof = proof_of("flood", monkeypatch)
    # After the flood it is a module without any attribute: said by its name, not a crash of ours.
    assert names(proof) == ["torch-import-crash"]
    assert "no attribute 'tensor'" in proof.findings[0].title


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="this Python has torch")
def test_an_environment_without_torch_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONNOUSERSITE", "1")
    proof = prove(FactSheet(), "quick", cpu=True, python=sys.executable, limits=LIMITS)
    assert names(proof) == ["torch-missing"]


def test_an_interpreter_that_is_not_there_is_a_finding_and_no_exception() -> None:
    proof = prove(FactSheet(), "quick", cpu=True, python="/nowhere/python")
    assert names(proof) == ["torch-import-crash"]
    assert "no such program" in proof.findings[0].title


def test_without_gpus_nothing_is_run_and_nothing_is_found() -> None:
    proof = prove(FactSheet(), "quick", python=sys.executable)
    assert proof.smoke.gpus == ()
    assert proof.findings == ()

"""What children and nvidia-smi print is read, however little of it there is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.collect.driver import cuda_child
from gpudoctor.collect.driver.answers import cuda_answer, nvml_answer, records
from gpudoctor.collect.driver.driver_child import as_json
from gpudoctor.collect.driver.smi import ask_nvidia_smi, parse_table, shortened
from gpudoctor.collect.process.outcome import Outcome
from gpudoctor.collect.reason import Reason

INIT = b'{"step":"init","error":null}\n'
SYSTEM = b'{"step":"system","driver":"570.172.08","nvml":"12.570","cuda":12080}\n'
COUNT = b'{"step":"count","count":2}\n'
GPU = b'{"step":"device","index":0,"name":"NVIDIA A100","errors":{}}\n'
END = b'{"step":"end"}\n'


def said(*lines: bytes, **more: object) -> Outcome:
    return Outcome(status="exited", code=0, stdout=b"".join(lines), **more)  # type: ignore[arg-type]


def test_a_whole_answer_of_nvml_has_no_problem() -> None:
    answer = nvml_answer(said(INIT, SYSTEM, COUNT, GPU, END))
    assert answer.ok
    assert answer.problem is None
    assert (answer.driver, answer.cuda, answer.count) == ("570.172.08", 12080, 2)


def test_an_answer_that_stops_in_the_middle_keeps_what_was_said() -> None:
    outcome = Outcome(
        status="timed-out",
        stdout=INIT + SYSTEM + COUNT + GPU + b'{"step":"dev',
        name="python",
        detail="did not answer within 5 s",
    )
    answer = nvml_answer(outcome)
    assert answer.ok
    assert len(answer.gpus) == 1
    assert answer.problem == Reason("late", "NVML did not answer within 5 s")


def test_an_error_of_nvml_is_an_answer_and_no_problem() -> None:
    line = b'{"step":"init","error":"NVML_ERROR_LIB_RM_VERSION_MISMATCH","text":"x"}\n'
    answer = nvml_answer(said(line))
    assert answer.error == "NVML_ERROR_LIB_RM_VERSION_MISMATCH"
    assert answer.problem is None
    assert not answer.ok


def test_a_child_that_dies_is_a_problem_with_its_signal() -> None:
    answer = cuda_answer(Outcome(status="signalled", signal="SIGSEGV"))
    said = "the process that asked the CUDA driver library died of SIGSEGV"
    assert answer.problem == Reason("not-asked", said)
    assert answer.init is None


def test_a_mistake_of_ours_in_a_child_is_told_as_that() -> None:
    line = b'{"step":"failed","error":"ValueError: a mistake"}\n'
    for answer in (cuda_answer(said(line)), nvml_answer(said(line))):
        assert answer.problem == Reason("failed", "the collector failed (ValueError: a mistake)")


def test_a_child_that_stops_silently_is_quoted() -> None:
    answer = cuda_answer(
        Outcome(status="exited", code=1, stderr=b"Fatal Python error: init\nno codec\n")
    )
    assert answer.problem is not None
    assert answer.problem.kind == "not-asked"
    assert answer.problem.text.endswith("stopped without an answer: no codec")


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("libcuda.so.1: cannot open shared object file: No such file or directory", True),
        ("dlopen(libcuda.so.1, 0x0006): tried: 'libcuda.so.1' (no such file)", True),
        ("Error loading shared library libcuda.so.1: No such file or directory", True),
        ("libnvidia-x.so: cannot open shared object file: No such file or directory", False),
        ("/usr/lib32/libcuda.so.1: wrong ELF class: ELFCLASS32", False),
    ],
)
def test_a_missing_libcuda_is_told_from_one_that_cannot_be_loaded(text: str, missing: bool) -> None:
    found = cuda_child.is_missing(OSError(text))
    line = json.dumps({"step": "load", "error": text, "missing": found}).encode() + b"\n"
    answer = cuda_answer(said(line))
    assert answer.missing is missing
    assert answer.problem is None


@given(st.binary(max_size=200))
def test_noise_is_no_answer(data: bytes) -> None:
    assert all(isinstance(record, dict) for record in records(data))
    assert nvml_answer(said(data)).problem or b'"step"' in data


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_what_a_child_writes_can_be_read(value: object) -> None:
    assert json.loads(as_json(value)) == value


TABLE = (
    "0, NVIDIA A100-SXM4-40GB, GPU-1d, 00000000:07:00.0, 535.183.01, 40960, 8.0\n"
    "1, NVIDIA GB10, GPU-2e, 0000000F:01:00.0, 580.95.05, [N/A], 12.1\n"
)


def test_the_table_of_nvidia_smi_is_read() -> None:
    gpus = parse_table(TABLE)
    assert gpus is not None
    assert gpus[0].memory_bytes == 40960 << 20
    assert gpus[1].memory_bytes is None
    assert (gpus[1].capability, gpus[1].name) == ("12.1", "NVIDIA GB10")


def test_the_table_of_an_old_nvidia_smi_lacks_the_capability() -> None:
    gpus = parse_table("0, Tesla K80, GPU-1, 00000000:05:00.0, 470.256.02, 11441\n")
    assert gpus is not None
    assert gpus[0].capability is None


@pytest.mark.parametrize("text", ["", "No devices were found\n", "0, x\n", "a, b, c, d, e, f, g\n"])
def test_what_is_no_table_is_none(text: str) -> None:
    assert parse_table(text) is None


def smi(tmp_path, body: str) -> dict[str, str]:
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\n" + body)
    (tmp_path / "nvidia-smi").chmod(0o755)
    return {"PATH": str(tmp_path)}


def test_nvidia_smi_that_fails_is_quoted(tmp_path) -> None:
    text = "Failed to initialize NVML: Driver/library version mismatch"
    answer = ask_nvidia_smi(smi(tmp_path, f"echo '{text}'; exit 18"), 30)
    assert answer.error == text
    assert answer.problem is None


def test_no_devices_with_status_0_is_an_error_too(tmp_path) -> None:
    assert (
        ask_nvidia_smi(smi(tmp_path, "echo No devices were found"), 30).error
        == "No devices were found"
    )


def test_an_nvidia_smi_without_compute_cap_is_asked_again(tmp_path) -> None:
    body = (
        'case "$*" in *compute_cap*) echo \'Field "compute_cap" is not a valid field to query.\'; '
        "exit 2;; esac\necho '0, Tesla K80, GPU-1, 00000000:05:00.0, 470.256.02, 11441'\n"
    )
    answer = ask_nvidia_smi(smi(tmp_path, body), 30)
    assert [gpu.name for gpu in answer.gpus] == ["Tesla K80"]


def test_garbage_is_a_problem_and_a_missing_program_is_missing(tmp_path) -> None:
    assert ask_nvidia_smi({"PATH": str(tmp_path)}, 30).missing
    answer = ask_nvidia_smi(smi(tmp_path, "printf '\\033[31m<html>\\n'"), 30)
    assert answer.problem == Reason("not-asked", "nvidia-smi printed what is no table of GPUs")


def test_a_long_text_is_cut() -> None:
    assert len(shortened("x y\n" * 1000)) == 400

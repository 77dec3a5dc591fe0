"""The child that talks to NVML outlives bindings and libraries that do not fit together."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from gpudoctor.collect.driver import nvml_child


class Error(Exception):
    def __init__(self, value: int) -> None:
        super().__init__(value)
        self.value = value


class MismatchError(Exception):
    """What pynvml raises where the library lacks a function: none of its own kind of error."""


def binding(**answers: Any) -> Any:
    def ask(answer: Any) -> Any:
        def question(*arguments: object) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

        return question

    functions = {f"nvmlDeviceGet{name}": ask(answer) for name, answer in answers.items()}
    return SimpleNamespace(
        NVMLError=Error,
        NVML_ERROR_NOT_SUPPORTED=3,
        NVML_ERROR_GPU_IS_LOST=15,
        **{"nvmlDeviceGetHandleByIndex": lambda index: index, **functions},
    )


def test_every_kind_of_failure_leaves_the_other_answers_standing() -> None:
    nvml = binding(
        Name=b"Tesla K80",
        UUID=Error(15),
        MigMode=Error(3),
        ComputeRunningProcesses=MismatchError("the library is older"),
        ComputeMode=3,
    )
    record: Any = nvml_child.device(nvml, 0)
    assert record["name"] == "Tesla K80"
    assert record["compute_mode"] == "exclusive_process"
    assert record["errors"]["uuid"] == "NVML_ERROR_GPU_IS_LOST"
    assert record["errors"]["processes"] == "MismatchError: the library is older"
    assert "AttributeError" in record["errors"]["pci"]  # a binding that does not know it
    assert "mig_mode" not in record["errors"]  # not supported is an answer


def test_a_gpu_that_gives_no_handle_is_a_record_with_its_error() -> None:
    nvml = binding(HandleByIndex=Error(15))
    assert nvml_child.device(nvml, 3) == {
        "step": "device",
        "index": 3,
        "error": "NVML_ERROR_GPU_IS_LOST",
    }


def test_an_error_without_a_name_is_a_number() -> None:
    assert nvml_child.error_name(binding(), Error(4711)) == "NVML error 4711"


def test_what_slows_a_gpu_down_is_named() -> None:
    nvml = binding(CurrentClocksThrottleReasons=0x48)
    record: Any = nvml_child.device(nvml, 0)
    assert record["throttle_reasons"] == ["hardware slowdown", "hardware thermal slowdown"]

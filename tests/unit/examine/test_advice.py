"""Advice follows from tests first, then from capability, and says which."""

from __future__ import annotations

import yaml

from gpudoctor.model.facts import Facts, Host
from gpudoctor.model.report import SmokeTest
from gpudoctor.model.sheet import FactSheet
from gpudoctor.smoke.training_advice import advise, as_yaml
from gpudoctor.smoke.worker_run import Run, SmokeTarget

GIB = 1 << 30
SHEET = FactSheet(facts=Facts(host=Host(os="linux", cpu_count=16)))


def run(capability: str, memory: int = 80 * GIB, sms: int = 108, **tests: str) -> Run:
    made = Run(SmokeTarget(index=0, device="cuda:0", label="GPU 0"))
    made.device = {
        "capability": capability,
        "memory_bytes": memory,
        "memory_free_bytes": memory,
        "multiprocessors": sms,
        "devices": 1,
    }
    for name, status in tests.items():
        test, _, dtype = name.replace("__", ":").replace("_", "-").partition(":")
        made.tests[f"{test}:{dtype}"] = SmokeTest(name=test, dtype=dtype, status=status)  # type: ignore[arg-type]
    return made


def said(made: Run, sheet: FactSheet = SHEET) -> dict[str, tuple[str, str]]:
    return {line["topic"]: (line["value"], line["because"]) for line in advise((made,), sheet)}


def test_ampere_trains_in_bfloat16_without_a_scaler() -> None:
    lines = said(run("8.0", matmul__bfloat16="passed"))
    assert lines["autocast_dtype"][0] == "bfloat16"
    assert lines["grad_scaler"][0] == "false"
    assert lines["bfloat16"] == ("yes", "the test matmul:bfloat16 passed")


def test_turing_trains_in_float16_with_a_scaler() -> None:
    lines = said(run("7.5"))
    assert lines["autocast_dtype"][0] == "float16"
    assert lines["grad_scaler"][0] == "true"
    assert lines["FlashAttention"][0] == "no"
    assert "float32_matmul_precision" not in lines


def test_pascal_gains_no_time_from_float16_and_has_no_compiler() -> None:
    lines = said(run("6.1"))
    assert lines["autocast_dtype"][0] == "none"
    assert lines["torch_compile"][0] == "false"
    assert "channels_last" not in lines


def test_a_test_that_failed_beats_what_the_capability_promises() -> None:
    lines = said(run("9.0", compile__float32="crashed", matmul__bfloat16="failed"))
    assert lines["torch_compile"] == ("false", "the test compile:float32 crashed")
    assert lines["autocast_dtype"][0] == "float16"


def test_what_was_not_tested_says_so() -> None:
    assert said(run("12.0"))["float4"][0] == "yes (not tested)"


def test_few_multiprocessors_mean_no_autotuning() -> None:
    assert said(run("8.9", sms=24))["torch_compile_mode"][0] == "default"
    assert said(run("9.0", sms=132))["torch_compile_mode"][0] == "max-autotune"


def test_short_memory_means_accumulation_and_checkpointing() -> None:
    assert "gradient_accumulation" in said(run("8.6", memory=8 * GIB))
    assert "gradient_accumulation" not in said(run("8.6", memory=24 * GIB))


def test_wsl_limits_pinned_memory() -> None:
    sheet = FactSheet(facts=Facts(host=Host(os="linux", wsl=True, cpu_count=4)))
    assert said(run("8.9"), sheet)["pin_memory"][0] == "false"


def test_every_line_says_what_it_rests_on() -> None:
    lines = advise((run("9.0", matmul__bfloat16="passed"),), SHEET)
    assert lines
    assert all(line["because"].strip() for line in lines)


def test_the_yaml_can_be_read_by_a_training_script() -> None:
    text = as_yaml(advise((run("9.0", matmul__bfloat16="passed"),), SHEET))
    training = yaml.safe_load(text)["gpu_0"]["training"]
    assert training["autocast_dtype"] == "bfloat16"
    assert training["grad_scaler"] is False
    assert training["num_workers"] == 8
    assert training["gradient_clip_norm"] == 1
    assert yaml.safe_load(text)["gpu_0"]["ability"]["bfloat16"] == "yes"


def test_the_cpu_and_a_gpu_that_was_never_reached_get_no_advice() -> None:
    cpu = Run(SmokeTarget(index=None, device="cpu", label="the CPU"))
    dead = Run(SmokeTarget(index=0, device="cuda:0", label="GPU 0"))
    assert advise((cpu, dead), SHEET) == ()

"""The rules are fed what collectors really write down where a fact cannot be had."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from gpudoctor.collect.driver.answers import why
from gpudoctor.collect.packages.device_code import candidates, read_device_code
from gpudoctor.collect.packages.distributions import read_distributions
from gpudoctor.collect.process.outcome import Outcome
from gpudoctor.collect.recorder import Recorder
from gpudoctor.examine.verdict import missing_essentials
from gpudoctor.model.fact import Unknown
from gpudoctor.model.factfile import parse_sheet
from gpudoctor.model.sheet import FactSheet
from machines.wheels import cuda_library
from unit.collect.environments import torch
from unit.rules.make import judged, machine


def seen(entries: Iterable[Unknown]) -> FactSheet:
    healthy = machine()
    return FactSheet(healthy.facts, tuple(entries))


def recorded(fact: str, error: Exception) -> FactSheet:
    """The sheet after the collector of `fact` raised `error`."""

    def read() -> None:
        raise error

    recorder = Recorder()
    recorder.part("a part", (fact,), read)
    return seen(recorder.unknown.values())


@pytest.mark.parametrize("fact", ["loader", "torch", "packages", "toolkits", "compilers", "python"])
def test_a_collector_that_crashes_is_told_wherever_it_stands(fact: str) -> None:
    assert "collector-crashed" in judged(recorded(fact, ValueError("a mistake")))


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO, errno.ESTALE])
def test_an_error_of_the_system_is_no_crash(code: int) -> None:
    found = judged(recorded("torch", OSError(code, "an error", "/env/site-packages")))
    assert "collector-crashed" not in found
    assert "environment-unreadable" in found


def test_a_driver_that_was_given_up_does_not_answer() -> None:
    late = why(Outcome(status="timed-out", name="nvml", seconds=2.0), "NVML")
    assert "driver-not-answering" in judged(seen([late.unknown("driver.nvml_version", "nvml")]))
    died = why(Outcome(status="signalled", signal="SIGSEGV"), "NVML")
    assert "driver-not-answering" not in judged(seen([died.unknown("driver.nvml_version", "nvml")]))


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_library_that_is_cut_off_is_damaged(tmp_path: Path, share: float) -> None:
    torch(tmp_path)
    library = tmp_path / "torch" / "lib" / "libtorch_cuda.so"
    whole = cuda_library(["80", "90"], [])
    library.write_bytes(whole[: int(share * len(whole))])
    distributions, _ = read_distributions([str(tmp_path)])
    xray = read_device_code(candidates(distributions, None, None), time.monotonic() + 30)
    entries = [each.reason.unknown(f"libraries[{each.candidate.shown}]") for each in xray.unread]
    assert "torch-library-damaged" in judged(seen(entries))


def test_a_start_of_cuda_that_was_tried_and_failed_leaves_the_verdict_open() -> None:
    died = why(Outcome(status="signalled", signal="SIGSEGV"), "CUDA").unknown("driver.cu_init")
    assert missing_essentials(seen([died])) == (died,)
    silent = Unknown("driver.cu_init", "not mentioned", "fact sheet", "not-stated")
    assert missing_essentials(seen([silent])) == ()


def test_a_saved_sheet_without_kinds_proves_no_crash_and_no_damage() -> None:
    sheet = parse_sheet(
        '{"facts": {}, "unknown": [{"fact": "loader", "reason": "anything"},'
        ' {"fact": "libraries[torch/lib/libtorch.so]", "reason": "anything"}]}'
    )
    assert not {"collector-crashed", "torch-library-damaged"} & judged(sheet).keys()

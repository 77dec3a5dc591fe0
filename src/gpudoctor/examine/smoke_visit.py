"""`smoke`: the kernels alone are asked, on chosen GPUs or on the CPU."""

from __future__ import annotations

import os
import time
from typing import Literal

from gpudoctor import rules
from gpudoctor.collect import collect
from gpudoctor.errors import CannotJudgeError, UsageError
from gpudoctor.examine.options import STATIC_SECONDS, VisitOptions
from gpudoctor.examine.settle import settle
from gpudoctor.examine.visit import conclude, may_start
from gpudoctor.model.prescription import Prescription
from gpudoctor.model.report import Report
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import replace
from gpudoctor.smoke.suite import Proof, prove, targets_of

Level = Literal["quick", "full"]


def smoke_visit(options: VisitOptions, level: Level, device: str | None = None) -> Report:
    """Collect the facts, run the kernels, and report both.

    `device` is `cpu`, a GPU's index in the driver's order as `nvidia-smi` counts, or `None` for
    all GPUs. On the CPU the tests alone decide.

    Raises:
        UsageError: there is no usable GPU of that index, or `device` is no device.
        CannotJudgeError: the interpreter must not be started, since nobody named it, or none
            was found.
    """
    started = time.monotonic()
    only = None if device in (None, "cpu") else (_index(str(device)),)
    limit = options.timeout_seconds

    def read() -> FactSheet:
        return collect(
            options.python, min(limit or STATIC_SECONDS, STATIC_SECONDS), os.getcwd(), os.environ
        )

    sheet = read()
    deadline = None if limit is None else started + limit
    _startable(sheet)
    if device == "cpu":
        proof = prove(sheet, level, deadline, cpu=True, progress=options.progress)
        return _on_cpu(sheet, proof, options)
    usable = [target.index for target in targets_of(sheet)]
    if only is not None and usable and only[0] not in usable:
        listed = ", ".join(str(index) for index in usable)
        raise UsageError(f"there is no usable GPU {only[0]}; there is {listed}")
    proof = prove(sheet, level, deadline, only=only, progress=options.progress, refresh=read)
    return _on_gpus(sheet, proof, options)


def _index(device: str) -> int:
    if not device.isdecimal() or not device.isascii():
        raise UsageError(f"--device takes a GPU's number or cpu, not {device!r}")
    return int(device)


def _startable(sheet: FactSheet) -> None:
    python = sheet.facts.python
    if python is None or python.executable is None:
        raise CannotJudgeError("no Python interpreter was found; name one with --python")
    if not may_start(sheet):
        raise CannotJudgeError(
            f"{python.executable} was merely found in this folder and is not started unasked; "
            "activate its environment, or name it with --python"
        )


def _on_cpu(sheet: FactSheet, proof: Proof, options: VisitOptions) -> Report:
    """What the CPU's tests say; which GPUs, driver or wheel there are does not matter here."""
    prescription: Prescription | None = Prescription(
        status="not-needed", why="Nothing needs to be changed."
    )
    if any(finding.name.startswith("torch-") for finding in proof.findings):
        prescription = None  # there is no torch, or it cannot be imported: a wheel may cure that
    elif proof.findings:
        prescription = Prescription(
            status="impossible",
            why="A kernel that fails on the CPU is no matter of GPU, driver or variant; "
            "installing torch anew is the nearest way out.",
        )
    report = conclude(
        sheet,
        proof.findings,
        options,
        smoke=proof.smoke,
        prescription=prescription,
        unproved=proof.cut_short,
    )
    return _examined(_timed(report, proof))


def _on_gpus(sheet: FactSheet, proof: Proof, options: VisitOptions) -> Report:
    judgement = rules.judge(sheet)
    findings = settle(judgement.findings, proof.findings, proof.smoke)
    report = conclude(
        sheet,
        findings,
        options,
        not_judged=judgement.not_judged,
        smoke=proof.smoke,
        unproved=proof.cut_short,
    )
    return _examined(_timed(report, proof))


def _timed(report: Report, proof: Proof) -> Report:
    """With what importing torch and waking the devices cost, and the tests."""
    timings = dict(report.timings_ms)
    for run in proof.runs:
        name = run.target.device
        for stage, seconds in run.seconds.items():
            timings[f"smoke.{name}.{stage}"] = round(seconds * 1e3, 1)
        spent = sum(test.seconds or 0.0 for test in run.tests.values())
        timings[f"smoke.{name}.tests"] = round(spent * 1e3, 1)
    return replace(report, timings_ms=timings)


def _other_interface(report: Report) -> bool:
    """Whether torch reaches the GPU here by another interface than `torch.cuda`."""
    facts = report.sheet.facts
    on_mac = facts.host is not None and facts.host.os == "macos"
    return on_mac or (facts.torch is not None and bool(facts.torch.xpu))


def _examined(report: Report) -> Report:
    """Without a single test that ran, all that can be said is that nothing is known."""
    ran = any(
        test.status != "skipped"
        for device in (report.smoke.gpus if report.smoke else ())
        for test in device.tests
    )
    if ran or report.exit_code != 0:
        return report
    note = "No kernel test ran, so nothing is proved."
    if _other_interface(report):
        note += (
            " The tests use torch.cuda, which serves the GPUs of NVIDIA and AMD; on Intel's (xpu) "
            "and Apple's (mps) they are not made. `--device cpu` tries torch itself."
        )
    return replace(report, verdict="unknown", exit_code=3, notes=(*report.notes, note))

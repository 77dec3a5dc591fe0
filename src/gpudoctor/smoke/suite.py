"""The proof: kernels run on every usable GPU, each in a child of its own, and judged.

Progress goes line by line to whoever asked for it; a crash, a hang or a flood of output ends a
child, never this process, and the result is always a whole `Smoke`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from gpudoctor.compat.visible_devices import amd_order
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Gpu
from gpudoctor.model.finding import Finding
from gpudoctor.model.report import Smoke, SmokeDevice, SmokeTest, TestStatus
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import dataclass, field, replace
from gpudoctor.smoke import findings as prove_findings
from gpudoctor.smoke.measured_rates import slow
from gpudoctor.smoke.one_device import drive
from gpudoctor.smoke.training_advice import advise
from gpudoctor.smoke.worker_run import Order, Progress, Run, SmokeTarget, key

Level = Literal["quick", "full"]

_ASYNCHRONOUS = (
    "asynchronously reported",
    "device-side assert",
    "illegal memory access",
    "unspecified launch failure",
    "misaligned address",
)
_BLOCKING = {"cuda": ("CUDA_LAUNCH_BLOCKING", "1"), "hip": ("AMD_SERIALIZE_KERNEL", "3")}
"""What makes each kernel wait for its end, as torch's own messages name it."""
_REPEATED = 2
"""So many tests a device, at most, are repeated to name the operation that failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What the kernels said, and what follows from it."""

    smoke: Smoke
    findings: tuple[Finding, ...] = ()
    runs: tuple[Run, ...] = field(default_factory=tuple)
    """The raw record: one for each device, and one more for what concerns several at once."""

    @property
    def cut_short(self) -> tuple[Unknown, ...]:
        """What keeps the kernels from saying anything: the time allowed was over before a test."""
        if any(run.tests and _ran(run) for run in self.runs):
            return ()
        cut = (m for run in self.runs for m in run.mishaps if m.unfinished)
        return tuple(
            Unknown("smoke", f"{_BEFORE_TESTS[mishap.stage]} {mishap.what}", "kernel tests", "late")
            for mishap in cut
            if mishap.stage in _BEFORE_TESTS
        )[:1]


_BEFORE_TESTS = {"start": "the interpreter", "import": "import torch", "init": "waking the device"}


def _ran(run: Run) -> bool:
    return any(test.status != "skipped" for test in run.tests.values())


def prove(
    sheet: FactSheet,
    level: Level,
    deadline: float | None = None,
    *,
    only: Sequence[int] | None = None,
    cpu: bool = False,
    python: str | None = None,
    progress: Progress | None = None,
    refresh: Callable[[], FactSheet] | None = None,
    limits: Mapping[str, float] | None = None,
    tests: Sequence[str] = (),
) -> Proof:
    """Run the kernel tests on the usable GPUs of `sheet`, or on the CPU.

    Args:
        sheet: what is known of the machine; names the interpreter and the GPUs.
        level: `quick` takes seconds, `full` minutes.
        deadline: monotonic time at which everything ends; a test that runs then is `hung`,
            one that was not started `skipped`; an import that gets on and that it cuts short is no
            hang.
        only: indices (driver's order) of the GPUs to prove; `None`: all that are usable.
        cpu: prove the CPU instead, by the same code.
        python: the interpreter, where it is not the sheet's.
        progress: told each step, a line at a time.
        refresh: reads the machine again; asked once, if something failed and time is left.
        limits: seconds by stage or test, over those of the knowledge base.
        tests: keys (`matmul:float16`) of the tests to run; empty: all of the level.
    """
    interpreter = python or (sheet.facts.python.executable if sheet.facts.python else None)
    targets = _cpu() if cpu else targets_of(sheet, only)
    if interpreter is None or not targets:
        return Proof(smoke=Smoke(level=level))
    order = Order(
        python=interpreter,
        level=level,
        deadline=deadline,
        progress=progress,
        limits=limits or {},
        only=tuple(tests),
    )
    runs = _drive_all(order, targets)
    for run in runs:
        _repeat_blocking(order, run)
    if level == "full" and len(targets) > 1 and not cpu:
        together = _pairs(order, targets[0])
        for run in runs:
            run.notes.update(together.notes)
        runs.append(together)
    late = deadline is not None and time.monotonic() >= deadline
    if refresh is not None and not late and any(_failed(run) for run in runs):
        sheet = refresh()
    found = (*prove_findings.findings(runs, sheet), *slow(runs, sheet))
    devices = tuple(_device(run) for run in runs)
    smoke = Smoke(level=level, gpus=_joined(devices), advice=advise(runs, sheet))
    return Proof(smoke=smoke, findings=found, runs=tuple(runs))


def targets_of(sheet: FactSheet, only: Sequence[int] | None = None) -> list[SmokeTarget]:
    """The GPUs that the installed torch serves, by vendor, and that programs may see."""
    torch = sheet.facts.torch
    if torch is None:
        return []
    found: list[SmokeTarget] = []
    amd = [gpu for gpu in sheet.facts.gpus if gpu.vendor == "amd"]
    card = any(not gpu.integrated for gpu in amd if gpu.visible is not False)
    ordinals = iter(_hip_ordinals(amd, sheet.facts.environment))
    for position, gpu in enumerate(sheet.facts.gpus):
        index = position if gpu.index is None else gpu.index
        ordinal = next(ordinals) if gpu.vendor == "amd" else None
        if gpu.visible is False:
            continue
        if gpu.vendor == "nvidia" and torch.cuda is not None:
            ordinal = gpu.cuda_index
        elif gpu.vendor == "amd" and torch.hip is not None:
            # torch calls the device cuda. The graphics inside a processor have a number and are
            # not used beside a card.
            ordinal = None if card and gpu.integrated else ordinal
        else:
            ordinal = None
        if ordinal is not None and (only is None or index in only):
            label = f"GPU {index} ({gpu.name})" if gpu.name else f"GPU {index}"
            found.append(SmokeTarget(index=index, device=f"cuda:{ordinal}", label=label))
    return found


def _hip_ordinals(gpus: Sequence[Gpu], environ: Mapping[str, str]) -> list[int | None]:
    """HIP's number of each AMD GPU; the masks choose among them, and say the order."""
    order = amd_order(environ, [gpu.uuid for gpu in gpus])
    shown = [place for place, gpu in enumerate(gpus) if gpu.visible is not False]
    if sorted(order) != shown:  # the facts know more than the variables: they hide in their order
        order = shown
    return [order.index(place) if place in order else None for place in range(len(gpus))]


def _cpu() -> list[SmokeTarget]:
    return [SmokeTarget(index=None, device="cpu", label="the CPU")]


def _drive_all(order: Order, targets: Sequence[SmokeTarget]) -> list[Run]:
    """All devices at once for `quick`; one after the other where rates are measured."""
    if len(targets) == 1 or order.level != "quick":
        return [drive(order, target) for target in targets]
    stop = threading.Event()
    order = replace(order, stop=stop)
    results: dict[int, Run] = {}

    def work(number: int) -> None:
        results[number] = drive(order, targets[number])

    threads = [
        threading.Thread(target=work, args=(number,), daemon=True) for number in range(len(targets))
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:
        # Ctrl-C reaches this thread alone; the others end their children and themselves.
        stop.set()
        for thread in threads:
            thread.join()
        raise
    return [results.get(number, Run(target)) for number, target in enumerate(targets)]


def _repeat_blocking(order: Order, run: Run) -> None:
    """Run what may have failed asynchronously again, waiting for each kernel, to name it."""
    suspects = [
        name
        for name, test in run.tests.items()
        if test.status == "failed"
        and run.target.index is not None
        and any(words in (test.error or "") for words in _ASYNCHRONOUS)
    ]
    variable, value = _BLOCKING["hip" if run.torch.get("hip") else "cuda"]
    for name in suspects[:_REPEATED]:
        again = drive(
            replace(order, only=(name,), environment={variable: value}, progress=None),
            run.target,
        )
        test, operation = run.tests[name], again.operations.get(name)
        if operation is None:
            continue
        run.operations[name] = operation
        run.tests[name] = replace(
            test, error=f"{test.error}\nwith {variable}={value} it fails in: {operation}"
        )


def _pairs(order: Order, first: SmokeTarget) -> Run:
    """What concerns several GPUs at once: peer copies and NCCL."""
    several = SmokeTarget(index=first.index, device=first.device, label="all GPUs together")
    return drive(replace(order, level="pairs"), several)


def _failed(run: Run) -> bool:
    return bool(run.mishaps) or any(
        test.status not in ("passed", "skipped") for test in run.tests.values()
    )


def _device(run: Run) -> SmokeDevice:
    """One device's part of the report."""
    tests = [test for test in (_stage_as_test(run), *run.tests.values()) if test is not None]
    names = {key(name, dtype): position for position, (name, dtype) in enumerate(run.planned)}
    tests.sort(key=lambda test: names.get(key(test.name, test.dtype), -1))
    tail: tuple[str, ...] = ()
    if _failed(run):
        tail = next((mishap.stderr for mishap in run.mishaps if mishap.stderr), ())
    return SmokeDevice(
        index=run.target.index,
        status=_status(run, tests),
        signal=next((mishap.signal for mishap in run.mishaps if mishap.signal), None),
        tests=tuple(tests),
        rates={name: round(value, 3) for name, value in run.rates.items() if value is not None},
        output_tail=tail,
    )


_STAGES = {"start": "start-python", "import": "import-torch", "init": "wake-device"}


def _stage_as_test(run: Run) -> SmokeTest | None:
    """The stage before all tests that went wrong, in the words of a test."""
    for mishap in run.mishaps:
        if mishap.stage in _STAGES and mishap.test is None:
            status: TestStatus = "failed"
            if mishap.unfinished:
                status = "skipped"
            elif mishap.kind in ("crashed", "hung"):
                status = "crashed" if mishap.kind == "crashed" else "hung"
            return SmokeTest(
                name=_STAGES[mishap.stage],
                status=status,
                seconds=mishap.seconds,
                error=mishap.what,
            )
    return None


def _status(run: Run, tests: Sequence[SmokeTest]) -> TestStatus:
    """The gravest of all answers; `skipped` where no test got to run, or not all did."""
    found = {test.status for test in tests}
    for mishap in run.mishaps:
        if mishap.kind in ("crashed", "hung") and not mishap.unfinished:
            found.add("crashed" if mishap.kind == "crashed" else "hung")
    for status in ("crashed", "hung", "failed"):
        if status in found:
            return status
    return "passed" if run.complete and "passed" in found else "skipped"


def _joined(devices: Sequence[SmokeDevice]) -> tuple[SmokeDevice, ...]:
    """One entry a device: what concerns several GPUs goes to the first of them."""
    by_index: dict[int | None, SmokeDevice] = {}
    for device in devices:
        known = by_index.get(device.index)
        if known is None:
            by_index[device.index] = device
            continue
        grave = ("crashed", "hung", "failed", "skipped", "passed")
        by_index[device.index] = replace(
            known,
            status=min(known.status, device.status, key=grave.index),
            signal=known.signal or device.signal,
            tests=known.tests + device.tests,
            output_tail=known.output_tail or device.output_tail,
        )
    return tuple(by_index.values())

"""Drives the worker on one device: one child after another until every test has an answer.

A crash, a hang or a poisoned CUDA context costs its own child alone; the tests that are left go
on in a fresh one, which is told what is done already.
"""

from __future__ import annotations

import dataclasses
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from gpudoctor.kb import smoke as figures
from gpudoctor.model.report import SmokeTest, TestStatus

if TYPE_CHECKING:
    from gpudoctor.collect.child import Child, Ending

Progress = Callable[[str], None]
Stage = Literal["start", "import", "init", "test", "exit"]

WORKER = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "probe", "smoke_worker.py"
)

_FRUITLESS = 3
"""So many children in a row that got no test done end the run: the rest would fare no better."""
_LOOK_SECONDS = 0.25
_END_SECONDS = 5.0
"""A process that dies closes its channel first and its GPUs after that, which takes a while."""
_EXIT_STATUS_CHANNEL_LOST = 97  # probe/smoke_suite/channel.py


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A device to prove: `index` is the driver's (`None`: the CPU), `device` is torch's name."""

    index: int | None
    device: str
    label: str
    """How people know it: `GPU 0 (NVIDIA H200)`, `the CPU`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be run, by whom, and until when (`deadline`: monotonic clock)."""

    python: str
    level: Literal["quick", "full", "pairs"]
    deadline: float | None = None
    environment: Mapping[str, str] | None = None
    only: tuple[str, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    """Seconds by stage or test, over those of the knowledge base."""
    progress: Progress | None = None
    stop: threading.Event | None = None
    """Set from outside to end the run at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """A child that did not come to its end: where it was, and what it left."""

    stage: Stage
    kind: Literal["raised", "crashed", "hung", "not-started"]
    what: str
    """One sentence's predicate: `was ended by SIGSEGV`, or the error's text."""
    test: str | None = None
    signal: str | None = None
    seconds: float = 0.0
    stderr: tuple[str, ...] = ()
    stdout: tuple[str, ...] = ()
    at_deadline: bool = False
    """It hung only in the sense that the time allowed for all was over."""


@dataclass(slots=True)
class Run:
    """What is known of one device so far; `drive` returns it when nothing is left to do."""

    target: Target
    tests: dict[str, SmokeTest] = field(default_factory=dict)
    """By key (`matmul:float16`), in the order of the plan."""
    operations: dict[str, str] = field(default_factory=dict)
    """By key, the line of the test in which it failed."""
    wrong: set[str] = field(default_factory=set)
    """Keys of the tests that ran and whose numbers are wrong."""
    planned: list[tuple[str, str | None]] = field(default_factory=list)
    mishaps: list[Mishap] = field(default_factory=list)
    torch: dict[str, Any] = field(default_factory=dict)
    device: dict[str, Any] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    """What the import and waking the device cost, in the first child that got there."""
    complete: bool = False


def key(name: str, dtype: str | None) -> str:
    """How the plan names a test: `matmul:float16`."""
    return f"{name}:{dtype}" if dtype else name


def drive(order: Order, target: Target) -> Run:
    """Run all tests of a level on one device; never raises for what the child does."""
    if order.level != "full":
        return _drive(order, target)
    import tempfile

    # Compilers start from nothing and leave nothing: a cached kernel would prove no compiler.
    with tempfile.TemporaryDirectory(prefix="gpudoctor-", ignore_cleanup_errors=True) as scratch:
        caches = {
            "TORCHINDUCTOR_CACHE_DIR": os.path.join(scratch, "inductor"),
            "TRITON_CACHE_DIR": os.path.join(scratch, "triton"),
        }
        environment = {**caches, **(order.environment or {})}
        return _drive(dataclasses.replace(order, environment=environment), target)


def _drive(order: Order, target: Target) -> Run:
    run = Run(target)
    fruitless = 0
    while not run.complete and fruitless < _FRUITLESS and not _over(order):
        before = len(run.tests)
        if not _one_child(order, run):
            break
        fruitless = 0 if _passed_since(run, before) else fruitless + 1
    reason = _why_skipped(order, run, fruitless)
    for name, dtype in run.planned:
        run.tests.setdefault(
            key(name, dtype), SmokeTest(name=name, dtype=dtype, status="skipped", error=reason)
        )
    return run


def _passed_since(run: Run, before: int) -> bool:
    return any(test.status == "passed" for test in list(run.tests.values())[before:])


def _why_skipped(order: Order, run: Run, fruitless: int) -> str:
    if fruitless >= _FRUITLESS:
        return f"not started: {_FRUITLESS} processes in a row ended before they got a test done"
    if _over(order):
        return "not started: the time allowed was over"
    return "not started: " + (run.mishaps[-1].what if run.mishaps else "nothing answered")


def _over(order: Order) -> bool:
    if order.stop is not None and order.stop.is_set():
        return True
    return order.deadline is not None and time.monotonic() >= order.deadline


def _one_child(order: Order, run: Run) -> bool:
    """Run what is left in a fresh child; whether another child may go on after it."""
    from gpudoctor.collect.child import Child

    plan = {
        "device": run.target.device,
        "level": order.level,
        "seed": int.from_bytes(os.urandom(4), "little"),
        "tolerances": figures.tolerances(),
        "capabilities": figures.formats(),
        "done": list(run.tests),
        "only": list(order.only),
        "last": sorted({test.name for test in run.tests.values() if test.status == "crashed"}),
    }
    argv = [order.python, WORKER, "{channel}", json.dumps(plan)]
    try:
        child = Child.start(argv, env=_environment(order))
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or str(error)
        run.mishaps.append(
            Mishap(stage="start", kind="not-started", what=f"{order.python}: {what}")
        )
        return False
    with child:
        return _Watch(order, run, child).follow()


def _environment(order: Order) -> dict[str, str]:
    environment = dict(os.environ)
    environment.update(order.environment or {})
    return environment


class _Watch:
    """Follows one child's report, with a limit on each stage."""

    def __init__(self, order: Order, run: Run, child: Child) -> None:
        self._order = order
        self._run = run
        self._child = child
        self._stage: Stage = "start"
        self._test: tuple[str, str | None] | None = None
        self._since = time.monotonic()

    def follow(self) -> bool:
        """Read until the child's end; whether another child may go on after it."""
        from gpudoctor.collect.child import ChildEndedError

        while True:
            try:
                line = self._child.read(min(_LOOK_SECONDS, self._left()))
            except ChildEndedError:
                return self._ended()
            if line is not None:
                outcome = self._take(line)
                if outcome is not None:
                    return outcome
            elif self._left() <= 0 or (self._order.stop and self._order.stop.is_set()):
                return self._hung()

    def _limit(self) -> float:
        limits = {**figures.limits(), **self._order.limits}
        if self._stage != "test":
            return float(limits[self._stage])
        name = self._test[0] if self._test else ""
        own = float(limits.get(name, limits["test"]))
        if any(test.status == "passed" for test in self._run.tests.values()):
            return own
        return max(own, float(limits["first"]))

    def _left(self) -> float:
        left = self._since + self._limit() - time.monotonic()
        if self._order.deadline is not None:
            left = min(left, self._order.deadline - time.monotonic())
        return max(left, 0.0)

    def _enter(self, stage: Stage) -> None:
        self._stage = stage
        self._since = time.monotonic()

    def _take(self, line: str) -> bool | None:
        """Take in one event; a truth value ends the child."""
        try:
            event = json.loads(line)
            kind = event["event"]
        except (ValueError, KeyError, TypeError):
            return None  # not ours: something else wrote to the descriptor
        if kind == "stage":
            self._enter(event["name"])
            if event["name"] == "import":
                self._say("importing torch")
        elif kind == "torch":
            self._run.seconds.setdefault("import", event["seconds"])
            self._run.torch = {k: v for k, v in event.items() if k not in ("event", "seconds")}
        elif kind == "device":
            self._run.seconds.setdefault("init", event["seconds"])
            self._run.device = {k: v for k, v in event.items() if k not in ("event", "seconds")}
        elif kind == "tests":
            self._enter("test")
            if not self._run.planned:
                self._run.planned = [(name, dtype) for name, dtype in event["tests"]]
        elif kind == "start":
            self._test = (event["name"], event["dtype"])
            self._enter("test")
        elif kind == "result":
            self._result(event)
        elif kind == "rate":
            self._run.rates[event["name"]] = event["value"]
        elif kind == "note":
            self._run.notes[event["name"]] = event["value"]
        elif kind == "fatal":
            return self._fatal(event)
        elif kind == "poisoned":
            return True
        elif kind == "bye":
            return self._bye()
        return None

    def _result(self, event: Mapping[str, Any]) -> None:
        name, dtype = event["name"], event["dtype"]
        status: TestStatus = "failed" if event["status"] == "wrong" else event["status"]
        self._run.tests[key(name, dtype)] = SmokeTest(
            name=name,
            dtype=dtype,
            status=status,
            relative_error=event["relative_error"],
            tolerance=event["tolerance"],
            seconds=event["seconds"],
            error=event["error"],
        )
        if event["status"] == "wrong":
            self._run.wrong.add(key(name, dtype))
        if event.get("operation"):
            self._run.operations[key(name, dtype)] = event["operation"]
        self._test = None
        self._enter("test")
        self._say(f"{key(name, dtype)} {status} ({event['seconds']:.2f} s)")

    def _fatal(self, event: Mapping[str, Any]) -> bool:
        self._stage = event["stage"]
        self._child.wait(_LOOK_SECONDS)
        self._mishap("raised", event["error"])
        return False

    def _bye(self) -> bool:
        """All tests have answered: now the process must end, and end well."""
        self._run.complete = True
        self._enter("exit")
        self._test = None
        if not self._child.wait(self._left()):
            # Cut short by the deadline proves nothing: interpreters need a moment to end.
            return False if _over(self._order) else self._hung()
        ending = self._child.end()
        if ending.status != 0:
            self._mishap("crashed", ending.text, ending)
        return False

    def _ended(self) -> bool:
        """It ended, or closed the channel, in the middle of something."""
        self._child.wait(_END_SECONDS)
        ending = self._child.end(terminate_seconds=_LOOK_SECONDS)
        if ending.ended_by_us or ending.status == _EXIT_STATUS_CHANNEL_LOST:
            what = "closed the descriptor over which the worker reports"
        else:
            what = ending.text
        self._mishap("crashed", what, ending)
        return self._after("crashed", what)

    def _hung(self) -> bool:
        at_deadline = _over(self._order)
        seconds = time.monotonic() - self._since
        ending = self._child.end()
        what = f"did not come back within {seconds:.3g} s"
        if at_deadline:
            what = f"had not come back after {seconds:.3g} s, when the time allowed was over"
        if ending.status is None:
            what += f"; process {self._child.pid} {ending.text}"
        self._mishap("hung", what, seconds=seconds, at_deadline=at_deadline)
        return self._after("hung", what)

    def _after(self, status: TestStatus, what: str) -> bool:
        """Name the test that was running; whether a fresh child may go on."""
        if self._stage != "test":
            return False
        if self._test is None:
            return True  # between two tests: what is done is done, the rest may go on
        name, dtype = self._test
        self._run.tests[key(name, dtype)] = SmokeTest(
            name=name,
            dtype=dtype,
            status=status,
            seconds=time.monotonic() - self._since,
            error=f"the process {what}",
        )
        self._say(f"{key(name, dtype)} {status}: the process {what}")
        if status == "hung":
            self._skip_siblings(name)
        return True

    def _skip_siblings(self, hung: str) -> None:
        """Leave out the other dtypes of a test that hung: each could take as long again."""
        for name, dtype in self._run.planned:
            if name == hung and key(name, dtype) not in self._run.tests:
                self._run.tests[key(name, dtype)] = SmokeTest(
                    name=name,
                    dtype=dtype,
                    status="skipped",
                    error=f"not started: {name} had hung before",
                )

    def _mishap(
        self,
        kind: Literal["raised", "crashed", "hung"],
        what: str,
        ending: Ending | None = None,
        *,
        seconds: float | None = None,
        at_deadline: bool = False,
    ) -> None:
        unwanted = ending is None or ending.ended_by_us
        self._run.mishaps.append(
            Mishap(
                stage=self._stage,
                kind=kind,
                what=what,
                test=key(*self._test) if self._test else None,
                signal=None if unwanted or ending is None else ending.signal,
                seconds=time.monotonic() - self._since if seconds is None else seconds,
                stderr=self._child.tail("stderr"),
                stdout=self._child.tail("stdout"),
                at_deadline=at_deadline,
            )
        )

    def _say(self, text: str) -> None:
        if self._order.progress is not None:
            self._order.progress(f"{self._run.target.label}: {text}")

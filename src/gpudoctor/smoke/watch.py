"""Follows one child of the proof: takes in what it reports, and names how it ended.

Each stage (starting, importing torch, waking the device, each test, ending) has a limit of its
own from the knowledge base, and all of them together a deadline.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from gpudoctor.collect.process.progress import gets_on
from gpudoctor.collect.process.watched import ChildEndedError
from gpudoctor.kb import smoke_figures as figures
from gpudoctor.model.report import SmokeTest, TestStatus
from gpudoctor.smoke.worker_run import Mishap, Order, Run, Stage, key, over

if TYPE_CHECKING:
    from gpudoctor.collect.process.watched import Ending, WatchedChild

_LOOK_SECONDS = 0.25
_END_SECONDS = 5.0
_BEFORE_TESTS = ("start", "import", "init")
"""A process that dies closes its channel first and its GPUs after that, which takes a while."""
_EXIT_STATUS_CHANNEL_LOST = 97  # probe/smoke_suite/channel.py


class Watch:
    """Follows one child's report, with a limit on each stage."""

    def __init__(self, order: Order, run: Run, child: WatchedChild) -> None:
        self._order = order
        self._run = run
        self._child = child
        self._stage: Stage = "start"
        self._test: tuple[str, str | None] | None = None
        self._since = time.monotonic()

    def follow(self) -> bool:
        """Read until the child's end; whether another child may go on after it."""
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
            return False if over(self._order) else self._hung()
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
        at_deadline = over(self._order)
        seconds = time.monotonic() - self._since
        unfinished = at_deadline and self._stage in _BEFORE_TESTS and gets_on(self._child.pid)
        ending = self._child.end()
        what = f"did not come back within {seconds:.3g} s"
        if at_deadline:
            what = f"had not come back after {seconds:.3g} s, when the time allowed was over"
        if ending.status is None:
            what += f"; process {self._child.pid} {ending.text}"
        self._mishap("hung", what, seconds=seconds, at_deadline=at_deadline, unfinished=unfinished)
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
        unfinished: bool = False,
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
                unfinished=unfinished,
            )
        )

    def _say(self, text: str) -> None:
        if self._order.progress is not None:
            self._order.progress(f"{self._run.target.label}: {text}")

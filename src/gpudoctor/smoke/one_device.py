"""Drives the worker on one device: one child after another until every test has an answer.

A crash, a hang or a poisoned CUDA context costs its own child alone; the tests that are left go
on in a fresh one, which is told what is done already.
"""

from __future__ import annotations

import json
import os
import tempfile

from gpudoctor.collect.process import own_program
from gpudoctor.collect.process.watched import WatchedChild
from gpudoctor.kb import smoke_figures as figures
from gpudoctor.model.report import SmokeTest
from gpudoctor.model.value import replace
from gpudoctor.smoke.watch import Watch
from gpudoctor.smoke.worker_run import Mishap, Order, Run, SmokeTarget, key, over

WORKER = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "probe", "smoke_worker.py"
)

_FRUITLESS = 3
"""So many children in a row that got no test done end the run: the rest would fare no better."""


def drive(order: Order, target: SmokeTarget) -> Run:
    """Run all tests of a level on one device; never raises for what the child does."""
    if order.level != "full":
        return _drive(order, target)

    # Compilers start from nothing and leave nothing: a cached kernel would prove no compiler.
    with tempfile.TemporaryDirectory(prefix="gpudoctor-", ignore_cleanup_errors=True) as scratch:
        caches = {
            "TORCHINDUCTOR_CACHE_DIR": os.path.join(scratch, "inductor"),
            "TRITON_CACHE_DIR": os.path.join(scratch, "triton"),
        }
        environment = {**caches, **(order.environment or {})}
        return _drive(replace(order, environment=environment), target)


def _drive(order: Order, target: SmokeTarget) -> Run:
    run = Run(target)
    fruitless = 0
    while not run.complete and fruitless < _FRUITLESS and not over(order):
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
    if over(order):
        return "not started: the time allowed was over"
    return "not started: " + (run.mishaps[-1].what if run.mishaps else "nothing answered")


def _one_child(order: Order, run: Run) -> bool:
    """Run what is left in a fresh child; whether another child may go on after it."""
    plan = {
        "device": run.target.device,
        "level": order.level,
        "seed": int.from_bytes(os.urandom(4), "little"),
        "tolerances": figures.tolerances(),
        "capabilities": figures.formats(),
        "float8_types": figures.float8_types(),
        "done": list(run.tests),
        "only": list(order.only),
        "last": sorted({test.name for test in run.tests.values() if test.status == "crashed"}),
    }
    argv = [order.python, *own_program.arguments(WORKER), "{channel}", json.dumps(plan)]
    try:
        child = WatchedChild.start(argv, env=_environment(order))
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or str(error)
        run.mishaps.append(
            Mishap(stage="start", kind="not-started", what=f"{order.python}: {what}")
        )
        return False
    with child:
        return Watch(order, run, child).follow()


def _environment(order: Order) -> dict[str, str]:
    environment = dict(os.environ)
    environment.update(order.environment or {})
    return environment

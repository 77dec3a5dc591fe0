"""What a run of the worker is asked, and what is known of it: plain values."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from gpudoctor.model.report import SmokeTest
from gpudoctor.model.value import dataclass, field

Progress = Callable[[str], None]
Stage = Literal["start", "import", "init", "test", "exit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeTarget:
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
    unfinished: bool = False
    """It still got on at that moment: what had not come to a test by then is slow, and no hang."""


@dataclass(slots=True)
class Run:
    """What is known of one device so far; `drive` returns it when nothing is left to do."""

    target: SmokeTarget
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


def over(order: Order) -> bool:
    """Whether the time allowed is over, or somebody asked for the end."""
    if order.stop is not None and order.stop.is_set():
        return True
    return order.deadline is not None and time.monotonic() >= order.deadline

"""What a collector of several parts writes down: facts, what is unknown, sources, timings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from gpudoctor.collect.fragment import Fragment
from gpudoctor.errors import GpuDoctorError
from gpudoctor.model.fact import Unknown

T = TypeVar("T")


class Notebook:
    """The facts of one reading as they come in."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}
        self.unknown: list[Unknown] = []
        self.sources: dict[str, str] = {}
        self.timings: dict[str, float] = {}

    def put(self, fact: str, value: object, source: str) -> None:
        """Write down a fact and where it was read."""
        self.values[fact] = value
        self.sources[fact] = source

    def timed(self, name: str, facts: Iterable[str], part: Callable[[], T]) -> T | None:
        """Run one part; if it fails, its facts are unknown and `None` is returned.

        Raises:
            GpuDoctorError: the part refused its input.
        """
        started = time.perf_counter()
        try:
            return part()
        except GpuDoctorError:
            raise
        except Exception as error:  # one part that fails must not end the visit
            what = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            for fact in facts:
                self.unknown.append(Unknown(fact, f"it could not be read ({what})", name))
            return None
        finally:
            self.timings[name] = (time.perf_counter() - started) * 1e3

    def miss(self, parent: str, reasons: Mapping[str, str], source: str) -> None:
        """Write down what could not be had: fields of `parent` (empty: of the facts) → reason."""
        known = {entry.fact for entry in self.unknown}
        for field, reason in reasons.items():
            fact = f"{parent}.{field}" if parent else field
            if fact not in known:
                self.unknown.append(Unknown(fact, reason, source))

    def is_missed(self, fact: str) -> bool:
        """Whether the fact as a whole is unknown."""
        return any(entry.fact == fact for entry in self.unknown)

    def fragment(self) -> Fragment:
        """All of it."""
        return Fragment(self.values, tuple(self.unknown), self.sources, self.timings)

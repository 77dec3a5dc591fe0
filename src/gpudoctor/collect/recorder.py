"""What the collectors write down: facts, what is unknown and why, sources, timings.

One recorder a thread; `merge` makes the fact sheet of all of them. `part` is the only guard
around a collector: what fails leaves its facts unknown and the rest standing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from gpudoctor.collect.long_paths import ordinary_text
from gpudoctor.collect.reason import Reason
from gpudoctor.errors import GpuDoctorError
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Facts
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.inner_texts import with_texts
from gpudoctor.model.value import replace

T = TypeVar("T")


class Recorder:
    """The facts of one reading as they come in."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}
        """Fields of `Facts`."""
        self.unknown: dict[str, Unknown] = {}
        """What could not be had, by its full path (`torch.sass`)."""
        self.sources: dict[str, str] = {}
        self.timings: dict[str, float] = {}
        """Part → milliseconds."""
        self.problems: dict[str, Reason] = {}
        """Part → why it gave nothing."""

    def put(self, fact: str, value: object, source: str) -> None:
        """Write down a fact and where it was read."""
        self.values[fact] = value
        self.sources[fact] = source

    def miss(self, parent: str, reasons: Mapping[str, Reason], source: str) -> None:
        """Write down what could not be had: fields of `parent` (empty: of the facts) → reason.

        What was said first of a fact counts.
        """
        for field, reason in reasons.items():
            fact = f"{parent}.{field}" if parent else field
            self.unknown.setdefault(fact, reason.unknown(fact, source))

    def add(self, entries: Iterable[Unknown]) -> None:
        """Write down what others found to be unknown."""
        for entry in entries:
            self.unknown.setdefault(entry.fact, entry)

    def part(self, name: str, facts: Iterable[str], read: Callable[[], T]) -> T | None:
        """What `read` gives; if it fails, its facts are unknown and `None` is returned.

        Raises:
            GpuDoctorError: the part refused its input.
        """
        started = time.perf_counter()
        try:
            return read()
        except GpuDoctorError:
            raise
        except Exception as error:  # a collector's mistake must not take the others with it
            self.problems[name] = reason = Reason.of_error(error)
            self.miss("", dict.fromkeys(facts, reason), name)
            return None
        finally:
            self.timings[name] = (time.perf_counter() - started) * 1e3


def merge(recorders: Iterable[Recorder]) -> FactSheet:
    """One fact sheet of all; where two give the same field, the later one counts."""
    values: dict[str, object] = {}
    unknown: dict[str, Unknown] = {}
    sources: dict[str, str] = {}
    timings: dict[str, float] = {}
    for each in recorders:
        values |= each.values
        for fact, entry in list(each.unknown.items()):  # a late thread may still write
            unknown.setdefault(fact, entry)
        sources |= each.sources
        timings |= each.timings
    facts = replace(Facts(), **values)  # type: ignore[arg-type]  # names are checked by replace
    return _as_people_write(FactSheet(facts, tuple(unknown.values()), sources, timings))


def _as_people_write(sheet: FactSheet) -> FactSheet:
    """No path in the form in which only Windows' own functions take it."""
    if os.name != "nt":
        return sheet
    told = [*sheet.sources.values(), *(each.reason for each in sheet.unknown)]
    if all(ordinary_text(text) == text for text in told):
        return sheet
    return FactSheet(
        with_texts(sheet.facts, ordinary_text),
        with_texts(sheet.unknown, ordinary_text),
        {path: ordinary_text(source) for path, source in sheet.sources.items()},
        sheet.timings_ms,
    )

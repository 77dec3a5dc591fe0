"""The three answers that looking for a fact can have: known, absent, unknown."""

from __future__ import annotations

from typing import Generic, TypeVar

from gpudoctor.model.value import dataclass

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """A fact that was read, and where."""

    value: T
    source: str = ""


@dataclass(frozen=True, slots=True)
class Absent:
    """The place was read and the thing is not there: no container, no torch."""

    source: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that could not be had: nothing may be judged from it."""

    fact: str
    reason: str
    source: str = ""


Fact = Known[T] | Absent | Unknown

"""The three answers that looking for a fact can have: known, absent, unknown."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

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


UnknownKind = Literal["failed", "late", "denied", "damaged", "not-asked", "not-stated", "removed"]
"""Why a fact is unknown, for programs; the reason says it to people.

`failed`: who reads it failed or met something unforeseen; `late`: it was not finished in time;
`denied`: it is there, and this user may not read it; `damaged`: it is there and is not whole;
`not-asked`: nobody was asked, or whoever was asked does not say it; `not-stated`: what was given
(a sheet, a text, a request) does not say it; `removed`: it was known and taken out as private.
"""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that could not be had: nothing may be judged from it.

    `reason` is a sentence for people and nothing else: programs and rules go by `kind`.
    """

    fact: str
    reason: str
    source: str = ""
    kind: UnknownKind = "failed"


Fact = Known[T] | Absent | Unknown

"""What comes after a finding of triage: how its line is found, what tells it from look-alikes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from gpudoctor.kb._data import load
from gpudoctor.kb.rows import made
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """What follows one finding (a row of configs/follow_ups.yaml)."""

    program: bool = False
    """A fault of the program, which no installation cures."""
    asynchronous: bool = False
    """The traceback may end at a later line than the one that caused it."""
    on_cpu_too: bool = False
    """An operation on the CPU raises it as well, which leaves the process sound."""
    find: str | None = None
    """How the line at fault is found."""
    look: tuple[str, ...] = ()
    """What to look at, where the catalogue's own looks do not serve."""
    title: str | None = None
    """What it is called, where the catalogue's meaning is no title."""


_NOTHING = FollowUp()


@cache
def _by_name() -> Mapping[str, FollowUp]:
    return {row["name"]: made(FollowUp, row) for row in load("follow_ups")["follow_ups"]}


def follow_up(name: str) -> FollowUp:
    """What follows the finding of that name; an empty one where the table has nothing."""
    return _by_name().get(name, _NOTHING)


@cache
def hides_gpus() -> Mapping[str, str]:
    """Environment variables that hide every GPU from a program and tell it so."""
    return {row["variable"]: row["value"] for row in load("follow_ups")["hides_gpus"]}

"""Programs that bring a Python of their own, known by their files."""

from __future__ import annotations

from functools import cache

from gpudoctor.kb._data import load
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Program:
    """A program that brings its Python, known by its files."""

    name: str
    interpreter: tuple[str, ...]
    """Where its environment may lie, from its own folder on, with `/`."""
    marks: tuple[tuple[str, ...], ...]
    """Files of which all are there; each entry names one place or several to choose from."""
    starters: tuple[str, ...] = ()
    """Scripts beside it that a double-click starts."""
    sets: str | None = None
    """The variable by which a starter chooses another environment, where it does so."""


@cache
def programs() -> tuple[Program, ...]:
    """All programs; the first whose marks are there is meant."""
    return tuple(
        Program(
            row["name"],
            tuple(row["interpreter"]),
            tuple(tuple(mark.split("|")) for mark in row["marks"]),
            tuple(row.get("starters", ())),
            row.get("sets"),
        )
        for row in load("portable")["programs"]
    )

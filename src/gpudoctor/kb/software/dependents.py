"""Packages that bring torch themselves, and which torch they ask for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from gpudoctor.kb._data import load
from gpudoctor.kb.rows import Slug, Version, made
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Dependent:
    """One package whose metadata require torch."""

    package: Slug
    version: Version
    """The release whose metadata were read, the newest of their day."""
    torch: str
    """What it asks for: `>=2.8.0,<3`."""
    always: bool
    """Whether every release so far left the newest torch open."""
    extras: tuple[str, ...] = ()
    """The extras that bring torch; empty: the package itself does."""


@cache
def dependents() -> Mapping[str, Dependent]:
    """All of them, by name."""
    return {row["package"]: made(Dependent, row) for row in load("dependents")["dependents"]}

"""Environment variables that change the outcome, and the distributions worth listing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

from gpudoctor.kb._data import load
from gpudoctor.kb.rows import made
from gpudoctor.model.value import dataclass

Kind = Literal["text", "path", "paths", "url"]
Role = Literal["scheduler", "ci"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One environment variable."""

    name: str
    why: str
    kind: Kind = "text"
    """`url`: it may carry credentials, which are taken out on reading."""
    role: Role | None = None
    """What it is a sign of: a cluster's scheduler, a job of a CI service."""
    slows: str | None = None
    """What it does where it is switched on and slows a program down without breaking it."""
    sources: tuple[str, ...] = ()


@cache
def variables() -> tuple[Variable, ...]:
    """All variables that are read, in the order of the table."""
    return tuple(made(Variable, row) for row in load("environment")["variables"])


@cache
def variables_with(role: str) -> tuple[str, ...]:
    """Names of the variables with a role, in the order of the table."""
    return tuple(item.name for item in variables() if item.role == role)


@cache
def slowing_switches() -> Mapping[str, str]:
    """The switches that slow a program down, and what each does."""
    return {item.name: item.slows for item in variables() if item.slows}


@cache
def distributions() -> frozenset[str]:
    """Normalised names of the distributions that are listed whenever they are installed."""
    return frozenset(name for row in load("environment")["distributions"] for name in row["names"])


@cache
def conda_packages() -> frozenset[str]:
    """Names of the conda packages that are listed whenever they are installed."""
    return frozenset(name for row in load("environment")["conda"] for name in row["names"])

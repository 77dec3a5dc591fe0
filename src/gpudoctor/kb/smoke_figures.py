"""Figures of the smoke test: tolerances, limits, sheets' rates, texts of failures."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from gpudoctor.kb._data import load
from gpudoctor.kb.rows import Slug, made
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureCause:
    """What a text in a failure says of its cause."""

    name: Slug
    """Of the finding in the catalogue."""
    texts: tuple[str, ...]
    """In lower case; any of them, anywhere in the failure's text."""
    confirm: Slug | None = None
    """The fact that must agree: `compute-mode`, `memory`, `architectures`, `gfx`, `mig`,
    `cannot-open`."""


@cache
def tolerances() -> Mapping[str, Mapping[str, float]]:
    """Relative error that a result may have: operation → format → limit."""
    return {row["operation"]: row["relative"] for row in load("smoke")["tolerances"]}


@cache
def first_capability(format_: str) -> tuple[int, int]:
    """The compute capability from which NVIDIA hardware has a format or feature.

    Raises:
        KeyError: no such format; a mistake in the caller.
    """
    major, minor = formats()[format_].split(".")
    return int(major), int(minor)


@cache
def formats() -> Mapping[str, str]:
    """Format or feature → first compute capability, `8.0`."""
    return {row["format"]: row["capability"] for row in load("smoke")["formats"]}


@cache
def float8_types() -> Mapping[str, str]:
    """AMD's GPUs that multiply float8 numbers: gfx → the name of torch's type."""
    return {gfx: row["type"] for row in load("smoke")["float8_types"] for gfx in row["gfx"]}


@cache
def limits() -> Mapping[str, int]:
    """Seconds a stage (`start`, `import`, `init`, `first`, `test`, `exit`) or a test may take."""
    return {row["stage"]: row["seconds"] for row in load("smoke")["limits"]}


@cache
def sheet_rates(gpu_name: str) -> Mapping[str, float]:
    """What the sheet of a GPU promises: `memory` in GB/s, formats in TFLOP/s, dense.

    Empty where the knowledge base has no sheet under the name that the driver gives.
    """
    bare = gpu_name.strip().removeprefix("NVIDIA ").casefold()
    for row in load("smoke")["sheets"]:
        if bare in (name.casefold() for name in row["names"]):
            rates: Mapping[str, float] = row["rates"]
            return rates
    return {}


def link_gb_per_s(generation: int, width: int) -> float | None:
    """GB/s in one direction of a PCI Express link; `None` for a generation that nobody knows."""
    for row in load("smoke")["links"]:
        if row["generation"] == generation:
            return float(row["mb_per_s"]) * width / 1000
    return None


@cache
def causes() -> tuple[FailureCause, ...]:
    """What texts of failures mean, the more specific first."""
    return tuple(made(FailureCause, row) for row in load("smoke")["causes"])


@cache
def figure(key: str) -> int:
    """A figure that advice rests on; raises `KeyError` for one that is not there."""
    return {row["key"]: int(row["value"]) for row in load("smoke")["advice"]}[key]

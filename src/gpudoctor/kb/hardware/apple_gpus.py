"""Apple's GPUs: on which macOS a release of torch uses them."""

from __future__ import annotations

from functools import cache

from gpudoctor.kb._data import load
from gpudoctor.model.terms.version import numbers


@cache
def mps_floor(torch: str) -> str | None:
    """The oldest macOS on which a release uses the GPU, `14.0`; `None`: not known."""
    wanted = numbers(torch)[:3]
    found = [row for row in load("apple")["mps_floors"] if numbers(row["since"]) <= wanted]
    return str(found[-1]["macos"]) if found else None


@cache
def mps_serves(torch: str, macos: str | None) -> bool:
    """Whether a release uses the GPU under a macOS, as far as is known."""
    floor = mps_floor(torch)
    return macos is None or floor is None or numbers(macos)[:2] >= numbers(floor)[:2]

"""Intel GPUs that the XPU builds of torch serve."""

from __future__ import annotations

import re
from functools import cache

from gpudoctor.kb._data import load
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """A family of Intel GPUs."""

    family: str
    targets: tuple[str, ...]
    """Names of the targets compiled ahead of time for it: `bmg`."""
    names: tuple[str, ...]
    since: str | None
    """Torch release that first served it."""
    documented: bool
    note: str | None = None


@cache
def families() -> tuple[Family, ...]:
    """All families that are known."""
    return tuple(
        Family(
            family=row["family"],
            targets=tuple(row["targets"]),
            names=tuple(row["names"]),
            since=row["since"],
            documented=row["documented"],
            note=row.get("note"),
        )
        for row in load("intel")["families"]
    )


def _plain(text: str) -> str:
    cleaned = re.sub(r"\((?:r|tm)\)", " ", text.lower())
    return f" {' '.join(word for word in re.split(r'[^a-z0-9]+', cleaned) if word)} "


def match(text: str) -> Family | None:
    """The family of a GPU as the system names it: `Intel(R) Arc(TM) A770 Graphics`."""
    wanted = _plain(text)
    for family in families():
        for name in family.names:
            if _plain(name) in wanted:
                return family
    target = _targets_by_name().get(wanted.removeprefix(" intel"))
    return next((family for family in families() if target in family.targets), None)


@cache
def _targets_by_name() -> dict[str, str]:
    """The names of the PCI table that stand for one target alone: `Intel Arc Graphics`."""
    found: dict[str, set[str]] = {}
    for name, target in load("intel")["pci"].values():
        found.setdefault(_plain(name).removeprefix(" intel"), set()).add(target)
    return {name: next(iter(targets)) for name, targets in found.items() if len(targets) == 1}


def by_pci(device: str) -> tuple[str, str] | None:
    """Name and target of a PCI device id of vendor 8086: `56a0`; `None` if not known."""
    key = device.strip().lower().removeprefix("8086:").removeprefix("0x")
    row = load("intel")["pci"].get(key)
    return None if row is None else (str(row[0]), str(row[1]))

"""What was read out of torch wheels: the code of each library, and what it corrected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from gpudoctor.kb._data import load
from gpudoctor.model.facts import CodeGroup, Library

if TYPE_CHECKING:
    from gpudoctor.kb.software.torch_releases import Build


def libraries(build: Build) -> tuple[Library, ...] | None:
    """The device code of each library in a build, as read out of its wheel.

    `None` where that wheel was not read; paths are relative to site-packages.
    """
    rows = load("torch_binaries").get(f"{build.torch}/{build.variant}/{build.platform}")
    if rows is None:
        return None
    return tuple(
        Library(
            path=row["path"],
            distribution="torch",
            fatbins=row["fatbins"],
            sass=_counts(row.get("groups", ()), "sass"),
            ptx=_counts(row.get("groups", ()), "ptx"),
            groups=_groups(row.get("groups", ())),
            relocatable=_groups(row.get("relocatable", ())),
        )
        for row in rows
    )


def _groups(rows: Iterable[Mapping[str, Any]]) -> tuple[CodeGroup, ...]:
    return tuple(
        CodeGroup(
            sass=tuple(row.get("sass", ())),
            ptx=tuple(row.get("ptx", ())),
            count=row["count"],
            ptx_isa=row.get("ptx_isa"),
            relinkable=row.get("relinkable", False),
        )
        for row in rows
    )


def _counts(rows: Iterable[Mapping[str, Any]], kind: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        for architecture in row.get(kind, ()):
            counts[architecture] = counts.get(architecture, 0) + row["count"]
    return counts


class Disagreement(NamedTuple):
    """Where a wheel that was read and the table said different things; the wheel won."""

    torch: str
    variant: str
    platform: str
    table: tuple[str, ...] = ()
    binary: tuple[str, ...] = ()


def disagreements() -> tuple[Disagreement, ...]:
    """What reading wheels has corrected in the table (configs/torch_binaries.yaml)."""
    return tuple(
        Disagreement(
            torch=row["torch"],
            variant=row["variant"],
            platform=row["platform"],
            table=tuple(row["table"]),
            binary=tuple(row["binary"]),
        )
        for row in load("torch_builds")["disagreements"]
    )

"""The tables of this layer: driver steps, Jetson indexes, what a source build needs.

Source: configs/driver_steps.yaml, compiled into the knowledge base; each row names its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from gpudoctor.kb._data import load
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverSteps:
    """How a driver is installed on one family of systems; `{branch}` stands for the branch."""

    id: str
    name: str
    ids: tuple[str, ...]
    """`ID` values of /etc/os-release that belong to it."""
    open: tuple[str, ...] = ()
    """Commands for the open kernel module."""
    proprietary: tuple[str, ...] = ()
    text: str | None = None
    """What to do, where it is no command: Windows, WSL, containers."""
    text_exact: str | None = None
    """The same where newer branches no longer know the GPU."""
    note: str | None = None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JetsonIndex:
    """An index with torch for one JetPack and one Jetson GPU."""

    jetpack: str
    l4t: str
    """First number of the Jetson Linux release: `36`."""
    capability: str
    index_url: str | None
    """An index that pip reads; `None` where NVIDIA has files alone."""
    python: tuple[str, ...]
    cuda: str
    wheel: str | None
    """The URL of the one file to install, where there is no index."""
    beside: str | None
    """What has to be known beside that file, as a sentence."""
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceBuild:
    """What building torch takes."""

    memory_bytes_per_job: int
    disk_bytes: int
    cmake_min: str
    source: str


def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = load("driver_steps")
    return table


@cache
def driver_families() -> tuple[DriverSteps, ...]:
    """All families of systems; the one for any other Linux has no ids."""
    return tuple(
        DriverSteps(
            id=row["id"],
            name=row["name"],
            ids=tuple(row["ids"]),
            open=tuple(row.get("open", ())),
            proprietary=tuple(row.get("proprietary", ())),
            text=row.get("text"),
            text_exact=row.get("text_exact"),
            note=row.get("note"),
            source=", ".join(row["sources"]),
        )
        for row in _table()["families"]
    )


def recommended_branch() -> int:
    """The driver branch to reach where nothing asks for another: the long-term one."""
    return int(_table()["recommended"][0]["branch"])


@cache
def jetson_indexes() -> tuple[JetsonIndex, ...]:
    """The indexes for Jetson boards."""
    return tuple(
        JetsonIndex(
            jetpack=row["jetpack"],
            l4t=row["l4t"],
            capability=row["capability"],
            index_url=row.get("index_url"),
            wheel=row.get("wheel"),
            beside=row.get("beside"),
            python=tuple(row["python"]),
            cuda=row["cuda"],
            source=", ".join(row["sources"]),
        )
        for row in _table()["jetson_indexes"]
    )


@cache
def source_build() -> SourceBuild:
    """What a source build needs."""
    row = _table()["source_build"][0]
    return SourceBuild(
        memory_bytes_per_job=row["memory_bytes_per_job"],
        disk_bytes=row["disk_bytes"],
        cmake_min=row["cmake_min"],
        source=", ".join(row["sources"]),
    )


def table_date() -> str:
    """The day on which the driver steps were last read from their sources."""
    return str(_table()["date"])


def amd_index(platform: str | None) -> str | None:
    """AMD's own stable index of wheels (configs/amd.yaml); `None`: it has none for the platform."""
    row = load("amd")["indexes"][0]
    return str(row["url"]) if platform in row["platforms"] else None

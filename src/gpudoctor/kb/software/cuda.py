"""CUDA toolkits, driver floors and branches, PTX ISA versions, error codes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from gpudoctor.kb._data import load
from gpudoctor.kb.hardware import nvidia_gpus as gpus
from gpudoctor.kb.rows import Date, Version, made, written_as
from gpudoctor.model.terms.version import numbers
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True)
class ToolkitRelease:
    """A CUDA toolkit: what its compiler targets and which drivers belong to it."""

    version: str
    """`12.8`"""
    branch: int
    """Driver branch that belongs to it: 570."""
    sm: tuple[str, ...]
    """Targets of its compiler, `sm_120`, `sm_90a` …"""
    drivers_linux: tuple[str, ...] = ()
    """Linux driver of the general release and of each update, in order."""
    drivers_windows: tuple[str, ...] = ()
    note: str | None = None


@written_as(number="branch")
@dataclass(frozen=True, slots=True)
class Branch:
    """A driver branch: 570 for 570.172.08."""

    number: int
    cuda: Version | None
    """Newest CUDA that it serves in full."""
    designation: str | None = None
    """`LTS`, `Production`, `New Feature`."""
    end: Date | None = None
    """Month of its end of life, `2028-06`."""
    last_for: tuple[str, ...] = ()
    """Architectures that it is the last to serve."""
    note: str | None = None


@dataclass(frozen=True, slots=True)
class CudaError:
    """A CUresult of the driver; the runtime uses the same numbers from 34 on."""

    code: int
    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class HostCompilers:
    """Newest host compilers that a toolkit's nvcc accepts."""

    cuda: Version
    gcc: int
    """Major version."""
    clang: int
    """Major version."""
    msc_min: int
    """Lowest `_MSC_VER` of Visual C++ that it accepts: 1910 is Visual Studio 2017."""
    msc: int
    """Highest `_MSC_VER`: 1949 ends Visual Studio 2022, 1950 begins 2026."""


def _rows(table: str) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = load("cuda")[table]
    return rows


@cache
def toolkits() -> tuple[ToolkitRelease, ...]:
    """All toolkits, oldest first."""
    return tuple(
        ToolkitRelease(
            version=row["version"],
            branch=row["branch"],
            sm=tuple(f"sm_{number}" for number in row["sm"]),
            drivers_linux=tuple(d["linux"] for d in row["drivers"] if d["linux"]),
            drivers_windows=tuple(d["windows"] for d in row["drivers"] if d["windows"]),
            note=row.get("note"),
        )
        for row in _rows("toolkits")
    )


@cache
def toolkit(version: str) -> ToolkitRelease | None:
    """The toolkit `12.8`; a patch release (`12.8.93`) is that of its minor version."""
    wanted = numbers(version)[:2]
    return next((kit for kit in toolkits() if numbers(kit.version) == wanted), None)


def newest() -> str:
    """Version of the newest toolkit known."""
    return toolkits()[-1].version


def toolkits_for(capability: str) -> tuple[str, str | None] | None:
    """First and last toolkit that compile for `12.0`; last `None`: it goes on."""
    for row in _rows("architectures"):
        if row["sm"] == capability.replace(".", ""):
            return row["first"], row["last"]
    return None


def floor(cuda_major: int, os: str) -> str | None:
    """Lowest driver that runs programs of CUDA `cuda_major`.x; `None` if not known.

    `os` is `linux`, `windows` or `wsl`, which counts by the Windows driver's number.
    Source: NVIDIA, CUDA minor-version compatibility.
    """
    for row in _rows("majors"):
        if row["cuda"] == cuda_major:
            value: str | None = row.get(os)
            return value
    return None


@cache
def branches() -> tuple[Branch, ...]:
    """All driver branches, oldest first."""
    return tuple(made(Branch, row) for row in _rows("branches"))


def branch_of(driver_major: int) -> int | None:
    """The branch of a driver whose version begins with `driver_major`.

    Windows counts on within a branch (572 belongs to R570): the newest branch not above it.
    `None` for a driver newer than every known branch, or older than all.
    """
    known = [branch.number for branch in branches()]
    # Within R575 Windows went up to 577; a number further away belongs to a branch not known.
    if not known or driver_major < known[0] or driver_major > known[-1] + 4:
        return None
    return max(number for number in known if number <= driver_major)


def cuda_of_branch(branch: int) -> str | None:
    """Newest CUDA that a driver branch serves: 570 → `12.8`."""
    return next((item.cuda for item in branches() if item.number == branch), None)


def first_branch_for(capability: str) -> int | None:
    """Driver branch that first knew `12.0`; `None` where that is not known."""
    row = gpus.capability_row(capability)
    return None if row is None else row.first_branch


def module_flavour(capability: str) -> str | None:
    """Kernel-module flavour that serves `12.0`: `open`, `proprietary` or `either`."""
    row = gpus.capability_row(capability)
    return None if row is None else row.module


def cudnn_floor(cudnn_version: str) -> str | None:
    """Lowest compute capability that this cuDNN serves: `9.11.0` → `7.5`."""
    wanted = numbers(cudnn_version)
    lowest: str | None = None
    for row in _rows("cudnn"):
        if numbers(row["since"]) <= wanted:
            lowest = row["lowest"]
    return lowest


def ptx_isa_to_cuda(isa: str) -> str | None:
    """Oldest CUDA whose driver compiles PTX of this ISA version: `9.0` → `13.0`."""
    wanted = numbers(isa)[:2]
    return next((row["cuda"] for row in _rows("ptx_isa") if numbers(row["isa"]) == wanted), None)


def host_compilers(cuda: str) -> HostCompilers | None:
    """Newest compilers that the nvcc of `cuda` accepts."""
    wanted = numbers(cuda)[:2]
    for row in _rows("host_compilers"):
        if numbers(row["cuda"]) == wanted:
            return made(HostCompilers, row)
    return None


def error(code: int) -> CudaError | None:
    """The CUresult `code`: 803 → `CUDA_ERROR_SYSTEM_DRIVER_MISMATCH`."""
    for row in _rows("errors"):
        if row["code"] == code:
            return made(CudaError, row)
    return None

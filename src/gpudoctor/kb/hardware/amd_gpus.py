"""AMD GPUs: names, instruction sets (gfx), overrides, and which builds serve them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from gpudoctor.kb._data import load
from gpudoctor.kb.rows import Gfx, Platform, Version, made
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True)
class AmdGpu:
    """An AMD GPU as it is sold."""

    name: str
    """`Radeon RX 6800 XT`"""
    gfx: Gfx
    """Instruction set, `gfx1030`."""
    architecture: str
    kind: str
    """`dgpu`, `igpu` or `datacenter`."""
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """What `HSA_OVERRIDE_GFX_VERSION` can do for an instruction set (Linux only)."""

    gfx: tuple[Gfx, ...]
    value: Version
    """`10.3.0`"""
    runs_as: Gfx
    works: str
    """`usually`, `unreliable` or `no`."""
    note: str | None = None


@dataclass(frozen=True, slots=True)
class AmdIndex:
    """One of AMD's own wheel indexes."""

    name: str
    url: str
    example: str
    """A requirement as that index wants it: `torch[device-gfx1151]==2.13.0+rocm10.0.0`."""
    platforms: tuple[Platform, ...]


@cache
def indexes() -> tuple[AmdIndex, ...]:
    """AMD's own wheel indexes, which serve more GPUs than PyTorch's, Windows included."""
    return tuple(made(AmdIndex, row) for row in load("amd")["indexes"])


def _gpu(row: Mapping[str, Any]) -> AmdGpu:
    return made(AmdGpu, row)


@cache
def gpus() -> tuple[AmdGpu, ...]:
    """All AMD GPUs of the knowledge base."""
    return tuple(_gpu(row) for row in load("amd")["gpus"])


def _words(text: str) -> frozenset[str]:
    lowered = re.sub(r"(?<=[0-9])(?=(?:xtx?|gre|m|s)\b)|(?<=rx)(?=\d)", " ", text.lower())
    return frozenset(re.split(r"[^a-z0-9]+", lowered)) - {
        "",
        "amd",
        "ati",
        "radeon",
        "graphics",
        "tm",
    }


_SERIES = frozenset({"rx", "instinct", "pro", "ai", "igpu"})
"""Words of names that people leave out: `R9700` for the Radeon AI PRO R9700."""


def match(text: str) -> tuple[AmdGpu, ...]:
    """The GPUs that `text` may mean: `6800 xt`, `AMD Radeon RX 7900 XTX`, `MI300X`.

    A marketing string that lists several (`RX 6800/6800 XT`) gives all that it contains.
    """
    asked = _words(text)
    if not asked:
        return ()
    rows = [(item, _words(item.name) - _SERIES) for item in gpus()]
    wanted = asked - _SERIES
    same = tuple(item for item, words in rows if words == wanted)
    if same:
        return same
    left = wanted.difference(*(words for _, words in rows))
    if left - _words(" ".join(_MEMORY.findall(text))) and not _BRANDED.search(text):
        return ()  # a number among others proves nothing: `driver 570.172` is no Radeon RX 570
    return tuple(item for item, words in rows if wanted and words <= wanted)


_BRANDED = late_pattern(r"\b(amd|ati|radeon|rx|instinct|mi\d{2,3}[a-z]?|firepro|vega)", re.I)
_MEMORY = late_pattern(r"\b\d{1,3} ?gi?b?\b", re.I)


def by_other_name(text: str) -> tuple[str, str] | None:
    """Name and gfx by a chip's code name or a whole processor: `Navi 31`, `Ryzen AI Max+ 395`.

    `None` if nothing is called so. These are words of other things as well (Phoenix): only for a
    text that is meant to name a GPU.
    """
    wanted = _words(text) - _ASIDE
    for row in load("amd")["also_called"]:
        for name in row["names"]:
            if wanted and wanted == _words(name) - _ASIDE:
                return str(name), str(row["gfx"])
    return None


_ASIDE = frozenset({"gpu", "igpu", "apu", "processor"})


def by_gfx(gfx: str) -> tuple[AmdGpu, ...]:
    """All GPUs with one instruction set."""
    return tuple(item for item in gpus() if item.gfx == gfx)


def by_pci(device: str) -> tuple[str, str] | None:
    """Name and gfx of a PCI device id of vendor 1002: `73bf`; `None` if not known."""
    key = device.strip().lower().removeprefix("1002:").removeprefix("0x")
    row = load("amd")["pci"].get(key)
    return None if row is None else (str(row[0]), str(row[1]))


@cache
def overrides() -> tuple[Override, ...]:
    """What overrides are known, and whether they work."""
    return tuple(made(Override, row) for row in load("amd")["overrides"])


def override_for(gfx: str) -> Override | None:
    """The override that people use for an instruction set."""
    return next((item for item in overrides() if gfx in item.gfx), None)


def own_builds(gfx: str, os: str) -> str | None:
    """`tested` or `untested` where AMD's own index has torch for `gfx` on `os`; else `None`."""
    for row in load("amd")["amd_builds"]:
        if row["gfx"] == gfx:
            value: str | None = row.get(os)
            return value
    return None


@cache
def generic_family(target: str) -> frozenset[str]:
    """The instruction sets that a generic target serves: `gfx12-generic`; none for another name."""
    return frozenset(
        gfx for row in load("amd")["generic"] if row["target"] == target for gfx in row["gfx"]
    )


@cache
def blas_gap(variant: str, *, reported: bool = False) -> frozenset[str]:
    """Instruction sets that torch of a variant (`rocm7.2`) carries and its rocBLAS does not.

    `reported`: those alone that somebody has met, not what the releases around it suggest.
    """
    return frozenset(
        gfx
        for row in load("amd")["blas_gaps"]
        if row["variant"] == variant and (row["basis"] == "reported" or not reported)
        for gfx in row["gfx"]
    )


@cache
def wsl_generations() -> frozenset[str]:
    """The generations (first number of the instruction set) that ROCm serves under WSL."""
    return frozenset(name for row in load("amd")["wsl"] for name in row["generations"])


@cache
def is_integrated(gfx: str) -> bool:
    """Whether an instruction set is that of graphics inside processors and of nothing else."""
    return {item.kind for item in by_gfx(gfx)} == {"igpu"}


@dataclass(frozen=True, slots=True)
class KernelDriver:
    """A packaged amdgpu, by what its module's number begins with."""

    releases: tuple[Version, ...]
    """The driver releases that have it: `30.10`, before 2025-09 the ROCm that they came with."""
    rocm: tuple[Version, ...]
    """The ROCm releases (major and minor) that AMD supports with it, oldest first."""


@cache
def kernel_driver(module: str) -> KernelDriver | None:
    """What AMD supports with a module that calls itself `6.14.14`; `None` if no table has it."""
    wanted = ".".join(module.split(".")[:2])
    for row in load("amd")["kernel_drivers"]:
        if row["module"] == wanted:
            return made(KernelDriver, row)
    return None


@cache
def newest_rocm_of_matrix() -> str:
    """The newest ROCm for which AMD's matrix says anything."""
    return str(load("amd")["kernel_drivers"][0]["rocm"][-1])

"""NVIDIA GPUs by name, by what people write, by PCI id; compute capabilities."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from gpudoctor.kb._data import load
from gpudoctor.kb.rows import Capability, Version, made, written_as
from gpudoctor.model.terms.version import numbers
from gpudoctor.model.value import dataclass, replace


@written_as(capability="cc", capabilities="cc_options")
@dataclass(frozen=True, slots=True)
class GpuModel:
    """A GPU as it is sold (configs/gpus.yaml)."""

    name: str
    """As nvidia-smi prints it, without the leading NVIDIA: `GeForce RTX 5060 Ti`."""
    capability: Capability
    """Compute capability, `12.0`; the likeliest one where the name is ambiguous."""
    architecture: str
    """`Blackwell`"""
    chip: str
    segment: str
    """`geforce`, `workstation`, `datacenter`, `embedded`, `jetson` …"""
    min_driver: Version | None
    """First driver seen to list it: evidence, no floor (see `min_driver_basis`)."""
    min_driver_basis: str
    capabilities: tuple[Capability, ...] = ()
    """Every capability under which the name was sold; more than one: ask the driver."""
    memory_gb: tuple[int, ...] = ()
    """Sizes it was sold with, GB; empty where not known."""
    first_stable_driver: Version | None = None
    """First stable driver that lists it, where `min_driver` is a beta."""
    last_driver_branch: int | None = None
    """Last driver branch that serves it; `None`: it goes on."""
    note: str | None = None


@dataclass(frozen=True, slots=True)
class PciDevice:
    """What a PCI device id of vendor 10de stands for (configs/gpus_pci.yaml)."""

    device: str
    """Four hexadecimal digits, lower case: `2d04`."""
    name: str
    """As nvidia-smi prints it where that is known, else as pci.ids does; may be empty."""
    names: tuple[str, ...]
    """Names the driver prints, several where subsystem ids differ."""
    chip: str
    capability: str
    first_open_driver: str | None = None


@written_as(capability="cc")
@dataclass(frozen=True, slots=True)
class CapabilityRow:
    """One compute capability (configs/gpus.yaml, architectures)."""

    capability: Capability
    architecture: str
    first_branch: int | None
    """Driver branch that first knew it; `None`: not known, or no desktop driver serves it."""
    last_branch: int | None
    """Last driver branch that serves it; `None`: it goes on."""
    module: str
    """Kernel-module flavour that serves it: `open`, `proprietary` or `either`."""
    tegra: bool
    arm_only: bool = False
    """Whether it is sold with an ARM processor alone."""


def _model(row: Mapping[str, Any]) -> GpuModel:
    model = made(GpuModel, row)
    return model if model.capabilities else replace(model, capabilities=(model.capability,))


@cache
def models() -> tuple[GpuModel, ...]:
    """All GPUs, newest architecture first."""
    return tuple(_model(row) for row in load("gpus")["gpus"])


def _plain(name: str) -> str:
    """Lower case, one space between words, without a leading NVIDIA."""
    return " ".join(name.lower().split()).removeprefix("nvidia ")


@cache
def _names() -> dict[str, int]:
    """Plain name → position in the table; the first row of a name wins."""
    positions: dict[str, int] = {}
    for position, row in enumerate(load("gpus")["gpus"]):
        for name in (row["name"], *row.get("aliases", ())):
            positions.setdefault(_plain(name), position)
    return positions


def by_name(name: str) -> GpuModel | None:
    """The GPU of that nvidia-smi name, with or without NVIDIA, in any case of letters."""
    position = _names().get(_plain(name))
    return None if position is None else _model(load("gpus")["gpus"][position])


def by_pci(device: str) -> PciDevice | None:
    """What the device id stands for: `2d04`, `0x2d04` or `10de:2d04`; `None` if not known."""
    key = device.strip().lower().removeprefix("10de:").removeprefix("0x")
    row = load("pci").get(key)
    if row is None:
        return None
    names = tuple(row.get("smi_names", ()))
    return PciDevice(
        device=key,
        name=names[0] if len(names) == 1 else row["name"],
        names=names,
        chip=row["chip"],
        capability=row["cc"],
        first_open_driver=row.get("first_open_driver"),
    )


def capability_by_pci_name(text: str) -> str | None:
    """The compute capability of a name that only the bus's list has: `P106-100`, `NVS 510`.

    `None` where nothing is called so, or GPUs of several capabilities are.
    """
    wanted = _plain(text)
    found = {
        str(row["cc"])
        for row in load("pci").values()
        if wanted in map(_plain, (row["name"], *row.get("smi_names", ())))
    }
    return next(iter(found)) if len(found) == 1 else None


@cache
def capability_row(capability: str) -> CapabilityRow | None:
    """What is known of a compute capability such as `12.0`."""
    for row in load("gpus")["architectures"]:
        if row["cc"] == capability:
            return made(CapabilityRow, row)
    return None


def architecture_of(capability: str) -> str | None:
    """`Blackwell` for `12.0`; `None` for a capability that is not known."""
    row = capability_row(capability)
    return None if row is None else row.architecture


def of_generation(name: str) -> tuple[str, ...]:
    """The compute capabilities of a generation, `Ampere`, lowest first; none for another word."""
    wanted = name.strip().lower()
    return tuple(
        value for value in all_capabilities() if (architecture_of(value) or "").lower() == wanted
    )


def all_capabilities() -> tuple[str, ...]:
    """Every compute capability that is known, lowest first."""
    return tuple(sorted((row["cc"] for row in load("gpus")["architectures"]), key=numbers))


# What people leave out or add when they write the name of a GPU.
_BRANDS = frozenset(
    {"nvidia", "geforce", "tesla", "quadro", "gpu", "graphics", "card", "corporation"}
)
_PREFIXES = frozenset({"rtx", "gtx", "gt"})
# Words that tell generations of one number apart: "RTX 6000" may mean any of them.
_GENERATIONS = frozenset(
    {"ada", "blackwell", "generation", "pro", "edition", "workstation", "server", "max", "q"}
)
# As text: compiling them would cost each start a millisecond.
_SPLIT = (
    r"(?<=[a-z])(?<!\d[a-z])(?=\d{3,})"
    r"|(?<=\d{3})(?=(?:ti|super|laptop|mobile|max)(?:super|\b))"
    r"|(?<=ti)(?=super)"
)
_SPLIT_BRAND = r"\b(rtx|gtx|gt|tesla|quadro|geforce|titan)(?=\d)"
_MEMORY = r"\d{1,3}gb?"


def _words(text: str) -> tuple[str, ...]:
    """The words of a GPU name as people write it: `rtx3090Ti` → `rtx`, `3090`, `ti`."""
    lowered = re.sub(_SPLIT_BRAND, r"\1 ", text.lower(), flags=re.ASCII)
    words: list[str] = []
    for word in re.split(r"[^a-z0-9]+", lowered):
        words.extend(part for part in re.sub(_SPLIT, " ", word, flags=re.ASCII).split() if part)
    merged: list[str] = []
    for word in words:
        if word in ("gb", "g") and merged and merged[-1].isdigit():
            merged[-1] += "gb"
        else:
            merged.append("laptop" if word == "mobile" else word)
    return tuple(merged)


@cache
def _index() -> tuple[tuple[tuple[str, ...], frozenset[str], int], ...]:
    """For every spelling in the table: its words, the same as a set, its position."""
    index = []
    for position, row in enumerate(load("gpus")["gpus"]):
        for name in (row["name"], *row.get("aliases", ())):
            words = tuple(word for word in _words(name) if word not in _BRANDS)
            index.append((words, frozenset(words), position))
    return tuple(index)


def match(text: str) -> tuple[GpuModel, ...]:
    """The GPUs that people may mean by `text`: `5060 ti`, `RTX PRO 6000 Blackwell`, `A10G`.

    An exact nvidia-smi name gives that GPU alone. A number that was used again in later
    generations (`RTX 6000`) gives all of them; the caller compares their capabilities.
    Empty where nothing fits.
    """
    rows = load("gpus")["gpus"]
    exact = by_name(text)
    wanted = tuple(word for word in _words(text) if word not in _BRANDS)
    if exact is not None and _plain(exact.name) == _plain(text):
        return (exact,)
    if not wanted:
        return () if exact is None else (exact,)
    positions = _positions(wanted)
    if not positions and len(wanted) == 1 and wanted[0][-1].isdigit():
        # `K40` for the Tesla K40m and K40c: the letter names the board's form alone.
        forms = {words for words, _, _ in _index() if words[:1] and _is_form(words[0], wanted[0])}
        positions = tuple(dict.fromkeys(p for words in sorted(forms) for p in _positions(words)))
    if not positions and any(re.fullmatch(_MEMORY, word) for word in wanted):
        positions = _positions(tuple(word for word in wanted if not re.fullmatch(_MEMORY, word)))
    return tuple(_model(rows[position]) for position in positions)


def _is_form(word: str, number: str) -> bool:
    return word.startswith(number) and word[len(number) :].isalpha()


def _positions(wanted: tuple[str, ...]) -> tuple[int, ...]:
    if not wanted:
        return ()
    asked = frozenset(wanted)
    same, wider, containing = [], [], []
    for words, as_set, position in _index():
        if not asked <= as_set:
            continue
        rest = as_set - asked
        containing.append(position)
        if words == wanted or rest <= _PREFIXES:
            same.append(position)
        elif rest <= _GENERATIONS | _PREFIXES:
            wider.append(position)
    chosen = same + wider if same else containing
    return tuple(dict.fromkeys(chosen))


def nearest(text: str, n: int = 3) -> tuple[str, ...]:
    """The names most like `text`, for a suggestion after a typing error."""
    import difflib

    spellings: dict[str, str] = {}
    for row in load("gpus")["gpus"]:
        words = [word for word in _words(row["name"]) if word not in _BRANDS]
        spellings.setdefault(" ".join(words), row["name"])
    wanted = " ".join(word for word in _words(text) if word not in _BRANDS)
    return tuple(spellings[key] for key in difflib.get_close_matches(wanted, spellings, n, 0.5))


@cache
def series() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Words for a generation of GPUs, with the compute capability that is meant by them."""
    return tuple(
        (re.compile(row["words"], re.IGNORECASE), row["cc"]) for row in load("gpus")["series"]
    )


def by_tegra(chip: str) -> tuple[str, str] | None:
    """Name and compute capability of the GPU in a Tegra: `tegra234` → `Orin`, `8.7`."""
    for row in load("gpus")["tegra_chips"]:
        if row["chip"] == chip:
            return str(row["name"]), str(row["cc"])
    return None

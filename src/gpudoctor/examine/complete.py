"""What follows from a saved fact sheet that does not say it, because its form has no place for it.

A sheet written by hand, or by another program, has the keys that are promised to programs and no
others: none for AMD's instruction set, for XPU builds, for a GPU inside a processor. Those follow
from what is stated (a PCI id, a version's local label). Only what a sheet is silent about is
completed; what it calls unknown stays unknown.
"""

from __future__ import annotations

from typing import Any

from gpudoctor.kb.hardware import amd_gpus as amd
from gpudoctor.kb.hardware import intel_gpus as intel
from gpudoctor.kb.software.torch_releases import cuda_of_variant
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import PCI_VENDORS, Facts, Gpu, Torch
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.version import local_label
from gpudoctor.model.value import replace

_KNOWLEDGE = "knowledge base"
_LABEL = "the version's label"
_VENDORS = {**PCI_VENDORS, "106b": "apple"}
_WORDS = {"nvidia": "nvidia", "amd": "amd", "radeon": "amd", "intel": "intel", "apple": "apple"}


def complete(sheet: FactSheet) -> FactSheet:
    """The sheet with what follows from it; the same sheet where nothing does."""
    facts = sheet.facts
    found: dict[str, str] = {}
    gpus = tuple(_gpu(sheet, f"gpus[{n}]", gpu, found) for n, gpu in enumerate(facts.gpus))
    torch = facts.torch and _torch(sheet, facts.torch, found)
    facts = replace(facts, gpus=gpus, torch=torch)
    unsaid = tuple(
        Unknown(path, "it is null, and there must be one", "fact sheet", "not-stated")
        for path in _must_be(facts)
        if sheet.why_unknown(path) is None
    )
    if not found and not unsaid and gpus == sheet.facts.gpus:
        return sheet
    return FactSheet(
        facts,
        tuple(entry for entry in sheet.unknown if entry.fact not in found) + unsaid,
        {**sheet.sources, **found},
        sheet.timings_ms,
    )


def _must_be(facts: Facts) -> list[str]:
    """Paths of what cannot be absent and has no value: every NVIDIA GPU has a capability."""
    paths = [
        f"gpus[{position}].compute_capability"
        for position, gpu in enumerate(facts.gpus)
        if gpu.vendor == "nvidia" and not gpu.compute_capability and not gpu.sm
    ]
    driver, torch = facts.driver, facts.torch
    paths += ["driver.version"] if driver and not driver.version and not driver.cuda else []
    if torch is not None:
        paths += [] if torch.version else ["torch.version"]
        paths += ["torch.sass"] if torch.cuda and not torch.sass and not torch.ptx else []
    return paths


def _silent(sheet: FactSheet, path: str) -> bool:
    """Whether the sheet does not mention `path`, as against calling it unknown or absent."""
    entry = sheet.why_unknown(path)
    return entry is not None and entry.fact == path and entry.kind == "not-stated"


def _gpu(sheet: FactSheet, path: str, gpu: Gpu, found: dict[str, str]) -> Gpu:
    # Where the sheet does not mention the vendor, the value is only the field's default.
    stated = None if _silent(sheet, f"{path}.vendor") or not gpu.vendor else gpu.vendor
    gpu = replace(gpu, vendor=stated.strip().lower() if stated else _vendor(gpu))
    if gpu.vendor not in ("amd", "intel"):
        return gpu
    follows = _amd(gpu) if gpu.vendor == "amd" else _intel(gpu)
    news = {
        name: value
        for name, value in follows.items()
        if value is not None and _silent(sheet, f"{path}.{name}")
    }
    found.update({f"{path}.{name}": _KNOWLEDGE for name in news})
    return replace(gpu, **news)


def _vendor(gpu: Gpu) -> str | None:
    """Whose GPU it is, by its PCI id, else by the first word of its name."""
    if gpu.pci_id and (vendor := _VENDORS.get(gpu.pci_id.lower().partition(":")[0])):
        return vendor
    words = (gpu.name or "").lower().replace("(r)", " ").split()
    named = next((_WORDS[word] for word in words if word in _WORDS), None)
    return named or ("nvidia" if gpu.compute_capability or gpu.sm else None)


def _amd(gpu: Gpu) -> dict[str, Any]:
    rows = amd.match(gpu.name) if gpu.name else ()
    named = {row.gfx for row in rows}
    by_id = amd.by_pci(gpu.pci_id) if gpu.pci_id else None
    gfx = by_id[1] if by_id else named.pop() if len(named) == 1 else None
    kinds = {row.kind for row in rows} or {row.kind for row in amd.by_gfx(gfx or "")}
    return {"gfx": gfx, "integrated": kinds == {"igpu"} if kinds else None}


def _intel(gpu: Gpu) -> dict[str, Any]:
    """A card of its own is told by the number in its name: `Arc A770`, `Data Center GPU Max`."""
    family = intel.match(gpu.name) if gpu.name else None
    if family is None:
        return {}
    return {"integrated": "graphics" in family.family.lower()}


def _torch(sheet: FactSheet, torch: Torch, found: dict[str, str]) -> Torch:
    """What the local label of the version says: `2.6.0+cu124` is built for CUDA 12.4."""
    if not torch.version or sheet.why_unknown("torch.version"):
        return torch
    label = local_label(torch.version)
    said: dict[str, Any] | None = _label(label)
    if said is None:
        # Builds without a label are for CUDA or the CPU; one for XPU or ROCm that says `hip`
        # or nothing of it is told apart by what the sheet does state.
        if _silent(sheet, "torch.cuda") or _silent(sheet, "torch.hip"):
            return torch
        said = {"cuda": torch.cuda, "hip": torch.hip, "xpu": None}
    news = {name: value for name, value in said.items() if _silent(sheet, f"torch.{name}")}
    found.update({f"torch.{name}": _LABEL for name in news})
    return replace(torch, **news)


def _label(label: str) -> dict[str, str | None] | None:
    """CUDA, HIP and XPU versions that a local label names; `None` where it names none."""
    none: dict[str, str | None] = {"cuda": None, "hip": None, "xpu": None}
    first = label.split(".cxx11")[0]
    if cuda := cuda_of_variant(first):
        return {**none, "cuda": cuda}
    if first.startswith("rocm") and first[4:5].isdigit():
        return {**none, "hip": first.removeprefix("rocm")}
    if first == "xpu":
        return {**none, "xpu": "xpu"}
    return none if first == "cpu" else None

"""What a GPU is called, from its PCI id alone: for one whose driver does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpudoctor.collect.gpus.pci import PciGpu
from gpudoctor.collect.system.sysroot import Sysroot
from gpudoctor.model.lazy import later
from gpudoctor.model.value import dataclass

if TYPE_CHECKING:
    from gpudoctor.kb.hardware import amd_gpus as amd
    from gpudoctor.kb.hardware import intel_gpus as intel
    from gpudoctor.kb.hardware import nvidia_gpus as gpus
else:  # tables, each for the GPUs of one vendor
    amd = later("gpudoctor.kb.hardware.amd_gpus")
    gpus = later("gpudoctor.kb.hardware.nvidia_gpus")
    intel = later("gpudoctor.kb.hardware.intel_gpus")

_AMD_IDS = "/usr/share/libdrm/amdgpu.ids"
_KB = "knowledge base, by PCI id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """A name and what follows from the id; `None` where nobody knows it."""

    name: str | None = None
    capability: str | None = None
    gfx: str | None = None
    integrated: bool | None = None
    source: str = ""


def name_gpu(gpu: PciGpu, root: Sysroot) -> Naming:
    """The name of a GPU by its PCI id (and revision, which tells AMD's boards apart)."""
    if gpu.vendor == "nvidia":
        device = gpus.by_pci(gpu.pci_id)
        if device is None:
            return Naming()
        return Naming(
            name=f"NVIDIA {device.name}" if device.name else f"NVIDIA {device.chip}",
            capability=device.capability,
            integrated=False,
            source=_KB,
        )
    if gpu.vendor == "amd":
        return _amd(gpu, root)

    known = intel.by_pci(gpu.pci_id)
    # On the root bus sits what is part of the processor; a card sits behind a bridge.
    integrated = gpu.address.split(":")[1:2] == ["00"]
    if known is None:
        return Naming(integrated=integrated)
    return Naming(name=_prefixed("Intel", known[0]), integrated=integrated, source=_KB)


def _amd(gpu: PciGpu, root: Sysroot) -> Naming:
    known = amd.by_pci(gpu.pci_id)
    local = amdgpu_ids_name(root.read_or_none(_AMD_IDS) or "", gpu)
    name = local or gpu.product or (known[0] if known else None)
    source = _AMD_IDS if local else "/sys" if gpu.product else _KB if known else ""
    gfx = (gpu.compute.gfx if gpu.compute else None) or (known[1] if known else None)
    kinds = {row.kind for row in amd.match(name)} if name else set()
    if not kinds and gfx:
        kinds = {row.kind for row in amd.by_gfx(gfx)}
    return Naming(
        name=_prefixed("AMD", name) if name else None,
        gfx=gfx,
        integrated=kinds == {"igpu"} if kinds else None,
        source=source,
    )


def amdgpu_ids_name(text: str, gpu: PciGpu) -> str | None:
    """The name in libdrm's table of AMD boards, whose lines read `73BF,\tC1,\tAMD Radeon …`."""
    device = gpu.pci_id.rpartition(":")[2].upper()
    revision = (gpu.revision or "").upper().removeprefix("0X")
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split(",", 2)]
        if len(cells) == 3 and cells[0].upper() == device and cells[1].upper() == revision:
            return cells[2]
    return None


def _prefixed(vendor: str, name: str) -> str:
    return name if name.startswith(vendor) else f"{vendor} {name}"

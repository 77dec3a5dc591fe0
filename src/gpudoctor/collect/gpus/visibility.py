"""Which GPUs `CUDA_VISIBLE_DEVICES` leaves visible: the driver's own reading of it, as pure rules.

Sources: CUDA C++ Programming Guide, "CUDA Environment Variables"; MIG User Guide, "Device
names". Read 2026-11-20. Where the driver itself can be asked (`libcuda.py`) its answer counts;
this is for a driver that does not answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.value import dataclass

_INTEGER = late_pattern(r"\s*[+-]?\d{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class MaskableGpu:
    """A GPU that a mask may name."""

    uuid: str | None = None
    """`GPU-…`"""
    mig_uuids: tuple[str, ...] = ()
    kind: str | None = None
    """What sets it apart in speed: its name. GPUs of one kind keep their PCI order."""


def visible(mask: str | None, gpus: Sequence[MaskableGpu], *, pci_order: bool) -> list[bool | None]:
    """Whether each of `gpus` (in PCI order) stays visible under `mask`; `None`: cannot be said.

    * No variable: all. An empty one, or one that starts with what is no device: none.
    * The list ends at its first invalid entry: `0,-1,1` leaves the first GPU alone.
    * A number counts in CUDA's order, fastest first unless `CUDA_DEVICE_ORDER=PCI_BUS_ID`
      (`pci_order`). On a mixed machine that order is the driver's secret: `None`.
    * A UUID may be shortened as long as it is unique. The same device twice: no device at all.
    """
    if mask is None:
        return [True] * len(gpus)
    order_known = pci_order or len({gpu.kind for gpu in gpus}) <= 1
    chosen: list[int] = []
    guessed = False
    for entry in mask.split(","):
        position = _by_uuid(entry.strip(), gpus)
        if position is None and (number := _INTEGER.match(entry)):
            value = int(number.group())
            position = value if 0 <= value < len(gpus) else None
            guessed = guessed or (position is not None and not order_known)
        if position is None:
            break
        if position in chosen:
            return [False] * len(gpus)
        chosen.append(position)
    if guessed and len(chosen) < len(gpus):
        return [None] * len(gpus)
    return [position in chosen for position in range(len(gpus))]


def _by_uuid(entry: str, gpus: Sequence[MaskableGpu]) -> int | None:
    if not entry.upper().startswith(("GPU-", "MIG-")):
        return None
    wanted = entry.lower()
    if wanted.startswith("mig-gpu-"):  # MIG-GPU-<uuid>/<gi>/<ci>: how drivers before 470 wrote it
        wanted = wanted[4:].partition("/")[0]
    hits = [
        position
        for position, gpu in enumerate(gpus)
        if any(name.lower().startswith(wanted) for name in (gpu.uuid or "", *gpu.mig_uuids) if name)
    ]
    return hits[0] if len(hits) == 1 else None

"""Leaving GPUs out: the groups of GPUs that can be kept when no build serves all."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import combinations

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.model.facts import Gpu
from gpudoctor.model.prescription import Step
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.shell import environment_step
from gpudoctor.prescribe.request.target import capability, served


def groups(sheet: FactSheet) -> Iterator[tuple[int, ...]]:
    """Positions of visible NVIDIA GPUs to keep, fewer than all; the best group first.

    More GPUs are better, then more memory, then the newer ones. GPUs of one compute capability
    stay together.
    """
    kinds: dict[ComputeCapability, list[tuple[int, Gpu]]] = {}
    for position, gpu in served(sheet):
        found = capability(gpu) if gpu.vendor == "nvidia" else None
        if found is not None:
            kinds.setdefault(found, []).append((position, gpu))
    choices = []
    # With many kinds of GPU in one machine, all but one or two, and one or two, are enough.
    sizes = range(1, len(kinds)) if len(kinds) < 8 else (1, 2, len(kinds) - 2, len(kinds) - 1)
    for size in sizes:
        for kept in combinations(sorted(kinds), size):
            members = [member for kind in kept for member in kinds[kind]]
            memory = sum(gpu.memory_bytes or 0 for _, gpu in members)
            choices.append((-len(members), -memory, [(-k.major, -k.minor) for k in kept], members))
    for *_, members in sorted(choices, key=lambda choice: choice[:3]):
        yield tuple(sorted(position for position, _ in members))


def mask_step(sheet: FactSheet, visible: Collection[int]) -> Step:
    """The step that leaves only the GPUs at `visible` to programs.

    By UUID where they are known: the driver's order and CUDA's own order differ, so that a
    number may name another card. Else by number, with the order fixed.
    """
    facts = sheet.facts
    kept = [facts.gpus[position] for position in sorted(visible)]
    hidden = [
        gpu for position, gpu in served(sheet) if position not in visible and gpu.vendor == "nvidia"
    ]
    uuids = [gpu.uuid for gpu in kept if gpu.uuid]
    if len(uuids) == len(kept):
        variables: dict[str, str | None] = {"CUDA_VISIBLE_DEVICES": ",".join(uuids)}
    else:
        indices = [
            str(position if gpu.index is None else gpu.index)
            for position, gpu in zip(sorted(visible), kept, strict=True)
        ]
        variables = {
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
            "CUDA_VISIBLE_DEVICES": ",".join(indices),
        }
    stays = "stays" if len(hidden) == 1 else "stay"
    return environment_step(
        f"Leave only {names(kept)} to programs; {names(hidden)} {stays} out. Put it where your "
        "programs start, so that each sees it.",
        variables,
        "mask-gpus",
    )


def names(gpus: Collection[Gpu]) -> str:
    """GPUs for a sentence, equal ones counted: `2 × NVIDIA A100 and NVIDIA T4`."""
    counts: dict[str, int] = {}
    for gpu in gpus:
        name = gpu.name or gpu.sm or "a GPU"
        counts[name] = counts.get(name, 0) + 1
    parts = [f"{count} × {name}" if count > 1 else name for name, count in counts.items()]
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"

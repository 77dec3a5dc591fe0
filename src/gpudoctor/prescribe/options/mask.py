"""Leaving GPUs out: the groups of GPUs that can be kept when no build serves all."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from itertools import combinations

from gpudoctor.compat.architecture import (
    Architecture,
    ComputeCapability,
    can_be_jitted,
    is_architecture,
    runs_natively,
)
from gpudoctor.model.facts import Gpu
from gpudoctor.model.prescription import Step
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.shell import environment_step
from gpudoctor.prescribe.driver.branches import flavour_of
from gpudoctor.prescribe.request.target import capability, served


def groups(sheet: FactSheet, *, keep_torch: bool = True) -> Iterator[tuple[int, ...]]:
    """Positions of visible NVIDIA GPUs to keep, fewer than all; the best group first.

    With `keep_torch` first what the installed torch serves, so that nothing has to be downloaded;
    then the better GPUs, by memory and generation; then more of them. GPUs of one compute
    capability stay together, and GPUs that need two flavours of the kernel module never do.
    """
    kinds: dict[ComputeCapability, list[tuple[int, Gpu]]] = {}
    for position, gpu in served(sheet):
        found = capability(gpu) if gpu.vendor == "nvidia" else None
        if found is not None:
            kinds.setdefault(found, []).append((position, gpu))
    host = sheet.facts.host
    one_module = host is not None and host.os == "linux" and not host.wsl
    choices = []
    # With many kinds of GPU in one machine, all but one or two, and one or two, are enough.
    sizes = range(1, len(kinds)) if len(kinds) < 8 else (1, 2, len(kinds) - 2, len(kinds) - 1)
    for size in sizes:
        for kept in combinations(sorted(kinds), size):
            if one_module and flavour_of(kept) is None:
                continue
            members = tuple(sorted(position for kind in kept for position, _ in kinds[kind]))
            better = sorted((_quality(gpu, kind) for kind in kept for _, gpu in kinds[kind]))
            # Of two groups with the same GPUs in front, the longer one is the better one.
            choices.append(
                (
                    keep_torch and torch_serves(sheet, members) is not True,
                    [*better, (1, 0, 0)],
                    members,
                )
            )
    for *_, members in sorted(choices):
        yield members


def _quality(gpu: Gpu, kind: ComputeCapability) -> tuple[int, int, int]:
    """Sorts the better GPU first; memory in GiB, since equal cards differ by some MiB."""
    return (-round((gpu.memory_bytes or 0) / 2**30), -kind.major, -kind.minor)


def is_display_card(gpu: Gpu, others: Collection[Gpu]) -> bool:
    """Whether a GPU drives the screen beside far better ones: a quarter of their memory or less.

    By its memory, and where a screen is known to hang on it, by that.
    """
    if gpu.display_active and not any(other.display_active for other in others):
        return True
    best = max((other.memory_bytes or 0 for other in others), default=0)
    return gpu.memory_bytes is not None and 4 * gpu.memory_bytes <= best


def torch_serves(sheet: FactSheet, positions: Collection[int]) -> bool | None:
    """Whether the installed torch has code for the GPUs at some positions; `None`: not known."""
    torch = sheet.facts.torch
    if torch is None or not (torch.sass or torch.ptx):
        return None
    code = _architectures((*torch.sass, *torch.ptx))
    found = [capability(sheet.facts.gpus[position]) for position in positions]
    return all(
        gpu is not None and any(runs_natively(c, gpu) or can_be_jitted(c, gpu) for c in code)
        for gpu in found
    )


@lru_cache(maxsize=256)
def _architectures(names: tuple[str, ...]) -> tuple[Architecture, ...]:
    return tuple(Architecture.parse(name) for name in names if is_architecture(name))


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

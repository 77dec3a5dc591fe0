"""What lies behind a failure: its text, held against facts read again after it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gpudoctor.compat.amd_target import best_service
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.compat.builds import architectures, jittable, native, side
from gpudoctor.kb import smoke_figures as figures
from gpudoctor.kb.findings import error_codes
from gpudoctor.model.facts import Gpu
from gpudoctor.model.pattern import late_pattern

_HIP_ERROR = late_pattern(r"hipError[A-Z]\w{2,60}", re.ASCII)
_HELD_SHARE = 0.5
"""With less than this share of its memory free while nothing of ours runs, others hold it."""


def cause(
    text: str, *, gpu: Gpu | None = None, torch: Mapping[str, Any], device: Mapping[str, Any]
) -> str | None:
    """Name of the finding that explains a failure's text; `None` if nothing proves one.

    `gpu` is the GPU as read after the failure, `torch` and `device` what the worker said.
    """
    folded = text.casefold()
    for known in figures.causes():
        if any(words in folded for words in known.texts):
            name = _confirmed(known.name, known.confirm, folded, gpu, torch, device)
            if name is not None:
                return name
    return None


def _confirmed(
    name: str,
    confirm: str | None,
    text: str,
    gpu: Gpu | None,
    torch: Mapping[str, Any],
    device: Mapping[str, Any],
) -> str | None:
    if confirm == "compute-mode":
        return _busy(gpu)
    if confirm == "memory":
        return name if held_by_others(gpu, device) else None
    if confirm == "architectures":
        return lacking_architecture(torch, device) or name
    if confirm == "gfx":
        return name if lacking_gfx(torch, device) else None
    if confirm == "mig":
        return name if gpu is not None and gpu.mig_mode else None
    if confirm == "cannot-open":
        return name if "cannot open shared object" in text else None
    return name


def _busy(gpu: Gpu | None) -> str | None:
    if gpu is None or gpu.compute_mode is None:
        return None
    return (
        "gpu-driver-state-busy" if gpu.compute_mode == "default" else "gpu-exclusive-process-mode"
    )


def held_by_others(gpu: Gpu | None, device: Mapping[str, Any]) -> bool:
    """Whether most of the GPU's memory is taken although no test of ours runs on it."""
    free = gpu.memory_free_bytes if gpu is not None else None
    total = gpu.memory_bytes if gpu is not None else None
    if free is None or not total:
        # As it was when the worker woke the device, before it took any.
        free, total = device.get("memory_free_bytes"), device.get("memory_bytes")
    if not isinstance(free, int) or not isinstance(total, int) or total <= 0:
        return False
    return free < _HELD_SHARE * total


def lacking_gfx(torch: Mapping[str, Any], device: Mapping[str, Any]) -> bool:
    """Whether a ROCm build says that it was compiled for other GPUs than this one alone."""
    names, gfx = torch.get("architectures"), device.get("gfx")
    if not names or not gfx or not torch.get("hip"):
        return False
    return best_service(map(str, names), str(gfx)) == "none"


def error_code(text: str) -> str | None:
    """The first of HIP's errors that a text names, with number and meaning, from the code table.

    `hipErrorIllegalAddress (700): a kernel touched memory that is not its own`
    """
    for match in _HIP_ERROR.finditer(text):
        for row in error_codes.named(match[0]):
            return f"{row.names[0]} ({row.number}): {row.says}"
    return None


def lacking_architecture(torch: Mapping[str, Any], device: Mapping[str, Any]) -> str | None:
    """Which finding says that torch has no code for the GPU; `None` if it has, or nobody knows.

    By what torch says it was compiled for (`torch.cuda.get_arch_list`).
    """
    names = torch.get("architectures")
    capability = device.get("capability")
    if not names or not capability or torch.get("hip"):
        return None
    try:
        gpu = ComputeCapability.parse(str(capability))
    except ValueError:
        return None
    compiled = tuple(map(str, names))
    if len(architectures(compiled)) < len(compiled):
        return None
    if native(compiled, gpu) or jittable(compiled, gpu):
        return None
    old = side(compiled, gpu) == "old"
    return "torch-dropped-arch-old-gpu" if old else "torch-lacks-arch-new-gpu"

"""Which AMD and Intel GPUs the environment leaves visible, as pure rules.

Sources, read 2026-11-21: ROCm documentation, "GPU isolation techniques" (ROCR_VISIBLE_DEVICES
filters first, HIP counts anew in what is left, an empty HIP_VISIBLE_DEVICES counts as unset);
level-zero specification, "Environment variables" (ZE_AFFINITY_MASK); oneAPI DPC++ documentation,
"ONEAPI_DEVICE_SELECTOR".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gpudoctor.collect.gpus.visibility import visible_by_numbers
from gpudoctor.model.pattern import late_pattern

_NUMBER = late_pattern(r"\s*(\d{1,9})\s*\Z", re.ASCII)


def amd_visible(environ: Mapping[str, str], uuids: Sequence[str | None]) -> list[bool]:
    """Whether each AMD GPU, in the order of the compute topology, stays visible to HIP programs.

    `uuids` are as ROCm writes them: `GPU-` and 16 hexadecimal digits.
    """
    left = _chosen(environ.get("ROCR_VISIBLE_DEVICES"), uuids, list(range(len(uuids))))
    mask = environ.get("HIP_VISIBLE_DEVICES") or environ.get("CUDA_VISIBLE_DEVICES") or None
    left = _chosen(mask, uuids, left)
    return [position in left for position in range(len(uuids))]


def _chosen(mask: str | None, uuids: Sequence[str | None], among: list[int]) -> list[int]:
    """The positions of `among` that a mask names; it ends at its first entry that is no device."""
    if mask is None:
        return among
    chosen: list[int] = []
    for entry in mask.split(","):
        if (number := _NUMBER.match(entry)) and int(number[1]) < len(among):
            position: int | None = among[int(number[1])]
        else:
            wanted = entry.strip().lower()
            named = [p for p in among if wanted and (uuids[p] or "").lower() == wanted]
            position = named[0] if named else None
        if position is None:
            break
        if position not in chosen:
            chosen.append(position)
    return chosen


def intel_visible(environ: Mapping[str, str], count: int) -> list[bool]:
    """Whether each Intel GPU stays visible to programs that ask level-zero."""
    if selector_leaves_none(environ.get("ONEAPI_DEVICE_SELECTOR")):
        return [False] * count
    return visible_by_numbers(environ.get("ZE_AFFINITY_MASK"), count)


def selector_leaves_none(text: str | None) -> bool:
    """Whether an `ONEAPI_DEVICE_SELECTOR` accepts no GPU of level-zero: `opencl:cpu`, `*:cpu`.

    It is a list of `backend:devices` separated by semicolons; terms that begin with `!` discard.
    """
    accepted = [term for term in (text or "").lower().split(";") if term.strip(" !") == term != ""]
    for term in accepted:
        backend, _, devices = term.partition(":")
        gpu = any(part == "*" or "gpu" in part or part[:1].isdigit() for part in devices.split(","))
        if backend in ("level_zero", "*") and gpu:
            return False
    return bool(accepted)

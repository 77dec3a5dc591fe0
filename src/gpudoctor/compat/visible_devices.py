"""Which AMD and Intel GPUs the environment leaves visible, as pure rules.

Sources, read 2026-11-21: ROCm documentation, "GPU isolation techniques" (ROCR_VISIBLE_DEVICES
filters first, HIP counts anew in what is left, an empty HIP_VISIBLE_DEVICES counts as unset), and
its rocclr, which reads GPU_DEVICE_ORDINAL for OpenCL alone; level-zero specification,
"Environment variables" (ZE_AFFINITY_MASK); oneAPI DPC++ documentation, "ONEAPI_DEVICE_SELECTOR".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gpudoctor.model.pattern import late_pattern

ROCR, HIP, CUDA = "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"
_INTEGER = late_pattern(r"\s*[+-]?\d{1,18}", re.ASCII)
_NUMBER = late_pattern(r"\s*(\d{1,9})\s*\Z", re.ASCII)


def amd_visible(environ: Mapping[str, str], uuids: Sequence[str | None]) -> list[bool]:
    """Whether each AMD GPU, in the order of the compute topology, stays visible to HIP programs.

    `uuids` are as ROCm writes them: `GPU-` and 16 hexadecimal digits.
    """
    left = amd_order(environ, uuids)
    return [position in left for position in range(len(uuids))]


def amd_order(environ: Mapping[str, str], uuids: Sequence[str | None]) -> list[int]:
    """The positions of the GPUs that stay visible, in the order in which HIP then counts them."""
    left = _chosen(environ.get(ROCR), uuids, list(range(len(uuids))))
    second = hip_mask(environ)
    return _chosen(environ[second] if second else None, uuids, left)


def hip_mask(environ: Mapping[str, str]) -> str | None:
    """What HIP obeys after ROCR's variable: its own, else CUDA's; an empty one does not count."""
    return next((name for name in (HIP, CUDA) if environ.get(name)), None)


def amd_culprits(environ: Mapping[str, str], uuids: Sequence[str | None]) -> tuple[str, ...]:
    """The variables that together leave no AMD GPU visible; none where some GPU stays.

    One that leaves none by itself is named alone; two that only hide all of them together, both.
    """
    if not uuids or amd_order(environ, uuids):
        return ()
    names = [name for name in (ROCR, hip_mask(environ)) if name and name in environ]
    alone = [name for name in names if not amd_order({name: environ[name]}, uuids)]
    return tuple(alone[:1] or names)


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


def visible_by_numbers(mask: str | None, count: int) -> list[bool]:
    """What `ZE_AFFINITY_MASK` leaves visible.

    It is a list of numbers; `0.1` (tile 1 of device 0) names device 0. What is no number ends the
    list.
    """
    if mask is None or (not mask.strip() and count == 0):
        return [True] * count
    chosen: set[int] = set()
    for entry in mask.split(","):
        number = _INTEGER.match(entry)
        if number is None or not 0 <= int(number.group()) < count:
            break
        chosen.add(int(number.group()))
    return [position in chosen for position in range(count)]


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

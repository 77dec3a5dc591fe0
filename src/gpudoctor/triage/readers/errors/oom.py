"""The figures of an out-of-memory message: they tell a split memory from a full one.

Formats of c10/cuda/CUDACachingAllocator.cpp: before 2.1 in one bracket ("total capacity; already
allocated; free; reserved in total"), since 2.1 in sentences. Before 1.4 "cached" stood for what was
reserved and not in use.
"""

from __future__ import annotations

import re

from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.value import dataclass

_SIZE = r"(\d{1,6}(?:\.\d{1,3})?) ?(bytes|KiB|MiB|GiB|TiB)"
_UNITS = {"bytes": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_WANTED = late_pattern(r"Tried to allocate " + _SIZE, re.I)
_TOTAL = late_pattern(rf"total capacity of {_SIZE}|{_SIZE} total capacity", re.I)
_FREE = late_pattern(rf"of which {_SIZE} is free|{_SIZE} free\b", re.I)
_ALLOCATED = late_pattern(rf"{_SIZE} (?:is allocated by PyTorch|already allocated)", re.I)
_SPLIT = late_pattern(rf"{_SIZE} is reserved by PyTorch but unallocated", re.I)
_CACHED = late_pattern(rf"{_SIZE} cached\b", re.I)
_RESERVED = late_pattern(rf"{_SIZE} reserved in total", re.I)
_REACH = 1500
_SPLIT_SHARE = 0.1
_OTHERS_SHARE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Sizes in bytes; `None` where the message does not give one."""

    wanted: int
    total: int | None
    free: int | None
    allocated: int | None
    unallocated: int | None
    """Reserved by torch and not in use: what a split memory leaves over."""

    @property
    def fragmented(self) -> bool:
        """Whether there was enough, but not in one piece.

        Either the driver had it free, or a tenth of the card lay split in torch's hands; less is
        what any full card has left over.
        """
        spare, free = self.unallocated or 0, self.free or 0
        if free >= self.wanted:
            return True
        if self.total is not None and spare < _SPLIT_SHARE * self.total:
            return False
        together = spare >= self.wanted // 4 and spare + free >= 0.95 * self.wanted
        return spare >= self.wanted or together

    @property
    def held_by_others(self) -> bool:
        """Whether others hold much of the memory, and what they hold was what was missing."""
        if self.total is None or self.free is None or self.allocated is None:
            return False
        others = self.total - self.free - self.allocated - (self.unallocated or 0)
        if others > 0.5 * self.total:
            return True
        enough = self.wanted <= others + self.free + (self.unallocated or 0)
        return others > _OTHERS_SHARE * self.total and enough


def figures(flat: str) -> Figures | None:
    """The figures of the first out-of-memory message of a folded text."""
    start = _WANTED.search(flat)
    if start is None:
        return None
    rest = flat[start.start() : start.end() + _REACH]
    allocated, reserved = _bytes(_ALLOCATED, rest), _bytes(_RESERVED, rest)
    split = _first(_bytes(_SPLIT, rest), _bytes(_CACHED, rest))
    if split is None and reserved is not None and allocated is not None:
        split = max(0, reserved - allocated)
    return Figures(
        wanted=_bytes(_WANTED, rest) or 0,
        total=_bytes(_TOTAL, rest),
        free=_bytes(_FREE, rest),
        allocated=allocated,
        unallocated=split,
    )


def _bytes(pattern: re.Pattern[str], text: str) -> int | None:
    match = pattern.search(text)
    if match is None:
        return None
    values = [group for group in match.groups() if group is not None]
    return int(float(values[0]) * _UNITS[values[1].lower()])


def _first(*sizes: int | None) -> int | None:
    return next((size for size in sizes if size is not None), None)

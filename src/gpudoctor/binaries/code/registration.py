"""Which containers the host code registers with the CUDA or the HIP runtime, and how.

Each record of `.nvFatBinSegment` has 24 bytes: magic, version, a pointer to the container, and
another pointer. Version 1 registers a container as it is. Version 2 registers what the device
linker made of relocatable objects; its second pointer leads to the list of those objects'
containers, which the driver links again if no linked image fits the GPU
(docs/binary-format.md). The records of `.hipFatBinSegment` have the same form and magic numbers
of their own.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterable

from gpudoctor.binaries.budget import Budget
from gpudoctor.binaries.formats.sections import BinarySection
from gpudoctor.binaries.source import Source, TruncatedBinaryError
from gpudoctor.model.value import dataclass

_RECORD = struct.Struct("<IIQ8x")
_MAGIC = 0x466243B1
_HIP, _MOVED = 0x48495046, 0x4B504948
_CHUNK = _RECORD.size << 12
_LINKED_FROM_OBJECTS = 2


class Records:
    """Pointers to containers as the file has them, by the version of their record."""

    __slots__ = ("as_they_are", "bundles", "moved", "relinkable")

    def __init__(self) -> None:
        self.as_they_are = array("Q")  # a list of integers would take five times the memory
        self.relinkable = array("Q")
        self.bundles = array("Q")
        self.moved = 0
        """How many bundles were moved to kernel archives."""

    def read(self, source: Source, segment: BinarySection, budget: Budget) -> None:
        """Add those of one section.

        Raises:
            UnreadableBinaryError: the section is cut short, or takes more than the budget allows.
        """
        whole = segment.size // _RECORD.size * _RECORD.size
        for begin in range(0, whole, _CHUNK):
            length = min(_CHUNK, whole - begin)
            budget.step(length // _RECORD.size)
            data = source.read(segment.offset + begin, length)
            if len(data) < length:
                raise TruncatedBinaryError(f"The file ends inside its {segment.name}.")
            for magic, version, pointer in _RECORD.iter_unpack(data):
                if magic == _MAGIC:
                    linked = version == _LINKED_FROM_OBJECTS
                    (self.relinkable if linked else self.as_they_are).append(pointer)
                elif magic == _HIP:
                    self.bundles.append(pointer)
                elif magic == _MOVED:
                    self.moved += 1


@dataclass(frozen=True, slots=True)
class Registered:
    """What the records say of the containers, by the offset of their header in the file."""

    as_they_are: frozenset[int] = frozenset()
    relinkable: frozenset[int] = frozenset()
    relinkable_elsewhere: int = 0
    """How many more are relinkable, whose pointer is left to the loader."""
    complete: bool = False
    """Whether every pointer is in the file: a container that no record names is not loaded."""


def registered(records: Records, sections: Iterable[BinarySection], starts: set[int]) -> Registered:
    """The records, with their pointers turned into offsets; `starts` are those of containers."""
    place = _Addresses(each for each in sections if each.name.endswith("fatbin"))
    as_they_are, unknown = place.offsets(records.as_they_are, starts)
    relinkable, elsewhere = place.offsets(records.relinkable, starts)
    some = unknown + elsewhere < len(records.as_they_are) + len(records.relinkable)
    complete = some and not unknown and not elsewhere
    return Registered(as_they_are, relinkable, elsewhere, complete)


class _Addresses:
    """Sections by their address."""

    def __init__(self, sections: Iterable[BinarySection]) -> None:
        self._sections = sorted(sections, key=lambda each: each.address)
        self._begins = [each.address for each in self._sections]

    def offsets(self, pointers: array[int], starts: set[int]) -> tuple[frozenset[int], int]:
        """Which containers they point to, and how many point out of all sections."""
        found = set()
        elsewhere = 0
        for pointer in pointers:
            index = bisect_right(self._begins, pointer) - 1
            section = self._sections[index] if index >= 0 else None
            # Zero is left to the loader; in an object file the section itself is at 0.
            if not pointer or section is None or pointer >= section.address + section.size:
                elsewhere += 1
                continue
            offset = pointer - section.address + section.offset
            if offset in starts:
                found.add(offset)
        return frozenset(found), elsewhere

"""`.nvFatBinSegment`: which containers the host code registers with the CUDA runtime, and how.

Each record has 24 bytes: magic, version, a pointer to the container, and another pointer.
Version 1 registers a container as it is. Version 2 registers what the device linker made of
relocatable objects; its second pointer leads to the list of those objects' containers, which
the driver links again if no linked image fits the GPU (docs/binary-format.md).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from gpudoctor.binaries.sections import Section
from gpudoctor.binaries.source import Source, UnreadableBinaryError
from gpudoctor.model.value import dataclass

_RECORD = struct.Struct("<IIQ8x")
_MAGIC = 0x466243B1
_MOST_BYTES = _RECORD.size << 20
_LINKED_FROM_OBJECTS = 2

Record = tuple[int, int]
"""Version, and the pointer to the container as the file has it."""


@dataclass(frozen=True, slots=True)
class Registered:
    """What the records say of the containers, by the offset of their header in the file."""

    as_they_are: frozenset[int] = frozenset()
    relinkable: frozenset[int] = frozenset()
    relinkable_elsewhere: int = 0
    """How many more are relinkable, whose pointer is left to the loader."""
    complete: bool = False
    """Whether every pointer is in the file: a container that no record names is not loaded."""


def read_records(source: Source, segment: Section) -> list[Record]:
    """The records of one `.nvFatBinSegment`.

    Raises:
        UnreadableBinaryError: the section is larger than any real one, or cut short.
    """
    if segment.size > _MOST_BYTES:
        raise UnreadableBinaryError(f"Its {segment.name} claims {segment.size} bytes.")
    data = source.read(segment.offset, segment.size)
    if len(data) < segment.size:
        raise UnreadableBinaryError(f"The file ends inside its {segment.name}.")
    whole = len(data) // _RECORD.size * _RECORD.size
    return [
        (version, pointer)
        for magic, version, pointer in _RECORD.iter_unpack(memoryview(data)[:whole])
        if magic == _MAGIC
    ]


def registered(records: Iterable[Record], sections: Iterable[Section]) -> Registered:
    """The records, with their pointers turned into offsets in the file."""
    containers = [each for each in sections if each.name.endswith("fatbin")]
    as_they_are, relinkable, elsewhere = set(), set(), 0
    unknown = 0
    for version, pointer in records:
        offset = _file_offset(pointer, containers)
        if offset is None:
            unknown += 1
            elsewhere += version == _LINKED_FROM_OBJECTS
        elif version == _LINKED_FROM_OBJECTS:
            relinkable.add(offset)
        else:
            as_they_are.add(offset)
    complete = bool(as_they_are or relinkable) and not unknown
    return Registered(frozenset(as_they_are), frozenset(relinkable), elsewhere, complete)


def _file_offset(pointer: int, sections: list[Section]) -> int | None:
    if not pointer:
        return None  # left to the loader; in an object file the section itself is at 0
    for section in sections:
        if section.address <= pointer < section.address + section.size:
            return pointer - section.address + section.offset
    return None

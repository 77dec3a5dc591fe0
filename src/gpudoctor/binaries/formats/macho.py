"""Mach-O: the oldest macOS that loads a library, from its own load commands.

Structure: Apple, `mach-o/loader.h` and `mach-o/fat.h` (`LC_BUILD_VERSION`,
`LC_VERSION_MIN_MACOSX`, fat headers, which alone are big-endian).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from gpudoctor.binaries.budget import Budget
from gpudoctor.binaries.source import Source, UnreadableBinaryError
from gpudoctor.model.value import dataclass

THIN = b"\xcf\xfa\xed\xfe"
FAT = b"\xca\xfe\xba\xbe"
FAT_64 = b"\xca\xfe\xba\xbf"
_HEADER = struct.Struct("<4sIIIIII4x")
_COMMAND = struct.Struct("<II")
_VERSION_MIN, _BUILD_VERSION = 0x24, 0x32
_SEGMENT = 0x19
_SECTIONS_AT, _SECTION = 72, struct.Struct("<16s16s8xQI28x")
_METAL, _METAL_FOR_MACOS = b"MTLB", 0x81
_MACOS = 1
_MACHINES = {0x01000007: "x86_64", 0x0100000C: "arm64"}
_MOST_PARTS = 32
"""A Java class begins like a fat file; its version stands where the number of parts does."""
_LARGEST_COMMANDS = 16 << 20


@dataclass(frozen=True, slots=True)
class MachO:
    """One processor's part of a file."""

    machine: str | None
    macos: str | None
    """`14.0`; `None` if it does not say, or is for another system."""
    metal: tuple[str, ...] = ()
    """The oldest macOS of each of its Metal libraries."""


def read_macho(source: Source, budget: Budget) -> list[MachO]:
    """The parts of a Mach-O file, thin or fat; none if it is a Java class.

    Raises:
        UnreadableBinaryError: its headers contradict the file.
    """
    head = source.read(0, 8)
    if head[:4] == THIN:
        return [_thin(source, 0, budget)]
    count = int.from_bytes(head[4:8], "big")
    if count > _MOST_PARTS:
        return []
    wide = head[:4] == FAT_64
    entry = struct.Struct(">IIQQII" if wide else ">IIIII")
    found = []
    for index in range(count):
        data = source.read(8 + index * entry.size, entry.size)
        if len(data) < entry.size:
            raise UnreadableBinaryError("Its headers end beyond the end of the file.")
        offset = entry.unpack(data)[2]
        if source.read(offset, 4) == THIN:
            found.append(_thin(source, offset, budget))
    return found


def _thin(source: Source, start: int, budget: Budget) -> MachO:
    head = source.read(start, _HEADER.size)
    if len(head) < _HEADER.size:
        raise UnreadableBinaryError("Its headers end beyond the end of the file.")
    _, processor, _, _, count, size, _ = _HEADER.unpack(head)
    if size > _LARGEST_COMMANDS or start + _HEADER.size + size > source.size:
        raise UnreadableBinaryError("Its load commands end beyond the end of the file.")
    macos = None
    metal: dict[str, None] = {}
    for kind, data in _commands(source.read(start + _HEADER.size, size), count, budget):
        if kind == _BUILD_VERSION and len(data) >= 16:
            platform, version = struct.unpack_from("<II", data, 8)
            macos = _version(version) if platform == _MACOS else macos
        elif kind == _VERSION_MIN and len(data) >= 12:
            macos = _version(struct.unpack_from("<I", data, 8)[0])
        elif kind == _SEGMENT:
            for offset in _metal_sections(data, budget):
                found = _metal_version(source.read(start + offset, 16))
                if found is not None:
                    metal[found] = None
    return MachO(_MACHINES.get(processor), macos, tuple(metal))


def _commands(data: bytes, count: int, budget: Budget) -> Iterator[tuple[int, bytes]]:
    at = 0
    for _ in range(count):
        if at + _COMMAND.size > len(data):
            return
        budget.step()
        kind, size = _COMMAND.unpack_from(data, at)
        if size < _COMMAND.size:
            raise UnreadableBinaryError("One of its load commands has no length.")
        yield kind, data[at : at + size]
        at += size


def _metal_sections(segment: bytes, budget: Budget) -> Iterator[int]:
    """Where in the file the segment's sections begin that are named after Metal."""
    whole = len(segment) - (len(segment) - _SECTIONS_AT) % _SECTION.size
    for at in range(_SECTIONS_AT, whole, _SECTION.size):
        budget.step()
        name, _, _, offset = _SECTION.unpack_from(segment, at)
        if b"metal" in name:
            yield offset


def _metal_version(head: bytes) -> str | None:
    if len(head) < 16 or head[:4] != _METAL or head[11] != _METAL_FOR_MACOS:
        return None
    major, minor = struct.unpack_from("<HH", head, 12)
    return f"{major}.{minor}"


def _version(packed: int) -> str:
    """`14.0` of 0x000E0000; a third number only if there is one."""
    major, minor, patch = packed >> 16, packed >> 8 & 0xFF, packed & 0xFF
    return f"{major}.{minor}" + (f".{patch}" if patch else "")

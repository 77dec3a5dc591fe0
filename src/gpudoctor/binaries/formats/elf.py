"""ELF: where the device code of a Linux library lies.

Structure: System V gABI, chapters 4 and 5 (ELF header, sections, extended numbering).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from gpudoctor.binaries.budget import Budget
from gpudoctor.binaries.formats.sections import Binary, BinarySection, in_order
from gpudoctor.binaries.source import Source, TruncatedBinaryError, UnreadableBinaryError

ELF = b"\x7fELF"
"""The first bytes of every ELF file."""

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQ")  # name, type, flags, address, offset, size; 40 of 64 bytes
_SECTION_BYTES = 64
_MACHINES = {62: "x86_64", 183: "aarch64", 21: "ppc64le"}
_NOBITS = 8
_CORE = 4
_EXTENDED_INDEX = 0xFFFF

# A linker makes some forty sections, an object file with one for each function may have tens
# of thousands.
_MOST_SECTIONS = 1 << 20
_CHUNK = 1024
_NAMES_AT_ONCE = 1 << 20
_LONGEST_NAME = 256
DEVICE_SECTIONS: Mapping[bytes, str] = {
    each.encode(): each
    for each in (
        ".nv_fatbin",
        "__nv_relfatbin",
        ".nvFatBinSegment",
        ".hip_fatbin",
        ".hipFatBinSegment",
        ".rocm_kpack_ref",
        ".tgtimg",
        ".rela.dyn",
        ".rodata",
    )
}
OFFLOAD = b"__CLANG_OFFLOAD_BUNDLE__"
"""What the names of the sections begin with that hold the code of one target each."""


def read_elf(
    source: Source,
    head: bytes,
    wanted: Mapping[bytes, str] = DEVICE_SECTIONS,
    budget: Budget | None = None,
) -> Binary | None:
    """The device code sections of an ELF file whose first 64 bytes are `head`.

    `None` where there can be no device code: 32-bit, big-endian, a memory dump. `wanted` are
    the names of the sections that are looked for, and what they are called in the result.

    Raises:
        UnreadableBinaryError: its headers contradict the file.
    """
    if len(head) < _HEADER.size or head[4] != 2 or head[5] != 1:
        return None
    fields = _HEADER.unpack_from(head)
    kind, machine, table = fields[1], fields[2], fields[6]
    entry_size, count, names_index = fields[11], fields[12], fields[13]
    if kind == _CORE:
        return None
    if not table:
        raise UnreadableBinaryError("It has no section headers, so its device code is not named.")
    if entry_size != _SECTION_BYTES:
        raise UnreadableBinaryError(f"Its section headers claim {entry_size} bytes each, not 64.")
    if not count or names_index == _EXTENDED_INDEX:
        first = source.read(table, _SECTION_BYTES)
        if len(first) < _SECTION_BYTES:
            raise TruncatedBinaryError("Its section headers lie beyond the end of the file.")
        count = count or int(_SECTION.unpack_from(first)[5])
        if names_index == _EXTENDED_INDEX:
            names_index = struct.unpack_from("<I", first, 40)[0]
    if count > _MOST_SECTIONS or table + count * _SECTION_BYTES > source.size:
        raise TruncatedBinaryError(f"It claims {count} sections, more than the file holds.")
    (budget or Budget(source.size)).step(count)
    if names_index >= count:
        return Binary("elf", _MACHINES.get(machine), ())
    names = _section(source, table, names_index)
    found = _find(source, table, count, _Names(source, names[4], names[5], wanted))
    return Binary("elf", _MACHINES.get(machine), found)


def _section(source: Source, table: int, index: int) -> tuple[int, ...]:
    data = source.read(table + index * _SECTION_BYTES, _SECTION_BYTES)
    if len(data) < _SECTION_BYTES:
        raise TruncatedBinaryError("Its section headers lie beyond the end of the file.")
    return _SECTION.unpack_from(data)


class _Names:
    """The string table of section names, read whole where it is small, as it always is."""

    __slots__ = ("_data", "_offload", "_offset", "_size", "_source", "_wanted")

    def __init__(self, source: Source, offset: int, size: int, wanted: Mapping[bytes, str]) -> None:
        if offset + size > source.size:
            raise TruncatedBinaryError("Its section names lie beyond the end of the file.")
        self._source, self._offset, self._size = source, offset, size
        self._wanted, self._offload = wanted, wanted is DEVICE_SECTIONS
        self._data = source.read(offset, size) if size <= _NAMES_AT_ONCE else None

    def wanted(self, at: int) -> str | None:
        """The name at `at` if it is one of those looked for."""
        if at >= self._size:
            return None
        if self._data is not None:
            text = self._data[at : at + _LONGEST_NAME]
        else:
            text = self._source.read(self._offset + at, _LONGEST_NAME)
        name = text.split(b"\0", 1)[0]
        if self._offload and name.startswith(OFFLOAD):
            return name.decode("ascii", "replace")
        return self._wanted.get(name)


def _find(source: Source, table: int, count: int, names: _Names) -> tuple[BinarySection, ...]:
    found = []
    for begin in range(0, count, _CHUNK):
        length = min(_CHUNK, count - begin) * _SECTION_BYTES
        data = source.read(table + begin * _SECTION_BYTES, length)
        if len(data) < length:
            raise TruncatedBinaryError("Its section headers lie beyond the end of the file.")
        for at in range(0, length, _SECTION_BYTES):
            name_at, kind, _, address, offset, size = _SECTION.unpack_from(data, at)
            name = names.wanted(name_at)
            # A file with split-off debug symbols keeps the headers of what it has no bytes of.
            if name is None or kind == _NOBITS:
                continue
            if offset + size > source.size:
                raise TruncatedBinaryError(f"Its section {name} ends beyond the end of the file.")
            found.append(BinarySection(name, offset, size, address))
    return in_order(found)

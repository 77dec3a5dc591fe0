"""PE: where the device code of a Windows library lies.

Structure: Microsoft, "PE Format" (DOS stub, COFF file header, section table). Section names
are cut to eight bytes: `.nv_fatb`, `__nv_rel`, `.hip_fat`.
"""

from __future__ import annotations

import struct

from gpudoctor.binaries.formats.sections import Binary, BinarySection, in_order
from gpudoctor.binaries.source import Source, TruncatedBinaryError

_COFF = struct.Struct("<4sHHIIIHH")
_SECTION = struct.Struct("<8sIIII")  # name, virtual size and address, raw size and offset
_SECTION_BYTES = 40
_IMAGE_BASE_AT = 24  # in the optional header of a 64-bit program
_MACHINES = {0x8664: "x86_64", 0xAA64: "aarch64"}
_WANTED = {
    b".nv_fatb": ".nv_fatbin",
    b"__nv_rel": "__nv_relfatbin",
    b".nvFatBi": ".nvFatBinSegment",
    b".hip_fat": ".hip_fatbin",
    b".hipFatB": ".hipFatBinSegment",
    b".rocm_kp": ".rocm_kpack_ref",
    b"__CLANG_": "__CLANG_OFFLOAD_BUNDLE__",
    b".tgtimg\0": ".tgtimg",
    b".rdata\0\0": ".rodata",
}


def read_pe(source: Source, head: bytes) -> Binary | None:
    """The device code sections of a file that begins with the DOS header `head`.

    `None` if it is a DOS program or no program at all ("MZ" may begin any text).

    Raises:
        UnreadableBinaryError: its headers contradict the file.
    """
    if len(head) < 64:
        return None
    at = struct.unpack_from("<I", head, 0x3C)[0]
    header = source.read(at, _COFF.size)
    if len(header) < _COFF.size or header[:4] != b"PE\0\0":
        return None
    _, machine, count, _, _, _, optional, _ = _COFF.unpack(header)
    if optional < _IMAGE_BASE_AT + 8:
        return None  # an object file or a 32-bit program
    base = struct.unpack("<Q", _exactly(source, at + _COFF.size + _IMAGE_BASE_AT, 8))[0]
    length = count * _SECTION_BYTES
    table = _exactly(source, at + _COFF.size + optional, length)
    found = []
    for begin in range(0, length, _SECTION_BYTES):
        raw_name, virtual, address, raw, offset = _SECTION.unpack_from(table, begin)
        name = _WANTED.get(raw_name)
        if name is None or not raw:
            continue
        # The raw size is rounded up to the file alignment; the virtual one is what was linked.
        size = min(raw, virtual) if virtual else raw
        if offset + size > source.size:
            raise TruncatedBinaryError(f"Its section {name} ends beyond the end of the file.")
        found.append(BinarySection(name, offset, size, base + address))
    return Binary("pe", _MACHINES.get(machine), in_order(found))


def _exactly(source: Source, offset: int, length: int) -> bytes:
    data = source.read(offset, length)
    if len(data) < length:
        raise TruncatedBinaryError("Its headers end beyond the end of the file.")
    return data

"""Small binaries and wheels made for tests: ELF, PE and fatbin containers with given images.

Only the headers that a reader may look at are there. Payloads are filler, as the reader must
never look into one.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PTX, SASS, LTO = 1, 2, 8
SPECIFIC, FAMILY = 1 << 20, 1 << 21
ORDINARY_FLAGS = 0x11


@dataclass(frozen=True)
class Image:
    """One entry of a container."""

    name: str
    payload: int = 64
    isa: tuple[int, int] = (9, 0)
    header: int = 64
    kind: int | None = None

    def encode(self) -> bytes:
        """Header and payload; `sm_90a` sets bit 20 of the flags, `sm_100f` bit 21."""
        prefix, _, number = self.name.partition("_")
        flags = ORDINARY_FLAGS | (SPECIFIC if number.endswith("a") else 0)
        flags |= FAMILY if number.endswith("f") else 0
        kind = self.kind or (SASS if prefix == "sm" else PTX)
        minor, major = (self.isa[1], self.isa[0]) if kind == PTX else (8, 1)
        head = struct.pack(
            "<HHIQIIHHIIIQQQ",
            kind,
            0x101,
            self.header,
            self.payload,
            0,
            0,
            minor,
            major,
            int(number.rstrip("af")),
            0,
            0,
            flags,
            0,
            0,
        )
        return head.ljust(self.header, b"\0") + b"\xcc" * self.payload


def images(names: str, **options: object) -> list[Image]:
    """`"sm_80 sm_90a compute_90"` as images."""
    return [Image(name, **options) for name in names.split()]  # type: ignore[arg-type]


def container(names: str | Sequence[Image] = "", trailing: bytes = b"") -> bytes:
    """One fatbin container; `trailing` lies inside it, behind the last image."""
    entries = images(names) if isinstance(names, str) else names
    body = b"".join(each.encode() for each in entries) + trailing
    return struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(body)) + body


@dataclass(frozen=True)
class Section:
    """A section of a binary to make."""

    name: str
    data: bytes
    kind: int = 1
    offset: int | None = None
    size: int | None = None


def fatbin(*containers: bytes, name: str = ".nv_fatbin") -> Section:
    """A section of containers."""
    return Section(name, b"".join(containers))


def records(*pairs: tuple[int, int]) -> Section:
    """`.nvFatBinSegment`, of pairs of version and address of the container."""
    data = b"".join(struct.pack("<IIQQ", 0x466243B1, version, at, 0) for version, at in pairs)
    return Section(".nvFatBinSegment", data)


def elf(
    *sections: Section,
    machine: int = 62,
    extended: bool = False,
    padding: int = 0,
) -> bytes:
    """An ELF file; sections lie at 64, 8-aligned, at the address of their offset.

    `extended` writes the number of sections as for more than 65,279 of them, `padding` adds so
    many empty sections.
    """
    names = [b"", *(each.name.encode() for each in sections), b".shstrtab"]
    table = b"\0".join(names) + b"\0"
    all_sections = [*sections, Section(".shstrtab", table, kind=3)]
    body, headers, at = b"", [struct.pack("<IIQQQQIIQQ", *[0] * 10)], 1
    first = struct.pack("<IIQQQQIIQQ", *[0] * 10)
    position = 64
    for each in all_sections:
        gap = -position % 8
        body += b"\0" * gap
        position += gap
        offset = position if each.offset is None else each.offset
        size = len(each.data) if each.size is None else each.size
        headers.append(
            struct.pack("<IIQQQQIIQQ", at, each.kind, 2, offset, offset, size, 0, 0, 8, 0)
        )
        body += each.data
        position += len(each.data)
        at += len(each.name) + 1
    index = len(headers) - 1
    headers += [first] * padding
    count = len(headers)
    if extended:
        headers[0] = struct.pack("<IIQQQQIIQQ", 0, 0, 0, 0, 0, count, index, 0, 0, 0)
    table_at = position + (-position % 8)
    head = b"\x7fELF" + bytes([2, 1, 1]) + b"\0" * 9
    head += struct.pack(
        "<HHIQQQIHHHHHH",
        3,
        machine,
        1,
        0,
        0,
        table_at,
        0,
        64,
        0,
        0,
        64,
        0 if extended else count,
        0xFFFF if extended else index,
    )
    return head + body + b"\0" * (table_at - position) + b"".join(headers)


_PE_NAMES = {
    ".nv_fatbin": b".nv_fatb",
    "__nv_relfatbin": b"__nv_rel",
    ".nvFatBinSegment": b".nvFatBi",
}
PE_BASE = 0x180000000


def pe(*sections: Section, machine: int = 0x8664, alignment: int = 512) -> bytes:
    """A 64-bit PE file; sections are padded to `alignment`, at the address of their offset."""
    optional = struct.pack("<H22xQ", 0x20B, PE_BASE).ljust(240, b"\0")
    head = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40)
    head += struct.pack("<4sHHIIIHH", b"PE\0\0", machine, len(sections), 0, 0, 0, len(optional), 0)
    head += optional
    position = -(-(len(head) + 40 * len(sections)) // alignment) * alignment
    table, body = b"", b""
    for each in sections:
        raw = -(-len(each.data) // alignment) * alignment
        name = _PE_NAMES.get(each.name, each.name.encode()[:8])
        table += struct.pack("<8sIIII16x", name, len(each.data), position, raw, position)
        body += each.data.ljust(raw, b"\0")
        position += raw
    whole = head + table
    return whole.ljust(-(-len(whole) // alignment) * alignment, b"\0") + body


def wheel(files: Iterable[tuple[str, bytes]], *, stored: bool = False) -> bytes:
    """A ZIP archive of files, deflated or stored."""
    out, directory = b"", b""
    for name, data in files:
        packed = data if stored else _deflate(data)
        method = 0 if stored else 8
        common = struct.pack(
            "<5H3I2H", 20, 0, method, 0, 33, zlib.crc32(data), len(packed), len(data), len(name), 0
        )
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + common
        directory += struct.pack("<HHHII", 0, 0, 0, 0, len(out)) + name.encode()
        out += b"PK\x03\x04" + common + name.encode() + packed
    count = directory.count(b"PK\x01\x02")
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(out), 0)
    return out + directory + end


def _deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(6, zlib.DEFLATED, -15)
    return engine.compress(data) + engine.flush()

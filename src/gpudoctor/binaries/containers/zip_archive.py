"""The members of a wheel (a ZIP archive), read one at a time.

Structure: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3 (ZIP64). `zipfile` would hold an object
for every entry that a hostile archive claims, and costs 20 ms to import.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from gpudoctor.binaries.source import Source, TruncatedBinaryError, UnreadableBinaryError
from gpudoctor.model.value import dataclass

_END = struct.Struct("<4s4H2IH")
_END64_LOCATOR = struct.Struct("<4sIQI")
_END64 = struct.Struct("<4sQ2H2I4Q")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_SATURATED = 0xFFFFFFFF
_ENCRYPTED = 1

STORED, DEFLATED = 0, 8

# torch's wheel has 12,000 members; the comment behind the end record has at most 64 KiB.
_MOST_MEMBERS = 1 << 18
_LONGEST_END = _END.size + 0xFFFF
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Member:
    """One file in an archive; sizes and offsets in bytes."""

    name: str
    method: int
    compressed: int
    size: int
    header: int
    """Offset of its local header."""
    encrypted: bool


def members(source: Source) -> Iterator[Member]:
    """The members, from the central directory at the end.

    Raises:
        UnreadableBinaryError: it is no ZIP archive, is cut short, or contradicts itself.
    """
    offset, length, count = _directory(source)
    if count > _MOST_MEMBERS:
        raise UnreadableBinaryError(f"It claims {count} members, more than any wheel has.")
    if offset + length > source.size:
        raise TruncatedBinaryError("Its directory lies beyond the end of the file.")
    window, at, read = b"", 0, 0
    for _ in range(count):
        # An entry has at most 46 bytes and three fields of 64 KiB.
        if len(window) - at < _ENTRY.size + 3 * 0xFFFF and read < length:
            more = source.read(offset + read, min(_CHUNK, length - read))
            window, at, read = window[at:] + more, 0, read + len(more)
            if not more:
                read = length
        member, at = _member(window, at)
        yield member


def data_offset(source: Source, member: Member) -> int:
    """Where the member's data begins, in bytes.

    Raises:
        UnreadableBinaryError: there is no local header where the directory says.
    """
    header = source.read(member.header, _LOCAL.size)
    if len(header) < _LOCAL.size or header[:4] != b"PK\x03\x04":
        raise UnreadableBinaryError("It has no header where the archive's directory says.")
    name, extra = _LOCAL.unpack(header)[-2:]
    return int(member.header + _LOCAL.size + name + extra)


def _directory(source: Source) -> tuple[int, int, int]:
    """Offset, length and number of entries of the central directory."""
    tail_at = max(0, source.size - _LONGEST_END)
    tail = source.read(tail_at, _LONGEST_END)
    at = _end_record(tail)
    *_, count, length, offset, _ = _END.unpack_from(tail, at)
    locator = at - _END64_LOCATOR.size
    if locator >= 0 and tail[locator : locator + 4] == b"PK\x06\x07":
        end64_at = _END64_LOCATOR.unpack_from(tail, locator)[2]
        end64 = source.read(end64_at, _END64.size)
        if len(end64) < _END64.size or end64[:4] != b"PK\x06\x06":
            raise UnreadableBinaryError("It is no complete ZIP archive: it has no directory.")
        *_, count, length, offset = _END64.unpack(end64)
    return offset, length, count


def _end_record(tail: bytes) -> int:
    """Where the end record begins: the last one whose comment reaches to the end of the file."""
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        behind = len(tail) - at - _END.size
        if behind >= 0 and _END.unpack_from(tail, at)[-1] == behind:
            return at
        at = tail.rfind(b"PK\x05\x06", 0, at)
    raise UnreadableBinaryError("It is no complete ZIP archive: it has no directory.")


def _member(window: bytes, at: int) -> tuple[Member, int]:
    if at + _ENTRY.size > len(window) or window[at : at + 4] != b"PK\x01\x02":
        raise UnreadableBinaryError("Its directory has fewer entries than it claims.")
    fields = _ENTRY.unpack_from(window, at)
    flags, method, compressed, size = fields[3], fields[4], fields[8], fields[9]
    name_length, extra_length, comment_length, header = *fields[10:13], fields[16]
    at += _ENTRY.size
    name = window[at : at + name_length].decode("utf-8", "replace")
    extra = window[at + name_length : at + name_length + extra_length]
    if _SATURATED in (compressed, size, header):
        size, compressed, header = _zip64(extra, size, compressed, header)
    member = Member(name, method, compressed, size, header, bool(flags & _ENCRYPTED))
    return member, at + name_length + extra_length + comment_length


def _zip64(extra: bytes, size: int, compressed: int, header: int) -> tuple[int, int, int]:
    """The values that did not fit 32 bits: the extra field has them in this order."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            values = iter(
                struct.unpack_from(f"<{min(length, len(extra) - at - 4) // 8}Q", extra, at + 4)
            )
            size = next(values, size) if size == _SATURATED else size
            compressed = next(values, compressed) if compressed == _SATURATED else compressed
            header = next(values, header) if header == _SATURATED else header
            break
        at += 4 + length
    return size, compressed, header

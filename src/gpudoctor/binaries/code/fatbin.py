"""Fatbin containers: which images of device code a section holds.

A container has a header of 16 bytes (magic, version, header size, payload size) and then
entries, each with a header of its own and a payload, which may be compressed and is never
looked at. NVIDIA documents neither; docs/binary-format.md says what is known of each field,
from what, and how it is held against NVIDIA's own disassembler.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from gpudoctor.binaries.budget import Budget
from gpudoctor.binaries.source import (
    Source,
    TooCostlyError,
    TruncatedBinaryError,
    UnreadableBinaryError,
)

MAGIC = 0xBA55ED50
MAGIC_BYTES = MAGIC.to_bytes(4, "little")
_CONTAINER = struct.Struct("<IHHQ")
# kind, header size, payload size, 8 bytes of compression, minor, major, architecture,
# 8 bytes of name, flags
_ENTRY = struct.Struct("<H2xIQ8xHHI8xQ")
ENTRY_BYTES = _ENTRY.size
"""As much of an entry as is looked at."""
_KIND_PTX, _KIND_SASS = 1, 2
_FLAG_SPECIFIC, _FLAG_FAMILY = 1 << 20, 1 << 21

# One read takes a container's header and its first entry's, and often the next entry's too.
WINDOW = 512
_ALIGNMENT = 8

_PADDING_CHUNK = 1 << 20


class FatbinImage(NamedTuple):
    """One entry of a container, as its header describes it."""

    kind: int
    """1 is PTX, 2 SASS; others (LTO intermediate code) are not loaded by themselves."""
    architecture: int
    """120 for 12.0."""
    suffix: str = ""
    """`a` architecture-specific, `f` family."""
    isa: tuple[int, int] = (0, 0)
    """Major and minor version of the PTX ISA; (0, 0) for SASS."""

    @property
    def name(self) -> str:
        """`sm_90a`, `compute_120`."""
        prefix = "compute" if self.kind == _KIND_PTX else "sm"
        return f"{prefix}_{self.architecture}{self.suffix}"

    @property
    def is_sass(self) -> bool:
        """Whether it is machine code."""
        return self.kind == _KIND_SASS

    @property
    def is_ptx(self) -> bool:
        """Whether it is PTX."""
        return self.kind == _KIND_PTX


_Raw = tuple[int, int, int, int, int]


Containers = dict[tuple[FatbinImage, ...], list[int]]
"""Which containers, by the offset of their header, hold exactly these images."""


def walk(source: Source, start: int, size: int, budget: Budget) -> Containers:
    """Read every container between `start` and `start + size`; offsets in bytes.

    Empty containers stand under the empty tuple.

    Raises:
        UnreadableBinaryError: a container or an entry does not fit where it claims to be, or
            the section takes more than the budget allows.
    """
    end = start + size
    position = start
    found: dict[tuple[_Raw, ...], list[int]] = {}
    while position + _CONTAINER.size <= end:
        window = source.read(position, min(WINDOW, end - position))
        if len(window) < _CONTAINER.size:
            raise TruncatedBinaryError(f"The file ends inside its device code, at {position}.")
        magic, version, header, payload = _CONTAINER.unpack_from(window)
        if magic != MAGIC:
            following = _next_container(source, position, end, budget)
            if following is None:
                break
            position = following
            continue
        if version != 1 or header < _CONTAINER.size or header % _ALIGNMENT:
            raise UnreadableBinaryError(
                f"The device code at {position} has version {version} and a header of {header} "
                "bytes, which this gpudoctor does not know."
            )
        close = position + header + payload
        if close > end:
            raise UnreadableBinaryError(
                f"The device code at {position} claims {payload} bytes, more than there are."
            )
        budget.step()
        entries = _entries(source, position + header, close, window, position, budget)
        found.setdefault(entries, []).append(position)
        position = close
    return _named(found)


def find(source: Source, start: int, size: int, budget: Budget) -> Containers:
    """The containers that lie among other data between `start` and `start + size`.

    Raises:
        UnreadableBinaryError: the section takes more than the budget allows.
    """
    found: Containers = {}
    end, position = start + size, start
    while (at := _next_container(source, position, end, budget)) is not None:
        position = at + _ALIGNMENT
        head = source.read(at, _CONTAINER.size)
        if len(head) < _CONTAINER.size:
            break
        _, version, header, payload = _CONTAINER.unpack(head)
        if version != 1 or header != _CONTAINER.size or at + header + payload > end:
            continue
        try:
            container = walk(source, at, header + payload, budget)
        except TooCostlyError:
            raise
        except UnreadableBinaryError:
            continue  # the magic number stood there by chance
        for images, starts in container.items():
            found.setdefault(images, []).extend(starts)
        position = at + header + payload
    return found


def _entries(
    source: Source, begin: int, close: int, window: bytes, window_at: int, budget: Budget
) -> tuple[_Raw, ...]:
    """The headers of the entries between `begin` and `close`."""
    found = []
    position = begin
    unpack, header_bytes = _ENTRY.unpack_from, _ENTRY.size
    while position + header_bytes <= close:
        at = position - window_at
        if at + header_bytes > len(window):
            window = source.read(position, min(WINDOW, close - position))
            window_at, at = position, 0
            if len(window) < header_bytes:
                raise TruncatedBinaryError(f"The file ends inside its device code, at {position}.")
        kind, header, payload, minor, major, architecture, flags = unpack(window, at)
        if not kind and not header:
            break  # zeros behind the last entry
        position += header + payload
        if header < header_bytes or position > close:
            raise UnreadableBinaryError(
                f"The image at {window_at + at} claims {header} + {payload} bytes, "
                "which its container does not hold."
            )
        budget.step()
        found.append((kind, architecture, flags, major, minor))
    return tuple(found)


def _next_container(source: Source, position: int, end: int, budget: Budget) -> int | None:
    """Where the next container begins behind bytes that are none, or `None`."""
    if (known := getattr(source, "next_container", None)) is not None:
        following = known(position, end)
        if following is not None:
            return following if following < end else None
    position += -position % _ALIGNMENT  # then no magic lies across two chunks
    while position < end:
        chunk = source.read(position, min(_PADDING_CHUNK, end - position))
        if not chunk:
            raise TruncatedBinaryError(f"The file ends inside its device code, at {position}.")
        at = chunk.find(MAGIC_BYTES)
        while at >= 0 and at % _ALIGNMENT:
            budget.step()
            at = chunk.find(MAGIC_BYTES, at + 1)
        budget.search(len(chunk) if at < 0 else at)
        if at >= 0:
            return position + at
        position += len(chunk)
    return None


def _named(found: dict[tuple[_Raw, ...], list[int]]) -> Containers:
    result: Containers = {}
    for raw, starts in found.items():
        result.setdefault(tuple(sorted(map(_image, raw))), []).extend(starts)
    return result


def _image(raw: _Raw) -> FatbinImage:
    kind, architecture, flags, major, minor = raw
    suffix = "a" if flags & _FLAG_SPECIFIC else "f" if flags & _FLAG_FAMILY else ""
    return FatbinImage(kind, architecture, suffix, (major, minor) if kind == _KIND_PTX else (0, 0))

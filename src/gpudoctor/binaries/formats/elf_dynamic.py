"""ELF: which shared libraries a library needs, and where it says that they lie.

Structure: System V gABI, chapter 5 (dynamic section): entries of two 64-bit words, the strings in
`.dynstr`.
"""

from __future__ import annotations

import struct

from gpudoctor.binaries.formats.elf import ELF, read_elf
from gpudoctor.binaries.source import Source
from gpudoctor.model.value import dataclass

_ENTRY = struct.Struct("<QQ")
_NEEDED, _RPATH, _RUNPATH, _END = 1, 15, 29, 0
_MOST_ENTRIES = 1 << 12
_LONGEST = 1 << 13
_WANTED = {b".dynamic": ".dynamic", b".dynstr": ".dynstr"}


@dataclass(frozen=True, slots=True)
class Dynamic:
    """What the loader reads of a library."""

    needed: tuple[str, ...]
    """Names of the libraries that must be there: `libcudss.so.0`."""
    search: tuple[str, ...]
    """Its own folders to look in first; `$ORIGIN` is the folder of the library."""


def read_dynamic(source: Source) -> Dynamic | None:
    """The dynamic section of an ELF file; `None` where it is none, or has no such section.

    Raises:
        UnreadableBinaryError: its headers contradict the file.
    """
    head = source.read(0, 64)
    if head[:4] != ELF:
        return None
    binary = read_elf(source, head, _WANTED)
    found = {section.name: section for section in binary.sections} if binary else {}
    if len(found) < len(_WANTED):
        return None
    table, strings = found[".dynamic"], found[".dynstr"]
    data = source.read(table.offset, min(table.size, _MOST_ENTRIES * _ENTRY.size))
    needed: list[str] = []
    search: list[str] = []
    for tag, value in _ENTRY.iter_unpack(data[: len(data) // _ENTRY.size * _ENTRY.size]):
        if tag == _END:
            break
        if tag not in (_NEEDED, _RPATH, _RUNPATH) or value >= strings.size:
            continue
        room = min(_LONGEST, strings.size - value)
        text = (
            source.read(strings.offset + value, room).split(b"\0", 1)[0].decode("utf-8", "replace")
        )
        if tag == _NEEDED:
            needed.append(text)
        else:
            search += [part for part in text.split(":") if part]
    return Dynamic(tuple(needed), tuple(search))

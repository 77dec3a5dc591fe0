"""The members of an `ar` archive: static libraries, and Intel's images for several GPUs.

Format: "Common archive file format" (ar(5)): 60 bytes of text before each member; long names in
a member `//` (System V) or before the data (BSD, `#1/length`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.binaries.budget import Budget
from gpudoctor.binaries.source import Source, UnreadableBinaryError
from gpudoctor.model.value import dataclass

MAGIC = b"!<arch>\n"
_HEADER = 60
_SIZE = slice(48, 58)
_END = b"`\n"
_LONGEST_NAME = 1 << 12
_LARGEST_NAMES = 16 << 20


@dataclass(frozen=True, slots=True)
class ArMember:
    """One file in an archive; offset and size in bytes."""

    name: str
    offset: int
    size: int


def ar_members(
    source: Source, budget: Budget, start: int = 0, end: int | None = None
) -> Iterator[ArMember]:
    """The members between `start` and `end`, tables of symbols and of names left out.

    Raises:
        UnreadableBinaryError: it is no archive, or is cut short.
    """
    end = source.size if end is None else end
    if source.read(start, len(MAGIC)) != MAGIC:
        raise UnreadableBinaryError("It is no archive.")
    names, at = b"", start + len(MAGIC)
    while at + _HEADER <= end:
        budget.step()
        header = source.read(at, _HEADER)
        digits = header[_SIZE].strip()
        if len(header) < _HEADER or header[58:] != _END or not digits.isdigit():
            raise UnreadableBinaryError("A member of the archive has no header.")
        offset, size = at + _HEADER, int(digits)
        if offset + size > end:
            raise UnreadableBinaryError("A member of the archive ends beyond its end.")
        raw = header[:16].rstrip()
        if raw == b"//":
            names = source.read(offset, min(size, _LARGEST_NAMES))
        elif raw not in (b"/", b"/SYM64/") and not raw.startswith(b"__.SYMDEF"):
            yield _member(source, raw, names, offset, size)
        at = offset + size + size % 2


def _member(source: Source, raw: bytes, names: bytes, offset: int, size: int) -> ArMember:
    if raw.startswith(b"#1/") and raw[3:].isdigit():
        length = min(int(raw[3:]), size, _LONGEST_NAME)
        name = source.read(offset, length).rstrip(b"\0")
        offset, size = offset + length, size - length
    elif raw.startswith(b"/") and raw[1:].isdigit():
        name = _from(names, int(raw[1:])).partition(b"/\n")[0]
    else:
        name = raw.removesuffix(b"/")
    return ArMember(name.decode("utf-8", "replace"), offset, size)


def _from(names: bytes, at: int) -> bytes:
    return names[at : at + _LONGEST_NAME]

"""AMD's offload bundles: which targets the device code of a library is for.

A plain bundle is 24 bytes of magic, the number of its entries, and for each an offset, a size and
a label; a compressed one (`CCOB`, versions 1 to 3) is the same behind a header of its own, of
which only the first kilobytes are decompressed. Format: "Clang Offload Bundler" in Clang's
manual; docs/binary-format.md says what it was held against.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import partial

from gpudoctor.binaries.budget import Budget
from gpudoctor.binaries.code.amdgpu import agree, target_of
from gpudoctor.binaries.containers.inflated import InflatedSource, Stream, Zlib
from gpudoctor.binaries.containers.zstd import zstd
from gpudoctor.binaries.formats.sections import BinarySection
from gpudoctor.binaries.source import Source, UnreadableBinaryError
from gpudoctor.model.value import dataclass

PLAIN = b"__CLANG_OFFLOAD_BUNDLE__"
COMPRESSED = b"CCOB"
_COUNT = struct.Struct("<Q")
_ENTRY = struct.Struct("<QQQ")
_LONGEST_LABEL = 256
_HEADER_BYTES = 1 << 12
_SEARCHED = 1 << 16
_STREAMS: dict[int, Callable[[int], Stream]] = {0: Zlib, 1: zstd}
# Version → how its sizes are written: of the whole, and of what it decompresses to; then 8 bytes
# of hash. Version 1 does not say how long it is.
_SIZES = {1: struct.Struct("<I8x"), 2: struct.Struct("<II8x"), 3: struct.Struct("<QQ8x")}


@dataclass(frozen=True, slots=True)
class Bundle:
    """One bundle: the targets of its code objects."""

    offset: int
    targets: tuple[str, ...]
    mislabelled: tuple[tuple[str, str], ...] = ()
    """Labels beside the targets that the code objects' own headers name."""
    endless: bool = False
    """Whether it does not say where it ends."""


def read_bundles(
    source: Source, section: BinarySection, budget: Budget, pointers: Sequence[int] = ()
) -> list[Bundle]:
    """Every bundle of a section.

    `pointers` are the addresses where the host code expects bundles: the way past one that does
    not say how long it is.

    Raises:
        UnreadableBinaryError: a bundle does not fit where it claims to be, is compressed in a
            way that cannot be undone here, or takes more than the budget allows.
    """
    found = []
    position, end = section.offset, section.offset + section.size
    ahead = sorted((each - section.address + section.offset for each in pointers), reverse=True)
    while position < end:
        head = source.read(position, min(len(PLAIN) + _COUNT.size, end - position))
        budget.step()
        if head.startswith(PLAIN):
            bundle, close = _plain(source, position, end, budget)
        elif head.startswith(COMPRESSED):
            bundle, length = _compressed(source, position, end, head, budget)
            while ahead and ahead[-1] <= position:
                ahead.pop()
            close = min(end, position + length if length else ahead[-1] if ahead else end)
        elif head.startswith(b"\0"):
            position = _next(source, position, end, budget)
            continue
        else:
            raise UnreadableBinaryError(
                f"The device code at {position} has a form that this gpudoctor does not know."
            )
        found.append(bundle)
        position = close
    return found


def relocatable_target(section: str) -> str | None:
    """`gfx90a` of `__CLANG_OFFLOAD_BUNDLE__hip-amdgcn-amd-amdhsa--gfx90a`, in an object file."""
    return _target(section.encode())


def _plain(source: Source, position: int, end: int, budget: Budget) -> tuple[Bundle, int]:
    """A plain bundle, and where it ends."""
    targets, mislabelled = [], []
    close = position + len(PLAIN) + _COUNT.size
    for label, offset, size in _entries(source, position, end - position, budget):
        begin = position + offset
        if begin + size > end:
            raise UnreadableBinaryError(f"The bundle at {position} claims more than there is.")
        close = max(close, begin + size)
        target = _target(label)
        if target is None or not size:
            continue
        own = target_of(source.read(begin, min(size, 64)))
        if own is not None and not agree(target, own):
            mislabelled.append((target, own))
        else:
            targets.append(target)
    return Bundle(position, tuple(targets), tuple(mislabelled)), close


def _compressed(
    source: Source, position: int, end: int, head: bytes, budget: Budget
) -> tuple[Bundle, int]:
    """A compressed bundle, and its length; 0 if it does not say."""
    version, method = struct.unpack_from("<HH", head, 4) if len(head) >= 8 else (0, 0)
    sizes, stream = _SIZES.get(version), _STREAMS.get(method)
    if sizes is None or stream is None:
        raise UnreadableBinaryError(
            f"Its compressed bundle has version {version} and method {method}, which this "
            "gpudoctor does not know."
        )
    fields = source.read(position + 8, sizes.size)
    if len(fields) < sizes.size:
        raise UnreadableBinaryError("The file ends inside its device code.")
    *whole, unpacked = sizes.unpack(fields)
    length = whole[0] if whole else 0
    header = 8 + sizes.size
    if position + max(length, header) > end or 0 < length < header:
        raise UnreadableBinaryError(f"The bundle at {position} claims more than there is.")
    packed = (position + length if length else end) - position - header
    make = partial(stream, _HEADER_BYTES)
    inner = InflatedSource(source, position + header, packed, unpacked, budget, stream=make)
    if inner.read(0, len(PLAIN)) != PLAIN:
        raise UnreadableBinaryError("What its compressed bundle holds is no bundle.")
    targets = []
    for label, _, size in _entries(inner, 0, unpacked, budget):
        target = _target(label)
        if target is not None and size:
            targets.append(target)
    return Bundle(position, tuple(targets), endless=not length), length


def _entries(
    source: Source, position: int, size: int, budget: Budget
) -> list[tuple[bytes, int, int]]:
    """Label, offset and size of each entry; offsets are from the beginning of the bundle."""
    at = position + len(PLAIN)
    data = source.read(at, _COUNT.size)
    count = _COUNT.unpack(data)[0] if len(data) == _COUNT.size else 0
    at += _COUNT.size
    budget.step(min(count, size))
    if count * _ENTRY.size > size:
        raise UnreadableBinaryError(f"The bundle at {position} claims {count} entries.")
    found = []
    for _ in range(count):
        data = source.read(at, _ENTRY.size + _LONGEST_LABEL)
        if len(data) < _ENTRY.size:
            raise UnreadableBinaryError("The file ends inside its device code.")
        offset, length, label_length = _ENTRY.unpack_from(data)
        label = data[_ENTRY.size : _ENTRY.size + label_length]
        if len(label) < label_length:
            raise UnreadableBinaryError(f"The bundle at {position} has no sound labels.")
        found.append((label, offset, length))
        at += _ENTRY.size + label_length
    return found


def _target(label: bytes) -> str | None:
    """`gfx90a:xnack-` of `hipv4-amdgcn-amd-amdhsa--gfx90a:xnack-`; `None` for the host's entry."""
    text = label.decode("ascii", "replace")
    _, system, rest = text.partition("-amd-amdhsa-")
    if not system:
        return None
    return rest if rest.startswith("gfx") else rest.partition("-")[2] or None


def _next(source: Source, position: int, end: int, budget: Budget) -> int:
    """Where the zeros between two bundles end, or `end`."""
    while position < end:
        chunk = source.read(position, min(_SEARCHED, end - position))
        if not chunk:
            raise UnreadableBinaryError(f"The file ends inside its device code, at {position}.")
        rest = len(chunk.lstrip(b"\0"))
        budget.search(len(chunk) - rest)
        position += len(chunk) - rest
        if rest:
            return position
    return end

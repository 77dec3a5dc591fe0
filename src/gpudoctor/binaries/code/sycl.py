"""Intel's SYCL images: for which GPUs they were compiled ahead of time, or at run time.

The images lie in sections named after their target and are listed in `.tgtimg`, by address and
by size before compression. An image is a zstd frame or lies open; inside is SPIR-V, which the
driver compiles, or an `ar` archive whose members are named after the IP versions of GPUs
(`64.12.60.7`). docs/binary-format.md says from what this was found out.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

from gpudoctor.binaries.budget import Budget
from gpudoctor.binaries.containers import ar_archive
from gpudoctor.binaries.containers.inflated import InflatedSource
from gpudoctor.binaries.containers.zstd import MAGIC as ZSTD
from gpudoctor.binaries.containers.zstd import content_size, zstd
from gpudoctor.binaries.formats.sections import BinarySection
from gpudoctor.binaries.source import PartSource, Source

SPIRV, OTHER = "spirv", "other"
_SPIRV_MAGIC = b"\x03\x02\x23\x07"
_SPIRV_WITHOUT_KERNELS = 256
"""dpctl brings a module of 88 bytes that holds nothing."""
_IMAGE = struct.Struct("<QQ")
_AT_ONCE = 1 << 16
_RELOCATION = struct.Struct("<QQQ")
_RELOCATIONS_AT_ONCE = 1 << 14
_RELATIVE = (8, 1027)
"""R_X86_64_RELATIVE and R_AARCH64_RELATIVE: the address is the addend."""
_BITS = "64."


def read_images(
    source: Source,
    sections: Sequence[BinarySection],
    table: BinarySection | None,
    budget: Budget,
    relocations: BinarySection | None = None,
) -> Counter[str]:
    """How many images there are of each kind: by IP version, `spirv`, or `other`.

    `sections` are those that hold images, `table` is `.tgtimg`, `relocations` `.rela.dyn`.

    Raises:
        UnreadableBinaryError: an image contradicts itself, or is compressed in a way that cannot
            be undone here.
    """
    found: Counter[str] = Counter()
    for offset, room, size in _places(source, sections, table, budget, relocations):
        budget.step()
        data: Source = PartSource(source, offset, min(room, size) if size else room)
        head = data.read(0, 18)
        if head[:4] == ZSTD:
            make = partial(zstd, _AT_ONCE)
            unpacked = content_size(head) or size
            data = InflatedSource(source, offset, room, unpacked, budget, stream=make)
        found.update(_kinds(data, budget))
    return found


def _places(
    source: Source,
    sections: Sequence[BinarySection],
    table: BinarySection | None,
    budget: Budget,
    relocations: BinarySection | None,
) -> Iterable[tuple[int, int, int]]:
    """Offset, room and size (0: unknown) of each image, in the order of the file."""
    listed = []
    ordered = sorted(sections, key=lambda each: each.address)
    begins = [each.address for each in ordered]
    if table is not None:
        budget.step(table.size // _IMAGE.size)
        data = source.read(table.offset, table.size // _IMAGE.size * _IMAGE.size)
        entries = list(_IMAGE.iter_unpack(data[: len(data) // _IMAGE.size * _IMAGE.size]))
        if relocations is not None and entries and not any(address for address, _ in entries):
            moved = _relocated(source, table, relocations, budget)
            entries = [
                (moved.get(table.address + place * _IMAGE.size, 0), size)
                for place, (_, size) in enumerate(entries)
            ]
        for address, size in entries:
            index = bisect_right(begins, address) - 1
            if address and index >= 0:
                section = ordered[index]
                offset = address - section.address + section.offset
                room = section.offset + section.size - offset
                if room > 0:
                    listed.append((offset, room, size))
    if listed:
        return sorted(set(listed))
    # The linker left the addresses to the loader: what is known is what each section begins with.
    return [(each.offset, each.size, 0) for each in sections if each.size]


def _relocated(
    source: Source, table: BinarySection, relocations: BinarySection, budget: Budget
) -> dict[int, int]:
    """Where the loader will put addresses into the table: place → address.

    Some linkers (lld) leave zeros in the table and the addresses in the relocations alone.
    """
    found: dict[int, int] = {}
    end, at = table.address + table.size, relocations.offset
    last = at + relocations.size // _RELOCATION.size * _RELOCATION.size
    while at < last:
        length = min(_RELOCATIONS_AT_ONCE * _RELOCATION.size, last - at)
        data = source.read(at, length)
        budget.step(length // _RELOCATION.size)
        for place, info, addend in _RELOCATION.iter_unpack(
            data[: len(data) // _RELOCATION.size * _RELOCATION.size]
        ):
            if table.address <= place < end and info in _RELATIVE:
                found[place] = addend
        at += length
    return found


def _kinds(data: Source, budget: Budget) -> Iterable[str]:
    head = data.read(0, len(ar_archive.MAGIC))
    if head[:4] == _SPIRV_MAGIC:
        return [SPIRV] if data.size > _SPIRV_WITHOUT_KERNELS else []
    if head != ar_archive.MAGIC:
        return [OTHER]
    return [
        name.removeprefix(_BITS)
        for name in (each.name for each in ar_archive.ar_members(data, budget))
        if name.startswith(_BITS)
    ]

"""One binary: which device code it carries, by kernel."""

from __future__ import annotations

from collections import Counter

from gpudoctor.binaries.budget import Budget
from gpudoctor.binaries.code.fatbin import Containers, Image, walk
from gpudoctor.binaries.code.groups import group
from gpudoctor.binaries.code.registered import Records, registered
from gpudoctor.binaries.formats.elf import ELF, read_elf
from gpudoctor.binaries.formats.pe import read_pe
from gpudoctor.binaries.formats.sections import Binary
from gpudoctor.binaries.source import FileSource, Source, UnreadableBinaryError
from gpudoctor.model.library import Library

_HEAD = 64


def read_library(path: str) -> Library | None:
    """The device code of the ELF or PE file at `path`, from its headers alone.

    `None` if the file is neither, or carries no device code. Takes about 2 microseconds for
    each image (docs/binary-format.md), whatever the file's size.

    Raises:
        UnreadableBinaryError: the file cannot be read, or contradicts itself.
    """
    try:
        with FileSource(path) as source:
            if source.size < _HEAD:
                return None
            return read_source(source, path)
    except OSError as error:
        raise UnreadableBinaryError(f"{error.strerror}.", path) from error
    except UnreadableBinaryError as error:
        raise error.at(path) from error


def read_source(
    source: Source, path: str, distribution: str | None = None, budget: Budget | None = None
) -> Library | None:
    """The device code of a binary that `source` gives; `path` is what the library is called.

    `budget` is what its reading may cost; without one, what a file of its size may.

    Raises:
        UnreadableBinaryError: it contradicts itself; the message does not name the path.
        OSError: the source failed.
    """
    budget = budget or Budget(source.size)
    binary = _binary(source, budget)
    if binary is None or not binary.sections:
        return None
    if isinstance(source, FileSource):
        source.expect_scattered_reads()
    linked: Containers = {}
    relocatable: Containers = {}
    records = Records()
    # In the order of the file, so that a wheel's member is decompressed once for all of them.
    for section in binary.sections:
        if section.name == ".nv_fatbin":
            _merge(linked, walk(source, section.offset, section.size, budget))
        elif section.name == "__nv_relfatbin":
            _merge(relocatable, walk(source, section.offset, section.size, budget))
        else:
            records.read(source, section, budget)
    starts = {start for places in linked.values() for start in places}
    groups = group(linked, registered(records, binary.sections, starts))
    relocatable_groups = group(relocatable)
    if not groups and not relocatable_groups:
        return None
    return Library(
        path=path,
        distribution=distribution,
        format=binary.format,
        machine=binary.machine,
        fatbins=sum(len(starts) for images, starts in linked.items() if images),
        sass=_image_counts(linked, sass=True),
        ptx=_image_counts(linked, sass=False),
        groups=groups,
        relocatable=relocatable_groups,
    )


def _binary(source: Source, budget: Budget) -> Binary | None:
    head = source.read(0, _HEAD)
    if head[:4] == ELF:
        return read_elf(source, head, budget=budget)
    return read_pe(source, head) if head[:2] == b"MZ" else None


def _merge(total: Containers, more: Containers) -> None:
    for images, starts in more.items():
        total.setdefault(images, []).extend(starts)


def _image_counts(containers: Containers, *, sass: bool) -> dict[str, int]:
    """How many images there are of each architecture, in the order of the architectures."""
    totals: Counter[Image] = Counter()
    for images, starts in containers.items():
        for image in images:
            if image.is_sass if sass else image.is_ptx:
                totals[Image(image.kind, image.architecture, image.suffix)] += len(starts)
    return {image.name: totals[image] for image in sorted(totals)}

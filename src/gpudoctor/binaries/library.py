"""One binary: which device code it carries, by kernel."""

from __future__ import annotations

from collections import Counter

from gpudoctor.binaries.elf import ELF, read_elf
from gpudoctor.binaries.fatbin import Budget, Containers, Image, walk
from gpudoctor.binaries.groups import group
from gpudoctor.binaries.pe import read_pe
from gpudoctor.binaries.registered import Record, read_records, registered
from gpudoctor.binaries.sections import Binary
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
        raise UnreadableBinaryError(error.reason, path) from error


def read_source(source: Source, path: str, distribution: str | None = None) -> Library | None:
    """The device code of a binary that `source` gives; `path` is what the library is called.

    Raises:
        UnreadableBinaryError: it contradicts itself; the message does not name the path.
        OSError: the source failed.
    """
    head = source.read(0, _HEAD)
    binary: Binary | None = None
    if head[:4] == ELF:
        binary = read_elf(source, head)
    elif head[:2] == b"MZ":
        binary = read_pe(source, head)
    if binary is None or not binary.sections:
        return None
    if isinstance(source, FileSource):
        source.expect_scattered_reads()
    budget = Budget()
    linked: Containers = {}
    relocatable: Containers = {}
    records: list[Record] = []
    # In the order of the file, so that a wheel's member is decompressed once for all of them.
    for section in sorted(binary.sections, key=lambda each: each.offset):
        if section.name == ".nv_fatbin":
            _merge(linked, walk(source, section.offset, section.size, budget))
        elif section.name == "__nv_relfatbin":
            _merge(relocatable, walk(source, section.offset, section.size, budget))
        else:
            records += read_records(source, section)
    groups = group(linked, registered(records, binary.sections))
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

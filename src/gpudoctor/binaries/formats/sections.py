"""What the readers of ELF and PE have in common: a section, and what a binary says of itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from gpudoctor.binaries.source import TooCostlyError
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True)
class BinarySection:
    """A named stretch of a binary; offset and size in bytes, within the file."""

    name: str
    """Its whole name, also where PE cuts it: `.nv_fatbin`."""
    offset: int
    size: int
    address: int
    """Where pointers inside the binary expect it, in bytes."""


@dataclass(frozen=True, slots=True)
class Binary:
    """A binary's format, processor, and those of its sections that have to do with GPUs."""

    format: Literal["elf", "pe"]
    machine: str | None
    """`x86_64`, `aarch64`, `ppc64le`; `None` for another processor."""
    sections: tuple[BinarySection, ...]


def in_order(sections: Iterable[BinarySection]) -> tuple[BinarySection, ...]:
    """The sections by their place in the file.

    No linker makes two of them overlap, so that together they have at most the file's bytes.

    Raises:
        TooCostlyError: some do, so that bytes would be read more than once.
    """
    ordered = sorted(sections, key=lambda each: (each.offset, each.size))
    end = 0
    for section in ordered:
        if section.size and section.offset < end:
            raise TooCostlyError(f"Its section {section.name} overlaps another.")
        end = max(end, section.offset + section.size)
    return tuple(ordered)

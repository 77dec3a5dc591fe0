"""Which GPUs a `ptxas` can assemble for, read from its strings without running it.

ptxas has a name for each virtual architecture that it accepts, `compute_120a`, and for no
other; that its list is the one printed by `ptxas --help` was checked for CUDA 12.1 to 13.4
(docs/binary-format.md). Its `sm_` names are no use: they include what it no longer accepts.
"""

from __future__ import annotations

import os
import re

from gpudoctor.binaries.formats.elf import ELF, read_elf
from gpudoctor.binaries.source import FileSource, Source, UnreadableBinaryError
from gpudoctor.compat.architecture import Architecture
from gpudoctor.model.value import dataclass

_VIRTUAL = re.compile(rb"compute_(\d{2,3}[af]?)\x00")
_VERSION = re.compile(rb"Cuda compilation tools, release \d+\.\d+, V(\d+\.\d+\.\d+)")
_CHUNK = 1 << 20
_LONGEST = 64
_LARGEST = 256 << 20
"""The largest known has 46 MB."""


@dataclass(frozen=True, slots=True)
class Ptxas:
    """What a ptxas says of itself."""

    architectures: tuple[str, ...]
    """`sm_75`, `sm_90a`, `sm_120f` …, in order; empty if it names none."""
    version: str | None
    """`12.8.93`."""


def read_ptxas(path: str) -> Ptxas:
    """The architectures and the version of the ptxas at `path`.

    Raises:
        UnreadableBinaryError: it cannot be read.
    """
    try:
        with FileSource(path) as source:
            return _read(source)
    except OSError as error:
        raise UnreadableBinaryError(f"{error.strerror}.", path) from error


def ptxas_architectures(path: str) -> tuple[str, ...]:
    """What the ptxas at `path` can assemble: `sm_75`, `sm_90a` …

    Raises:
        UnreadableBinaryError: it cannot be read.
    """
    return read_ptxas(path).architectures


def triton_ptxas(triton: str) -> Ptxas | None:
    """What the ptxas of the Triton in the folder `triton` can assemble; `None` without one.

    From 3.6 on Triton has a second one for Blackwell (`ptxas-blackwell`): their lists are
    joined, and the version is that of the first.

    Raises:
        UnreadableBinaryError: one cannot be read.
    """
    found = []
    for folder in ("backends/nvidia/bin", "common/../third_party/cuda/bin"):
        for name in ("ptxas", "ptxas-blackwell", "ptxas.exe", "ptxas-blackwell.exe"):
            path = os.path.join(triton, *folder.split("/"), name)
            if os.path.isfile(path):
                found.append(read_ptxas(path))
        if found:
            break
    if not found:
        return None
    names = {name for each in found for name in each.architectures}
    return Ptxas(_ordered(names), found[0].version)


def _read(source: Source) -> Ptxas:
    names: set[str] = set()
    version = None
    for start, size in _constants(source):
        position, end, tail = start, start + min(size, _LARGEST), b""
        while position < end:
            chunk = source.read(position, min(_CHUNK, end - position))
            if not chunk:
                break
            position += len(chunk)
            data = tail + chunk
            # The linker lets a name end in another's bytes: it may begin within a word.
            names.update(f"sm_{match.decode('ascii')}" for match in _VIRTUAL.findall(data))
            if version is None and (match := _VERSION.search(data)):
                version = match[1].decode("ascii")
            tail = data[-_LONGEST:]
    return Ptxas(_ordered(names), version)


def _constants(source: Source) -> list[tuple[int, int]]:
    """Where its constants lie: a fifth of an ELF file, which is read in a fifth of the time."""
    head = source.read(0, 64)
    try:
        binary = read_elf(source, head, {b".rodata": ".rodata"}) if head[:4] == ELF else None
    except UnreadableBinaryError:
        binary = None
    if binary is None or not binary.sections:
        return [(0, source.size)]
    return [(each.offset, each.size) for each in binary.sections]


def _ordered(names: set[str]) -> tuple[str, ...]:
    return tuple(sorted(names, key=lambda name: Architecture.parse(name).sort_key))

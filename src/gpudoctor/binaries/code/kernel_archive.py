"""AMD's kernel archives (`.kpack`), and the reference of a library whose code was moved to one.

Wheels for many targets ship libraries for the host alone; the device code lies in archives, one
or more a target, that come from other wheels. Format: ROCm/rocm-systems, shared/kpack.
"""

from __future__ import annotations

import os
import struct
from collections import Counter
from collections.abc import Iterator

from gpudoctor.binaries.budget import Budget
from gpudoctor.binaries.code.message_pack import unpack
from gpudoctor.binaries.source import FileSource, Source, UnreadableBinaryError
from gpudoctor.model.parts.binary import KernelArchive
from gpudoctor.model.value import dataclass

MAGIC = b"KPAK"
_HEADER = struct.Struct("<4sIQ")
_KNOWN_VERSION = 1
_LARGEST_TABLE = 64 << 20
_LARGEST_REFERENCE = 1 << 16
_PLACEHOLDER = "@GFXARCH@"
_MOST_PATHS = 64


@dataclass(frozen=True, slots=True)
class ArchiveTable:
    """What a `.kpack` archive says that it holds."""

    targets: tuple[str, ...]
    """The targets that it was made for."""
    kernels: dict[str, tuple[str, ...]]
    """Target → the libraries of whose device code it holds something, in order."""
    counts: dict[str, int]
    """Target → how many code objects."""


def read_archive(source: Source, budget: Budget) -> ArchiveTable:
    """The table of a `.kpack` archive.

    Raises:
        UnreadableBinaryError: it is none, or contradicts itself.
    """
    head = source.read(0, _HEADER.size)
    if len(head) < _HEADER.size or not head.startswith(MAGIC):
        raise UnreadableBinaryError("It is no kernel archive.")
    _, version, offset = _HEADER.unpack(head)
    if version != _KNOWN_VERSION:
        raise UnreadableBinaryError(f"It is a kernel archive of version {version}.")
    if not _HEADER.size <= offset < source.size or source.size - offset > _LARGEST_TABLE:
        raise UnreadableBinaryError("The table of the kernel archive lies beyond its end.")
    table = unpack(source.read(offset, source.size - offset), budget)
    if not isinstance(table, dict) or not isinstance(table.get("toc"), dict):
        raise UnreadableBinaryError("The kernel archive has no table.")
    libraries: dict[str, dict[str, None]] = {}
    counts: Counter[str] = Counter()
    for name, kernels in table["toc"].items():
        if not isinstance(kernels, dict):
            continue
        for target in kernels:
            # `lib/libtorch_hip.so#3`: the fourth code object of that library.
            libraries.setdefault(str(target), {})[str(name).rpartition("#")[0] or str(name)] = None
            counts[str(target)] += 1
    stated = table.get("gfx_arches")
    targets = tuple(map(str, stated)) if isinstance(stated, list) else ()
    return ArchiveTable(
        targets or tuple(sorted(libraries)),
        {target: tuple(names) for target, names in libraries.items()},
        dict(sorted(counts.items())),
    )


def read_reference(source: Source, start: int, size: int, budget: Budget) -> KernelArchive | None:
    """What a section `.rocm_kpack_ref` says; `None` if nothing that can be followed.

    Raises:
        UnreadableBinaryError: it contradicts itself.
    """
    table = unpack(source.read(start, min(size, _LARGEST_REFERENCE)), budget)
    if not isinstance(table, dict) or not isinstance(table.get("kernel_name"), str):
        return None
    paths = table.get("kpack_search_paths")
    found = tuple(map(str, paths)) if isinstance(paths, list) else ()
    return KernelArchive(name=table["kernel_name"], paths=found)


def archived_targets(library: str, reference: KernelArchive) -> tuple[str, ...]:
    """For which targets an archive that the library at `library` names holds code of it.

    Archives that cannot be read hold nothing, as for AMD's loader.
    """
    found: dict[str, None] = {}
    for path in _archives(os.path.dirname(library), reference.paths[:_MOST_PATHS]):
        try:
            with FileSource(path) as source:
                table = read_archive(source, Budget(source.size))
        except (OSError, UnreadableBinaryError):
            continue
        for target, names in table.kernels.items():
            if reference.name in names:
                found[target] = None
    return tuple(sorted(found))


def _archives(folder: str, patterns: tuple[str, ...]) -> Iterator[str]:
    """The files that the patterns can stand for, whatever the target."""
    for pattern in patterns:
        place, name = os.path.split(pattern.replace("\\", "/"))
        begin, placeholder, end = name.partition(_PLACEHOLDER)
        try:
            where = os.path.join(folder, place)
            names = sorted(os.listdir(where)) if placeholder else [name]
        except (OSError, ValueError):
            continue
        for each in names:
            if each == name or (placeholder and each.startswith(begin) and each.endswith(end)):
                yield os.path.join(where, each)

"""One binary: which device code it carries, by kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpudoctor.binaries.budget import Budget
from gpudoctor.binaries.code import cubin, fatbin
from gpudoctor.binaries.contents import Contents
from gpudoctor.binaries.formats.elf import ELF, read_elf
from gpudoctor.binaries.formats.sections import BinarySection
from gpudoctor.binaries.source import FileSource, PartSource, Source, UnreadableBinaryError
from gpudoctor.model.lazy import later
from gpudoctor.model.parts.binary import Library
from gpudoctor.model.terms.version import numbers

if TYPE_CHECKING:
    from gpudoctor.binaries.code import amdgpu, kernel_archive
    from gpudoctor.binaries.containers import ar_archive
    from gpudoctor.binaries.formats import macho, pe
else:  # the readers of the rarer kinds of binary
    amdgpu = later("gpudoctor.binaries.code.amdgpu")
    ar_archive = later("gpudoctor.binaries.containers.ar_archive")
    kernel_archive = later("gpudoctor.binaries.code.kernel_archive")
    macho = later("gpudoctor.binaries.formats.macho")
    pe = later("gpudoctor.binaries.formats.pe")

HEAD = 64
"""How many bytes tell what a file is."""
# How the rarer kinds begin. Linux with CUDA has none of them, so that a check of it need not load
# their readers; each is imported by the function below that finds one.
_MACHO = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")
_AR = b"!<arch>\n"
_PE = b"MZ"
_AMDGPU = 224
"""`EM_AMDGPU` in the header of an ELF file."""
_KERNEL_ARCHIVE = b"KPAK"
_BUNDLES = (b"__CLANG_OFFLOAD_BUNDLE__", b"CCOB")


def may_hold_device_code(head: bytes) -> bool:
    """Whether a file that begins so is of a kind that is read."""
    return len(head) == HEAD and (
        head[:4] in (ELF, _KERNEL_ARCHIVE, fatbin.MAGIC_BYTES, *_MACHO)
        or head[:2] == _PE
        or head.startswith((_AR, *_BUNDLES))
    )


def read_library(path: str) -> Library | None:
    """The device code of the file at `path`, from its headers alone.

    `None` if the file is none that could carry any, or carries none. Takes about 2 microseconds
    for each image (docs/binary-format.md), whatever the file's size.

    Raises:
        UnreadableBinaryError: the file cannot be read, or contradicts itself.
    """
    try:
        with FileSource(path) as source:
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
    head = source.read(0, HEAD)
    if len(head) < HEAD:
        return None
    contents = Contents()
    budget = budget or Budget(source.size)
    format_, machine = _read(source, head, contents, budget)
    return contents.library(path, distribution, format_, machine) if format_ else None


def _read(
    source: Source, head: bytes, contents: Contents, budget: Budget
) -> tuple[str, str | None]:
    """Put what it holds into `contents`; its format, and the processor of the host."""
    if head[:4] == ELF and len(head) == HEAD:
        return _read_elf(source, head, contents, budget)
    if head[:4] in _MACHO:
        return _read_macho(source, contents, budget)
    if head[:8] == _AR:
        return _read_ar(source, contents, budget)
    if head[:4] == _KERNEL_ARCHIVE:
        for target, count in kernel_archive.read_archive(source, budget).counts.items():
            contents.bundles[(target,)] += count
        return "kpack", None
    if (whole := _whole_file(source, head)) is not None:
        contents.add_sections(source, [whole], budget)
        return whole.name.strip("._"), None
    if head[:2] == _PE:
        binary = pe.read_pe(source, head)
        if binary is not None and binary.sections:
            contents.add_sections(source, binary.sections, budget)
            return binary.format, binary.machine
    return "", None


def _whole_file(source: Source, head: bytes) -> BinarySection | None:
    """A container or a bundle that is a file of its own, as if it were a section."""
    if head.startswith(fatbin.MAGIC_BYTES):
        return BinarySection(".nv_fatbin", 0, source.size, 0)
    if head.startswith(_BUNDLES):
        return BinarySection(".hip_fatbin", 0, source.size, 0)
    return None


def _read_macho(source: Source, contents: Contents, budget: Budget) -> tuple[str, str | None]:
    """Of several processors' parts the newest system counts: each program loads one of them."""
    parts = macho.read_macho(source, budget)
    systems = [each.macos for each in parts if each.macos]
    contents.macos = max(systems, key=numbers, default=None)
    contents.metal = dict.fromkeys(each for part in parts for each in part.metal)
    machines = [each.machine for each in parts if each.machine]
    return "macho" if parts else "", machines[0] if len(machines) == 1 else None


def _read_ar(source: Source, contents: Contents, budget: Budget) -> tuple[str, str | None]:
    machine = None
    for member in ar_archive.ar_members(source, budget):
        part = PartSource(source, member.offset, member.size)
        head = part.read(0, HEAD)
        if len(head) == HEAD:
            _, found = _read_elf(part, head, contents, budget) if head[:4] == ELF else ("", None)
            machine = machine or found
    return "ar", machine


def _read_elf(
    source: Source, head: bytes, contents: Contents, budget: Budget
) -> tuple[str, str | None]:
    processor = int.from_bytes(head[18:20], "little")
    if processor == cubin.MACHINE:
        contents.add_cubin(cubin.architecture_of(head))
        return "elf", None
    if processor == _AMDGPU:
        target = amdgpu.target_of(head)
        if target is None:
            raise UnreadableBinaryError("It is AMD's code for a GPU that is not known here.")
        contents.bundles[(target,)] += 1
        return "elf", None
    binary = read_elf(source, head, budget=budget)
    if binary is None or not binary.sections:
        return "", None
    if isinstance(source, FileSource):
        source.expect_scattered_reads()
    contents.add_sections(source, binary.sections, budget)
    return binary.format, binary.machine

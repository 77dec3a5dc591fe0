"""Wheels: the binaries in them, without unpacking anything to disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gpudoctor.binaries import archive
from gpudoctor.binaries.deflated import Allowance, BombError, DeflatedSource
from gpudoctor.binaries.library import read_source
from gpudoctor.binaries.names import distribution_of_wheel, may_be_binary
from gpudoctor.binaries.source import (
    FileSource,
    PartSource,
    Skipped,
    Source,
    UnreadableBinaryError,
)
from gpudoctor.model.library import Library

_SMALLEST = 64  # an ELF header
# The largest member of any wheel on PyPI has some 1.5 GB; an archive that claims more than
# this to waste somebody's time is not decompressed.
_LARGEST = 16 << 30


def read_wheel(
    path: str, progress: Callable[[int], None] | None = None
) -> Iterator[Library | Skipped]:
    """Every library with device code in the wheel at `path`, called `WHEEL!/path/inside`.

    Deflated members are decompressed twice, in a window of about two mebibytes; `progress` is
    told how many bytes were, each time some were. Members that cannot be read are `Skipped`.

    Raises:
        UnreadableBinaryError: the file cannot be read, is no ZIP archive, or is a bomb.
    """
    distribution = distribution_of_wheel(path.replace("\\", "/").rpartition("/")[2])
    try:
        with FileSource(path) as source:
            allowance = Allowance(source.size)
            for member in archive.members(source):
                if member.size < _SMALLEST or not may_be_binary(member.name):
                    continue
                inside = f"{path}!/{member.name}"
                try:
                    data = open_member(source, member, allowance, progress)
                    library = read_source(data, inside, distribution)
                except BombError:
                    raise
                except UnreadableBinaryError as error:
                    yield Skipped(inside, error.reason)
                    continue
                if library is not None:
                    yield library
    except OSError as error:
        raise UnreadableBinaryError(f"{error.strerror}.", path) from error
    except UnreadableBinaryError as error:
        raise UnreadableBinaryError(error.reason, path) from error


def open_member(
    source: Source,
    member: archive.Member,
    allowance: Allowance | None = None,
    progress: Callable[[int], None] | None = None,
) -> Source:
    """The decompressed bytes of a member.

    Raises:
        UnreadableBinaryError: it is encrypted, damaged, or compressed in an unusual way.
    """
    if member.encrypted:
        raise UnreadableBinaryError("It is encrypted.")
    start = archive.data_offset(source, member)
    if start + member.compressed > source.size:
        raise UnreadableBinaryError("It ends beyond the end of the archive.")
    if member.method == archive.STORED:
        return PartSource(source, start, min(member.size, member.compressed))
    if member.method != archive.DEFLATED:
        raise UnreadableBinaryError(f"It is compressed by method {member.method}, not by deflate.")
    if member.size > _LARGEST:
        raise UnreadableBinaryError(f"It claims {member.size} bytes, more than any library has.")
    return DeflatedSource(source, start, member.compressed, member.size, allowance, progress)

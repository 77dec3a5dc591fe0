"""Wheels: the binaries in them, without unpacking anything to disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gpudoctor.binaries.budget import Budget
from gpudoctor.binaries.code.skeleton import Skeleton
from gpudoctor.binaries.containers import zip_archive as archive
from gpudoctor.binaries.containers.inflated import InflatedSource
from gpudoctor.binaries.library import read_source
from gpudoctor.binaries.names import distribution_of_wheel, is_surely_text, may_be_binary
from gpudoctor.binaries.source import (
    FileSource,
    PartSource,
    Skipped,
    Source,
    TooCostlyError,
    UnreadableBinaryError,
)
from gpudoctor.model.parts.binary import Library

_SMALLEST = 64  # an ELF header
# The largest member of any wheel on PyPI has some 1.5 GB.
_LARGEST = 16 << 30


def read_wheel(
    path: str, progress: Callable[[int], None] | None = None
) -> Iterator[Library | Skipped]:
    """Every library with device code in the wheel at `path`, called `WHEEL!/path/inside`.

    Deflated members are decompressed once, in a window of about two mebibytes; `progress` is
    told how many bytes were, each time some were. Members that cannot be read are `Skipped`, and
    so is the rest of an archive that would take more than one of its size may.

    Raises:
        UnreadableBinaryError: the file cannot be read or is no ZIP archive.
    """
    distribution = distribution_of_wheel(path.replace("\\", "/").rpartition("/")[2])
    try:
        with FileSource(path) as source:
            budget = Budget(source.size)
            data_bytes = 0
            for member in archive.members(source):
                budget.step()
                if member.size < _SMALLEST or is_surely_text(member.name):
                    continue
                inside = f"{path}!/{member.name}"
                if member.header + member.compressed <= source.size:
                    data_bytes += member.compressed
                if data_bytes > source.size:
                    raise TooCostlyError("Its members overlap.")
                try:
                    data = open_member(source, member, budget, progress)
                    library = read_source(data, inside, distribution, budget)
                except UnreadableBinaryError as error:
                    if budget.is_spent:
                        raise
                    if may_be_binary(member.name):
                        yield Skipped(inside, error.reason, distribution)
                    continue
                if library is not None:
                    yield library
    except TooCostlyError as error:
        yield Skipped(path, error.reason, distribution)
    except OSError as error:
        raise UnreadableBinaryError(f"{error.strerror}.", path) from error
    except UnreadableBinaryError as error:
        raise error.at(path) from error


def open_member(
    source: Source,
    member: archive.Member,
    budget: Budget | None = None,
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
    return InflatedSource(
        source, start, member.compressed, member.size, budget, progress, follower=Skeleton()
    )

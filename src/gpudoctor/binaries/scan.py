"""Everything with device code under some paths: files, wheels, environments, folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from gpudoctor.binaries.library import HEAD, may_hold_device_code, read_library
from gpudoctor.binaries.source import FileSource, Skipped, TooCostlyError, UnreadableBinaryError
from gpudoctor.errors import UsageError
from gpudoctor.model.lazy import later
from gpudoctor.model.parts.binary import Library
from gpudoctor.model.value import dataclass, replace

if TYPE_CHECKING:
    from gpudoctor.binaries.code import kernel_archive
    from gpudoctor.binaries.containers import folder, wheel
else:  # loaded when they are needed
    folder = later("gpudoctor.binaries.containers.folder")
    kernel_archive = later("gpudoctor.binaries.code.kernel_archive")
    wheel = later("gpudoctor.binaries.containers.wheel")

_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06")
_END_OF_ARCHIVE = b"PK\x05\x06"
_LONGEST_END = 22 + 0xFFFF
_NO_LIBRARY = "it is neither a library nor a wheel, nor anything else that holds device code"
_BEHIND = "it is an archive that begins with something else, and such archives are not read"

Progress = Callable[[str, int], None]
"""Told, again and again, which file is being read and how many bytes of it were unpacked."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan found."""

    files: tuple[Library, ...] = ()
    """The libraries with device code, in the order in which they were met."""
    skipped: tuple[Skipped, ...] = ()
    """What could not be read, and why."""
    looked_at: int = 0
    """How many files were opened, those without device code included."""

    @property
    def proves_nothing(self) -> bool:
        """Whether nothing with device code was found, and nothing says that there is none."""
        return not self.files and (bool(self.skipped) or not self.looked_at)


def scan(paths: Sequence[str], progress: Progress | None = None) -> Scan:
    """Read the device code of everything under `paths`.

    A folder is walked without following links, and each file of it read once, however many
    names it has; a file is read as a wheel where it is a ZIP archive.

    Raises:
        UsageError: a path does not exist, or a file that was named cannot be read.
    """
    files: list[Library] = []
    skipped: list[Skipped] = []
    seen: set[tuple[int, int]] = set()
    looked_at = 0
    for path in paths:
        for file, distribution, named in _files(path):
            if progress:
                progress(file, 0)
            try:
                with FileSource(file) as source:
                    if source.identity in seen and source.identity[1]:
                        continue
                    seen.add(source.identity)
                    looked_at += 1
                    # Folders hold many other files; whoever names one expects an answer about it.
                    kind = _kind(source, named=named)
                if kind is None:
                    continue
                if isinstance(kind, str):
                    skipped.append(Skipped(file, kind, distribution, named))
                    continue
                for found in kind(file, distribution, progress):
                    if isinstance(found, Skipped):
                        skipped.append(replace(found, named=named))
                    elif named or found.has_device_code:
                        if found.unread:
                            reason, owner = found.unread, found.distribution
                            skipped.append(Skipped(found.path, reason, owner, named, in_part=True))
                        if not found.unread or replace(found, unread=None).has_device_code:
                            files.append(found)
            except TooCostlyError as error:
                skipped.append(Skipped(file, error.reason, distribution, named))
            except (OSError, UnreadableBinaryError) as error:
                if named:
                    raise _refusal(file, error) from error
                skipped.append(Skipped(file, _reason(error), distribution))
    return Scan(tuple(files), tuple(skipped), looked_at)


def _files(path: str) -> Iterator[tuple[str, str | None, bool]]:
    """The files of a path, with their distribution, and whether the path names the file itself."""
    try:
        if os.path.isdir(path):
            for file, distribution in folder.candidates(path):
                yield file, distribution, False
        elif os.path.isfile(path):
            yield path, None, True
        else:
            what = "is no file or folder" if os.path.lexists(path) else "does not exist"
            raise UsageError(f"{path} {what}")
    except ValueError:
        raise UsageError(f"{path!r} is no file name") from None


_Reader = Callable[[str, "str | None", "Progress | None"], Iterator["Library | Skipped"]]


def _kind(source: FileSource, *, named: bool) -> _Reader | str | None:
    """How a file is read, by its first bytes, or why somebody who named it gets no answer.

    `None`: it holds no device code, and nobody asked.
    """
    head = source.read(0, HEAD)
    if head[:4] in _ARCHIVES:
        return _read_wheel
    if named and _is_behind_something(source):
        return _BEHIND
    if may_hold_device_code(head):
        return _read_library
    return _NO_LIBRARY if named else None


def _is_behind_something(source: FileSource) -> bool:
    at = max(0, source.size - _LONGEST_END)
    tail = source.read(at, _LONGEST_END)
    end = tail.rfind(_END_OF_ARCHIVE)
    return end >= 0 and end + 22 + int.from_bytes(tail[end + 20 : end + 22], "little") == len(tail)


def _read_wheel(path: str, _: str | None, progress: Progress | None) -> Iterator[Library | Skipped]:
    return wheel.read_wheel(path, partial(progress, path) if progress else None)


def _read_library(
    path: str, distribution: str | None, _: Progress | None
) -> Iterator[Library | Skipped]:
    library = read_library(path)
    if library is not None and library.kernel_archive is not None:
        library = replace(
            library, archived=kernel_archive.archived_targets(path, library.kernel_archive)
        )
    if library is not None:
        yield library if distribution is None else replace(library, distribution=distribution)


def _refusal(path: str, error: OSError | UnreadableBinaryError) -> UsageError:
    if isinstance(error, UsageError):
        return error
    return UsageError(f"{path} cannot be read: {error.strerror}")


def _reason(error: OSError | UnreadableBinaryError) -> str:
    return str(error.strerror) if isinstance(error, OSError) else error.reason

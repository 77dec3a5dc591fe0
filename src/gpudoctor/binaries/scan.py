"""Everything with device code under some paths: files, wheels, environments, folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from gpudoctor.binaries.library import read_library
from gpudoctor.binaries.source import FileSource, Skipped, TooCostlyError, UnreadableBinaryError
from gpudoctor.errors import UsageError
from gpudoctor.model.library import Library
from gpudoctor.model.value import dataclass, replace

_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06")
_LIBRARIES = (b"\x7fELF", b"MZ")
_NO_LIBRARY = "it is neither a library (ELF or PE) nor a wheel"

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
            try:
                status = os.stat(file)
                identity = (status.st_dev, status.st_ino)
                if status.st_ino and identity in seen:
                    continue
                seen.add(identity)
                looked_at += 1
                for found in _read(file, distribution, progress, named=named):
                    if isinstance(found, Skipped):
                        skipped.append(found)
                    else:
                        files.append(found)
            except (OSError, UnreadableBinaryError) as error:
                if named:
                    raise _refusal(file, error) from error
                skipped.append(Skipped(file, _reason(error)))
    return Scan(tuple(files), tuple(skipped), looked_at)


def _files(path: str) -> Iterator[tuple[str, str | None, bool]]:
    """The files of a path, with their distribution, and whether the path names the file itself."""
    try:
        if os.path.isdir(path):
            from gpudoctor.binaries.containers.folder import candidates

            for file, distribution in candidates(path):
                yield file, distribution, False
        elif os.path.isfile(path):
            yield path, None, True
        else:
            what = "is no file or folder" if os.path.lexists(path) else "does not exist"
            raise UsageError(f"{path} {what}")
    except ValueError:
        raise UsageError(f"{path!r} is no file name") from None


def _read(
    path: str, distribution: str | None, progress: Progress | None, *, named: bool
) -> Iterator[Library | Skipped]:
    if progress:
        progress(path, 0)
    with FileSource(path) as source:
        magic = source.read(0, 4)
    if named and not magic.startswith(_LIBRARIES) and magic not in _ARCHIVES:
        # Folders hold many other files; whoever names one expects an answer about it.
        yield Skipped(path, _NO_LIBRARY)
        return
    if magic in _ARCHIVES:
        from gpudoctor.binaries.containers.wheel import read_wheel

        yield from read_wheel(path, partial(progress, path) if progress else None)
        return
    try:
        library = read_library(path)
    except TooCostlyError as error:
        yield Skipped(path, error.reason)
        return
    if library is not None:
        yield library if distribution is None else replace(library, distribution=distribution)


def _refusal(path: str, error: OSError | UnreadableBinaryError) -> UsageError:
    if isinstance(error, UsageError):
        return error
    return UsageError(f"{path} cannot be read: {error.strerror}")


def _reason(error: OSError | UnreadableBinaryError) -> str:
    return str(error.strerror) if isinstance(error, OSError) else error.reason

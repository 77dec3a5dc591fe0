"""Random reads from a file, or from a part of one, a few bytes at a time.

Reads go through `pread`, not through `mmap`: a mapped file that is cut short by somebody else
while it is read kills the process with SIGBUS, which Python cannot catch; a `pread` past the
end returns what there is. It is faster as well, since a map costs a page fault for each header
(docs/binary-format.md has the figures), and takes no more pages.
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import Protocol

from gpudoctor.errors import UsageError
from gpudoctor.model.fact import UnknownKind
from gpudoctor.model.value import dataclass


class UnreadableBinaryError(UsageError):
    """A binary or a wheel that cannot be read, or contradicts itself.

    `reason` is a sentence without the path; the message has both where the path is known.
    """

    kind: UnknownKind = "not-stated"
    """Why what it would have said is unknown; here: its form is none that can be read."""

    def __init__(self, reason: str, path: str | None = None) -> None:
        super().__init__(reason if path is None else f"{path} cannot be read: {reason}")
        self.reason = reason

    def at(self, path: str) -> UnreadableBinaryError:
        """The same, with the path in its message."""
        return type(self)(self.reason, path)


class TruncatedBinaryError(UnreadableBinaryError):
    """A file that is shorter than its own headers say."""

    kind = "damaged"


class NoDecompressorError(UnreadableBinaryError):
    """What is sound, and is compressed in a way that nothing here can undo."""


class TooCostlyError(UnreadableBinaryError):
    """A file whose reading would cost more than a file of its size may (`budget.py`)."""

    kind = "not-asked"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was not read, and why."""

    path: str
    reason: str
    distribution: str | None = None
    named: bool = False
    """Whether somebody asked for this very file, or for the wheel that holds it."""
    in_part: bool = False
    """Whether what it holds for NVIDIA's GPUs was read."""


class Source(Protocol):
    """Bytes that can be read from anywhere."""

    @property
    def size(self) -> int:
        """Length in bytes."""

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; fewer only where the bytes end."""


class BytesSource:
    """Bytes in memory as a source."""

    __slots__ = ("_data", "size")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`."""
        return self._data[offset : offset + length]


class FileSource:
    """A file on disk as a source; use it as a context manager."""

    __slots__ = ("_descriptor", "identity", "size")

    def __init__(self, path: str) -> None:
        # O_NONBLOCK: a named pipe that lies in a scanned folder must not stop the scan.
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        self._descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
        status = os.fstat(self._descriptor)
        self.size = status.st_size
        self.identity = (status.st_dev, status.st_ino)

    def __enter__(self) -> FileSource:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    if hasattr(os, "pread"):

        def read(self, offset: int, length: int) -> bytes:
            """Up to `length` bytes from `offset`."""
            # A header may claim an offset that is none for the system call: 2**64 - 1.
            return os.pread(self._descriptor, length, offset) if offset < self.size else b""

        def expect_scattered_reads(self) -> None:
            """Tell the kernel not to read ahead: between two headers lie megabytes."""
            if hasattr(os, "posix_fadvise"):
                try:
                    os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_RANDOM)
                except OSError:
                    pass

    else:  # Windows

        def read(self, offset: int, length: int) -> bytes:
            """Up to `length` bytes from `offset`."""
            if offset >= self.size:
                return b""
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            return os.read(self._descriptor, length)

        def expect_scattered_reads(self) -> None:
            """Nothing to tell here."""


class PartSource:
    """A stretch of another source, such as a stored member of a wheel."""

    __slots__ = ("_source", "_start", "size")

    def __init__(self, source: Source, start: int, size: int) -> None:
        self._source = source
        self._start = start
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`."""
        length = min(length, self.size - offset)
        return self._source.read(self._start + offset, length) if length > 0 else b""

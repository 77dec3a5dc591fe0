"""A compressed member of a wheel as a source: decompressed as it is read, and never kept.

A binary's section headers stand at its end and its device code before them, so a member is
decompressed twice: to its end, and to the end of its device code. What is kept is the last
stretch of what went by, a mebibyte, in which the section names are found without a third pass.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from gpudoctor.binaries.budget import Budget
from gpudoctor.binaries.source import Source, UnreadableBinaryError

_INPUT = 1 << 18
_OUTPUT = 1 << 20
_KEPT = 1 << 20
# A real binary takes two passes; one with its sections out of order may take one or two more.
_MOST_PASSES = 6


class DeflatedSource:
    """The decompressed bytes of a raw deflate stream; best read forwards."""

    def __init__(
        self,
        source: Source,
        start: int,
        compressed: int,
        size: int,
        budget: Budget | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """`size` is what the archive claims; not a byte more is decompressed.

        `progress` is told how many bytes were decompressed, each time some were.
        """
        self._source, self._start, self._compressed = source, start, compressed
        self._progress, self._budget = progress, budget
        self.size = size
        self.passes = 0
        """How often decompression began."""
        self._rewind()

    def _rewind(self) -> None:
        self.passes += 1
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._fed = 0
        self._window = b""
        self._window_at = 0

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`.

        Raises:
            UnreadableBinaryError: the stream is damaged or ends too early.
        """
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        if offset < self._window_at:
            if self.passes == _MOST_PASSES:
                raise UnreadableBinaryError("Its headers are scattered over its compressed data.")
            self._rewind()
        end = offset + length
        while self._window_at + len(self._window) < end:
            more = self._more()
            if not more:
                raise UnreadableBinaryError("Its compressed data ends too early.")
            # Never drop what this read still needs, whatever its length.
            passed = self._window_at + len(self._window) + len(more)
            cut = min(max(0, min(passed - _KEPT, offset) - self._window_at), len(self._window))
            self._window = self._window[cut:] + more
            self._window_at += cut
        at = offset - self._window_at
        return self._window[at : at + length]

    def _more(self) -> bytes:
        """The next decompressed bytes; none at the end of the stream."""
        try:
            while not self._inflate.eof:
                tail = self._inflate.unconsumed_tail
                if not tail:
                    take = min(_INPUT, self._compressed - self._fed)
                    tail = self._source.read(self._start + self._fed, take) if take > 0 else b""
                    self._fed += len(tail)
                out = self._inflate.decompress(tail, _OUTPUT)
                if out:
                    if self._budget:
                        self._budget.unpack(len(out))
                    if self._progress:
                        self._progress(len(out))
                    return out
                if not tail:
                    break
        except zlib.error as error:
            raise UnreadableBinaryError("Its compressed data is damaged.") from error
        return b""

"""Compressed bytes as a source: decompressed as they are read, and never kept.

A binary's section headers stand at its end and its device code before them. What is kept is the
last stretch of what went by, a mebibyte, in which the section names are found; what a `Follower`
recognised on the way, so that device code is mostly found without a second pass, stays as well.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol

from gpudoctor.binaries.budget import Budget
from gpudoctor.binaries.source import Source, UnreadableBinaryError

_INPUT = 1 << 18
AT_ONCE = 1 << 20
"""How many decompressed bytes a stream gives at a time."""
# More than a stream gives at a time, so that a follower sees each place whole.
_KEPT = AT_ONCE + (1 << 12)
# A real binary takes two passes; one with its sections out of order may take one or two more.
_MOST_PASSES = 6


class Stream(Protocol):
    """A compressed stream."""

    def more(self, refill: Callable[[], bytes]) -> bytes:
        """The next decompressed bytes; none at the end of the stream.

        `refill` gives the next compressed bytes; none where they end.

        Raises:
            UnreadableBinaryError: the stream is damaged.
        """


class Deflate:
    """A raw deflate stream; it gives at most `at_once` bytes at a time."""

    def __init__(self, at_once: int = AT_ONCE, *, window_bits: int = -zlib.MAX_WBITS) -> None:
        self._engine = zlib.decompressobj(window_bits)
        self._at_once = at_once

    def more(self, refill: Callable[[], bytes]) -> bytes:
        """The next decompressed bytes."""
        try:
            while not self._engine.eof:
                data = self._engine.unconsumed_tail or refill()
                found = self._engine.decompress(data, self._at_once)
                if found or not data:
                    return found
        except zlib.error as error:
            raise UnreadableBinaryError("Its compressed data is damaged.") from error
        return b""


class Zlib(Deflate):
    """A deflate stream with zlib's header."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        super().__init__(at_once, window_bits=zlib.MAX_WBITS)


class Follower(Protocol):
    """Looks at what goes by in the first pass, and keeps what will be asked for later."""

    def see(self, window: bytes, begin: int, *, last: bool) -> None:
        """The bytes from `begin` on; `last` says that none will follow."""

    def read(self, offset: int, length: int) -> bytes | None:
        """Those bytes, if they were kept."""

    def next_container(self, position: int, end: int) -> int | None:
        """Where the next container begins; `end` if there is none, `None` if not known."""


class InflatedSource:
    """The decompressed bytes of a stream; best read forwards."""

    def __init__(
        self,
        source: Source,
        start: int,
        compressed: int,
        size: int,
        budget: Budget | None = None,
        progress: Callable[[int], None] | None = None,
        stream: Callable[[], Stream] = Deflate,
        follower: Follower | None = None,
    ) -> None:
        """`size` is what the archive claims; not a byte more is decompressed.

        `progress` is told how many bytes were decompressed, each time some were.
        """
        self._source, self._start, self._compressed = source, start, compressed
        self._progress, self._budget, self._open = progress, budget, stream
        self._follower = follower
        self.size = size
        self.passes = 0
        """How often decompression began."""
        self._rewind()

    def _rewind(self) -> None:
        self.passes += 1
        self._stream = self._open()
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
            kept = self._follower.read(offset, length) if self._follower else None
            if kept is not None:
                return kept
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
            if self._follower and self.passes == 1:
                last = self._window_at + len(self._window) >= self.size
                self._follower.see(self._window, self._window_at, last=last)
        at = offset - self._window_at
        return self._window[at : at + length]

    def next_container(self, position: int, end: int) -> int | None:
        """Where the next container of device code begins, as `Follower` says it."""
        seen = self.passes == 1 and self._window_at + len(self._window) >= min(end, self.size)
        return self._follower.next_container(position, end) if self._follower and seen else None

    def _more(self) -> bytes:
        found = self._stream.more(self._refill)
        if found:
            if self._budget:
                self._budget.unpack(len(found))
            if self._progress:
                self._progress(len(found))
        return found

    def _refill(self) -> bytes:
        take = min(_INPUT, self._compressed - self._fed)
        data = self._source.read(self._start + self._fed, take) if take > 0 else b""
        self._fed += len(data)
        return data

"""The headers of device code, kept while a library goes by as a stream.

What says where a library's device code lies stands at its end, so that a compressed one would have
to be decompressed twice. Containers and the records of their registration are known by magic
numbers, though; a container says how long it is, so that its payload, most of the library, is
passed over. What is kept here is what `fatbin.walk` and `registered.Records` ask for afterwards;
where it does not suffice, the library is decompressed once more.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right

from gpudoctor.binaries.code.fatbin import ENTRY_BYTES, MAGIC_BYTES, WINDOW

_CONTAINER = struct.Struct("<IHHQ")
_ENTRY = struct.Struct("<H2xIQ")
_RECORD_MAGIC = (0x466243B1).to_bytes(4, "little")
_RECORD_BYTES = 24
_ALIGNMENT = 8
_MOST_KEPT = 16 << 20


class Skeleton:
    """Follows the bytes of a library from its beginning to its end."""

    __slots__ = ("_at", "_close", "_containers", "_kept", "_offsets", "_stretches", "_usable")

    def __init__(self) -> None:
        self._at = 0
        self._close = 0
        """Where the container ends in which `_at` lies; 0 outside of one."""
        self._containers: list[int] = []
        self._offsets: list[int] = []
        self._stretches: list[bytes] = []
        self._kept = 0
        self._usable = True

    def see(self, window: bytes, begin: int, *, last: bool) -> None:
        """Look at the bytes from `begin` on, of which all but the newest were seen before."""
        end = begin + len(window)
        self._usable = self._usable and self._at >= begin
        while self._usable and self._at < end and (last or self._at + WINDOW <= end):
            if self._close:
                self._entry(window, begin)
            elif not self._search(window, begin, last=last):
                return

    def read(self, offset: int, length: int) -> bytes | None:
        """Those bytes, if they were kept."""
        index = bisect_right(self._offsets, offset) - 1
        if index < 0 or not self._usable:
            return None
        at = offset - self._offsets[index]
        found = self._stretches[index][at : at + length]
        return found if len(found) == length else None

    def next_container(self, position: int, end: int) -> int | None:
        """Where the next container begins; `end` if there is none, `None` if that is not known."""
        if not self._usable:
            return None
        index = bisect_left(self._containers, position)
        return min(end, self._containers[index]) if index < len(self._containers) else end

    def _search(self, window: bytes, begin: int, *, last: bool) -> bool:
        """Go on to the next magic number; false if the window holds none."""
        start = self._at - begin
        at = window.find(MAGIC_BYTES, start)
        while at >= 0 and (at + begin) % _ALIGNMENT:
            at = window.find(MAGIC_BYTES, at + 1)
        # Records lie among data, never directly behind a container: most searches end at once.
        record = window.find(_RECORD_MAGIC, start, at if at >= 0 else len(window))
        if record >= 0:
            return self._records(window, begin, record)
        if at < 0:
            behind = begin + len(window) - len(MAGIC_BYTES) + 1
            self._at = max(self._at, behind)
            return False
        self._at = at + begin
        if at + WINDOW > len(window) and not last:
            return False
        self._container(window, at)
        return True

    def _container(self, window: bytes, at: int) -> None:
        self._keep(self._at, window[at : at + WINDOW])
        self._containers.append(self._at)
        if at + _CONTAINER.size + ENTRY_BYTES <= len(window):
            _, version, header, payload = _CONTAINER.unpack_from(window, at)
            kind, own, size = _ENTRY.unpack_from(window, at + _CONTAINER.size)
            sound = not payload or (kind < 64 and ENTRY_BYTES <= own <= payload - size)
            if version == 1 and header == _CONTAINER.size and sound:
                self._close = self._at + header + payload
                self._at += header
                return
        self._at += _ALIGNMENT

    def _entry(self, window: bytes, begin: int) -> None:
        """Go on to the next entry of the container, or to its end."""
        at = self._at - begin
        if self._at + ENTRY_BYTES <= self._close:
            kind, header, size = _ENTRY.unpack_from(window.ljust(at + _ENTRY.size), at)
            following = self._at + header + size
            if self.read(self._at, ENTRY_BYTES) is None:
                self._keep(self._at, window[at : at + min(WINDOW, self._close - self._at)])
            if (kind or header) and header >= ENTRY_BYTES and following <= self._close:
                self._at = following
                return
        # Behind a container lies the next one, or padding, which is asked for as well.
        if self._close > self._at:
            self._at = self._close
            return
        self._close = 0
        if window[at : at + len(MAGIC_BYTES)] != MAGIC_BYTES:
            self._keep(self._at, window[at : at + WINDOW])

    def _records(self, window: bytes, begin: int, at: int) -> bool:
        """Keep a run of records whole."""
        end = at
        while end + _RECORD_BYTES <= len(window) and window.startswith(_RECORD_MAGIC, end):
            end += _RECORD_BYTES
        self._keep(at + begin, window[at:end])
        self._at = end + begin
        return end > at

    def _keep(self, offset: int, data: bytes) -> None:
        if self._offsets and self._offsets[-1] + len(self._stretches[-1]) == offset:
            offset, data = self._offsets.pop(), self._stretches.pop() + data
            self._kept -= len(data)
        self._offsets.append(offset)
        self._stretches.append(data)
        self._kept += len(data)
        self._usable = self._kept <= _MOST_KEPT

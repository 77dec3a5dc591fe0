"""MessagePack, as far as AMD's kernel archives use it: maps, lists, texts, whole numbers.

Format: github.com/msgpack/msgpack/blob/master/spec.md.
"""

from __future__ import annotations

from typing import Any

from gpudoctor.binaries.budget import Budget
from gpudoctor.binaries.source import UnreadableBinaryError

_DEEPEST = 16
_NUMBERS = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
_FIRST_SIGNED = 0xD0
_TEXTS = {0xD9: 1, 0xDA: 2, 0xDB: 4, 0xC4: 1, 0xC5: 2, 0xC6: 4}
_LISTS = {0xDC: 2, 0xDD: 4}
_MAPS = {0xDE: 2, 0xDF: 4}
_FLOATS = {0xCA: 4, 0xCB: 8}
_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}


def unpack(data: bytes, budget: Budget) -> Any:
    """The first value in `data`; what follows it is not looked at.

    Raises:
        UnreadableBinaryError: it is none, is cut short, or is nested too deeply.
    """
    return _Reader(data, budget).value(0)


class _Reader:
    def __init__(self, data: bytes, budget: Budget) -> None:
        self._data, self._budget, self._at = data, budget, 0

    def value(self, depth: int) -> Any:
        """The next value."""
        self._budget.step()
        if depth > _DEEPEST:
            raise UnreadableBinaryError("Its table is nested too deeply.")
        kind = self._take(1)[0]
        if kind < 0x80:
            return kind
        if kind >= 0xE0:
            return kind - 0x100
        if kind < 0x90:
            return self._map(kind & 0xF, depth)
        if kind < 0xA0:
            return self._list(kind & 0xF, depth)
        if kind < 0xC0:
            return self._text(kind & 0x1F)
        if kind in _CONSTANTS:
            return _CONSTANTS[kind]
        if kind in _NUMBERS:
            return self._number(_NUMBERS[kind], signed=kind >= _FIRST_SIGNED)
        if kind in _TEXTS:
            return self._text(self._number(_TEXTS[kind]))
        if kind in _LISTS:
            return self._list(self._number(_LISTS[kind]), depth)
        if kind in _MAPS:
            return self._map(self._number(_MAPS[kind]), depth)
        if kind in _FLOATS:
            return self._take(_FLOATS[kind])
        raise UnreadableBinaryError(f"Its table holds a value of the kind {kind:#x}.")

    def _take(self, count: int) -> bytes:
        found = self._data[self._at : self._at + count]
        if len(found) < count:
            raise UnreadableBinaryError("Its table is cut short.")
        self._at += count
        return found

    def _number(self, width: int, *, signed: bool = False) -> int:
        return int.from_bytes(self._take(width), "big", signed=signed)

    def _text(self, length: int) -> str:
        return self._take(length).decode("utf-8", "replace")

    def _list(self, count: int, depth: int) -> list[Any]:
        return [self.value(depth + 1) for _ in range(count)]

    def _map(self, count: int, depth: int) -> dict[Any, Any]:
        found = {}
        for _ in range(count):
            key = self.value(depth + 1)
            if not isinstance(key, (str, int)):
                raise UnreadableBinaryError("Its table has a key that is no text.")
            found[key] = self.value(depth + 1)
        return found

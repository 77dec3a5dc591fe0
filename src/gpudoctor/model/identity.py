"""What is worked out once for the same object, however large it is."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Identical(Generic[T]):
    """A value as a key that is equal to itself alone.

    For values that are passed on unchanged (what is unknown of a machine, a hundred entries) and
    whose hash would cost more than what is remembered by it.
    """

    def __init__(self, value: T) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identical) and other.value is self.value

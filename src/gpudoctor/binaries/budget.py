"""What reading one file may cost: linear in the bytes that it has, with a ceiling.

A header may claim anything, and a small archive may hold much. So every reader pays for what it
does, a step for each header that it looks at and a byte for each byte that it decompresses, from
one budget for each file on disk.
"""

from __future__ import annotations

from gpudoctor.binaries.source import TooCostlyError

_FREE_STEPS = 1 << 16
_BYTES_A_STEP = 16
"""The smallest thing with a header, an empty container, has 16 bytes."""
MOST_STEPS = 1 << 20
"""Two seconds' work. The library with most images that is known, cuBLASLt 12.8, takes 12,000."""

_FREE_BYTES = 64 << 20
_RATIO = 40
"""torch's wheel decompresses to twice its size; deflate can blow up data a thousandfold."""
MOST_BYTES = 32 << 30
MOST_PADDING = 1 << 30
"""catboost's library has 45 MB between two containers; searching takes a second a gigabyte."""


class Budget:
    """What is left of the steps, of the bytes to decompress, and of those that are no code."""

    __slots__ = ("bytes", "padding", "steps")

    def __init__(self, size: int, *, steps: int | None = None) -> None:
        """`size` is the file's length in bytes; `steps` takes the place of what follows from it."""
        linear = min(MOST_STEPS, _FREE_STEPS + max(0, size) // _BYTES_A_STEP)
        self.steps = linear if steps is None else steps
        self.bytes = min(MOST_BYTES, _FREE_BYTES + _RATIO * max(0, size))
        self.padding = MOST_PADDING

    @property
    def is_spent(self) -> bool:
        """Whether there is nothing left of one of them."""
        return min(self.steps, self.bytes, self.padding) < 0

    def step(self, count: int = 1) -> None:
        """Account for `count` headers, records or members.

        Raises:
            TooCostlyError: that is more than there was left.
        """
        self.steps -= count
        if self.steps < 0:
            raise TooCostlyError("Its device code has more parts than a file of its size can need.")

    def unpack(self, count: int) -> None:
        """Account for `count` decompressed bytes.

        Raises:
            TooCostlyError: that is more than there was left.
        """
        self.bytes -= count
        if self.bytes < 0:
            raise TooCostlyError("It decompresses to more than any wheel does.")

    def search(self, count: int) -> None:
        """Account for `count` bytes between two containers.

        Raises:
            TooCostlyError: that is more than there was left.
        """
        self.padding -= count
        if self.padding < 0:
            raise TooCostlyError(
                f"More than {MOST_PADDING >> 20} MiB in its device code sections are no code."
            )

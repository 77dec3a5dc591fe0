"""How a result is drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Width in columns, whether colours are wanted, and how much to say."""

    color: bool = False
    width: int = 100
    verbose: int = 0
    quiet: bool = False

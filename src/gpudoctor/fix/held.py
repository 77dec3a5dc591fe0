"""Files that running programs hold, found before the first change (Windows)."""

from __future__ import annotations


def held_by(path: str) -> str:
    """Which program holds a file, as a further clause; nothing where that is not known."""
    del path
    return ""

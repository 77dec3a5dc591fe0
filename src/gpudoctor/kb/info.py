"""What this knowledge base is: its version, its date, its tables."""

from __future__ import annotations

import time

from gpudoctor.kb._data import load
from gpudoctor.kb.rows import made
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """One table: what it holds, how many rows, when it was last checked, from where."""

    name: str
    file: str
    rows: int
    date: str
    sources: tuple[str, ...]


def version() -> str:
    """`2026.11.20`: the date of the newest row, with dots."""
    return str(load("info")["version"])


def date() -> str:
    """`2026-11-20`: the date of the newest row."""
    return str(load("info")["date"])


def age() -> str:
    """How old the newest row is, by this machine's clock: `today`, `31 days old`."""
    newest = time.mktime(time.strptime(date(), "%Y-%m-%d"))
    days = int((time.time() - newest) // 86400)
    if days < 0:
        return "dated after this machine's clock"
    return "of today" if days == 0 else "1 day old" if days == 1 else f"{days} days old"


def tables() -> tuple[Table, ...]:
    """All tables, by name."""
    return tuple(made(Table, row) for row in load("contents")["tables"])


def notes(file: str) -> tuple[str, ...]:
    """What the authors of `configs/<file>` want a reader to know."""
    return tuple(load("contents")["notes"].get(file, ()))


def documentation() -> str:
    """The address under which `docs/` is published; empty while it is not."""
    return str(load("info").get("documentation", ""))

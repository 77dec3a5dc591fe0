"""Reads compiled tables, each once, when it is first asked for."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")


@cache
def load(table: str) -> Any:
    """The table `table` as it lies in `data/<table>.json`.

    The result is shared: readers must not change it.
    """
    with open(os.path.join(FOLDER, f"{table}.json"), encoding="utf-8") as file:
        return json.load(file)


def numbers(version: str) -> tuple[int, ...]:
    """The leading numeric parts of a version, for comparison: `12.10` → `(12, 10)`."""
    parts: list[int] = []
    for part in version.split("+", 1)[0].split("."):
        digits = ""
        for character in part:
            if not character.isdigit() or not character.isascii():
                break
            digits += character
        if not digits:
            break
        parts.append(int(digits))
        if digits != part:
            break
    return tuple(parts)

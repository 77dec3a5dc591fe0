"""TOML, by the standard library where it has it (Python 3.11 on), else by its backport."""

from __future__ import annotations

import importlib
import sys
from typing import Any


def loads(text: str) -> dict[str, Any]:
    """The document that a text holds.

    Raises:
        ValueError: it is not TOML; the message names line and column.
    """
    module = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    document: dict[str, Any] = module.loads(text)
    return document

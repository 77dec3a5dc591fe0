"""A package whose names are loaded when they are first asked for, from one table."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any


def attribute(package: str, places: Mapping[str, str], name: str) -> Any:
    """What `package` offers as `name`: loaded from its module, and kept for the next time.

    Args:
        package: whose `__getattr__` asks.
        places: name → the module below the package that has it.
        name: what is asked for.

    Raises:
        AttributeError: the table has no such name.
    """
    place = places.get(name)
    if place is None:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    found = getattr(import_module(f"{package}.{place}"), name)
    setattr(sys.modules[package], name, found)
    return found

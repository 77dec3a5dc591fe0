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


class LazyModule:
    """A module that is loaded when something of it is first asked for."""

    __slots__ = ("__name__",)

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.__name__), name)


def later(name: str) -> Any:
    """The module of this name, for the head of a file whose import must cost nothing.

    Type checkers and the layer contract read the plain import beside it, under `TYPE_CHECKING`.
    Python 3.15 has this in the language (`lazy import`, PEP 810).
    """
    return LazyModule(name)

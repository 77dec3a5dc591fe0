"""Rows of tables as values: the class of a row says once which keys it has, and of which kind.

What is written in `configs/` is held to the class (`keys`), and what was compiled from it is read
into the class (`made`). A table whose rows are kept in another form than they are written in has
its keys in `gpudoctor.kb.authoring.row_schema` instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from gpudoctor.model.value import field_names, required_fields

Version = str
"""`12.8`, `2.9.1`"""
Capability = str
"""A compute capability, `12.0`."""
Gfx = str
"""An AMD instruction set, `gfx1100`."""
Slug = str
"""Lower-case words with hyphens between them."""
Code = str
"""Of a finding, `GPU201`."""
Platform = str
"""As wheels name it: `linux_x86_64`."""
Level = str
"""`error`, `warning` or `info`."""
Date = str
"""`2026-11-20`, or the month alone."""

Row = TypeVar("Row")

_KINDS: Mapping[str, str] = {
    "str": "text",
    "int": "int",
    "bool": "bool",
    "Version": "version",
    "Capability": "capability",
    "Gfx": "gfx",
    "Slug": "slug",
    "Code": "code",
    "Level": "severity",
    "Date": "date",
    "Area": "area",
    "Role": "text",
    "Kind": "text",
    "tuple[str, ...]": "texts",
    "tuple[int, ...]": "ints",
    "tuple[Capability, ...]": "capabilities",
    "tuple[Version, ...]": "versions",
    "tuple[Gfx, ...]": "gfxs",
    "tuple[Platform, ...]": "platforms",
}
"""The annotation of a field, and the kind of what is written for it
(`gpudoctor.kb.authoring.documents`)."""


_OTHER_KEYS: dict[type, Mapping[str, str]] = {}


def written_as(**others: str) -> Callable[[type[Row]], type[Row]]:
    """For a class of rows: the keys under which some of its fields are written."""

    def note(row_class: type[Row]) -> type[Row]:
        _OTHER_KEYS[row_class] = others
        return row_class

    return note


def made(row_class: type[Row], row: Mapping[str, Any]) -> Row:
    """A compiled row as a value of its class; lists become tuples, other keys are left out."""
    values = {}
    others = _OTHER_KEYS.get(row_class, {})
    for name in field_names(row_class):
        key = others.get(name, name)
        if key in row:
            value = row[key]
            values[name] = tuple(value) if type(value) is list else value
    return row_class(**values)


def keys(row_class: type) -> dict[str, str]:
    """The keys that a row has in `configs/`, with their kinds; `?` marks what may be left out.

    Raises:
        KeyError: a field's annotation stands for no kind.
    """
    required = required_fields(row_class)
    others = _OTHER_KEYS.get(row_class, {})
    found = {}
    for name, annotation in row_class.__annotations__.items():
        kind = _KINDS[annotation.removesuffix(" | None")]
        nullable = "|null" if annotation.endswith(" | None") else ""
        key = others.get(name, name)
        found[key if name in required else f"{key}?"] = kind + nullable
    return found

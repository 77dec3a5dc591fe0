"""Facts as lines `path = value [source]`, for people who want to see everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import field_names, is_value

Row = tuple[str, str, str]
"""Path, value as text, source."""


def fact_lines(sheet: FactSheet) -> Iterator[Row]:
    """Every known fact in the order of the model, then what is unknown with its reason."""
    for path, value in _walk(sheet.facts, ""):
        if sheet.why_unknown(path) is None:
            yield path, _show(value), sheet.source(path)
    for entry in sheet.unknown:
        yield entry.fact, f"unknown: {entry.reason}", entry.source


def _walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if is_value(value):
        for name in field_names(value):
            yield from _walk(getattr(value, name), f"{path}.{name}" if path else name)
    elif isinstance(value, tuple) and value and is_value(value[0]):
        for index, item in enumerate(value):
            yield from _walk(item, f"{path}[{index}]")
    elif value not in (None, (), {}):
        yield path, value


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={item}" for key, item in value.items())
    return str(value)

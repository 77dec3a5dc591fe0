"""Every text inside a value, changed by one function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from gpudoctor.model.value import field_names, is_value, replace

T = TypeVar("T")


def with_texts(value: T, change: Callable[[str], str]) -> T:
    """The same value with every text in it changed; keys of mappings stay."""
    return _walk(value, change)  # type: ignore[no-any-return]  # of the same type by construction


def _walk(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if is_value(value):
        changes = {}
        for name in field_names(value):
            before = getattr(value, name)
            after = _walk(before, change)
            if after is not before:
                changes[name] = after
        return replace(value, **changes) if changes else value
    if isinstance(value, Mapping):
        return {key: _walk(item, change) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_walk(item, change) for item in value)
    return value

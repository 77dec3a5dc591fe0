"""TOML files: their tables, and values of the shape that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpudoctor.errors import UsageError
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.model.terms.toml import loads


def parse(source: SourceFile, text: str | None = None) -> dict[str, Any]:
    """The tables of a file.

    Raises:
        UsageError: it is no TOML.
    """
    try:
        return loads(source.text if text is None else text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{source.path} is no TOML: {error}") from None


def table(value: Any, *names: str) -> Mapping[str, Any]:
    """A table inside tables; an empty one where there is none of that shape."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def rows(value: Any) -> list[Any]:
    """An array; empty where it is none."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """A string; `None` where it is none."""
    return value if isinstance(value, str) else None

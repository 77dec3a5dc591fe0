"""Reads `configs/*.yaml` and holds each file to its schema (gpudoctor.kb.authoring.row_schema).

Unknown keys, wrong types, rows without a source and sources that are not listed are errors
that name file, table, row and key.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, get_args

from gpudoctor.kb.authoring.row_schema import FILES
from gpudoctor.kb.findings.catalogue import Area


class AuthoringError(Exception):
    """A file of the knowledge base breaks its schema."""


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _pattern(expression: str) -> Any:
    compiled = re.compile(expression, re.ASCII)
    return lambda value: isinstance(value, str) and bool(compiled.fullmatch(value))


def _all(expression: str) -> Any:
    check = _pattern(expression)
    return lambda value: isinstance(value, list) and all(check(item) for item in value)


_STEP_FORMS = ("posix", "windows", "argv", "set")
_STEP_KINDS = ("install", "uninstall", "driver", "environment", "reboot", "source-build", "manual")


def _is_steps(value: Any) -> bool:
    """Steps: a text, and at most one form of command; `posix` and `windows` may stand together."""
    return isinstance(value, list) and all(isinstance(i, dict) and _is_step(i) for i in value)


def _is_step(row: Mapping[str, Any]) -> bool:
    forms = [form for form in _STEP_FORMS if form in row]
    return (
        row.keys() <= {"text", "kind", *_STEP_FORMS}
        and isinstance(row.get("text"), str)
        and row.get("kind", "manual") in _STEP_KINDS
        and (len(forms) < 2 or forms == ["posix", "windows"])
        and all(isinstance(row[form], str) for form in ("posix", "windows") if form in row)
        and _is_texts(row.get("argv", []))
        and isinstance(row.get("set", {}), dict)
    )


_CHECKS: Mapping[str, Any] = {
    "text": lambda value: isinstance(value, str),
    "texts": _is_texts,
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "ints": lambda value: isinstance(value, list) and all(type(item) is int for item in value),
    "bool": lambda value: isinstance(value, bool),
    "map": lambda value: isinstance(value, dict),
    "maps": lambda value: isinstance(value, list) and all(isinstance(i, dict) for i in value),
    "date": _pattern(r"20\d\d-\d\d(-\d\d)?"),
    "version": _pattern(r"\d+(\.\d+)*([a-z.+][\w.+]*)?"),
    "versions": _all(r"\d+(\.\d+)*([a-z.+][\w.+]*)?"),
    "capability": _pattern(r"\d{1,2}\.\d"),
    "capabilities": _all(r"\d{1,2}\.\d"),
    "sass": _all(r"sm_\d{2,3}[af]?"),
    "ptx": _all(r"compute_\d{2,3}[af]?"),
    "gfx": _pattern(r"gfx[0-9a-f]{3,4}"),
    "gfxs": _all(r"gfx[0-9a-f]{3,4}"),
    "hex": _pattern(r"[0-9a-f]{4}"),
    "hexes": _all(r"[0-9a-f]{4}"),
    "code": _pattern(r"GPU\d{3}"),
    "slug": _pattern(r"[a-z0-9]+(-[a-z0-9]+)*"),
    "platforms": _all(r"linux_x86_64|linux_aarch64|win_amd64|win_arm64|macos_arm64|macos_x86_64"),
    "steps": _is_steps,
    "area": lambda value: value in get_args(Area),
    "severity": lambda value: value in ("error", "warning", "info"),
}

_HEADER_KEYS = {
    "schema": "int",
    "sources?": "map",
    "source?": "text",
    "row_sources?": "map",
    "notes?": "texts",
}


def read(path: str) -> dict[str, Any]:
    """One YAML file, checked against its schema.

    Raises:
        AuthoringError: it cannot be parsed, or breaks the schema.
    """
    import yaml

    name = os.path.basename(path)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        with open(path, encoding="utf-8") as file:
            document = yaml.load(file, loader)  # noqa: S506 (a safe loader, in C where it is there)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise AuthoringError(f"{name} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise AuthoringError(f"{name} is no mapping")
    check(name, document)
    return document


def check(name: str, document: Mapping[str, Any]) -> None:
    """Hold a document to the schema of `name`; raises `AuthoringError`."""
    schema = FILES[name]
    tables = dict.fromkeys(schema.tables, "maps")
    header = {**_HEADER_KEYS, "date" if schema.dated else "date?": "date"}
    _check_keys(name, document, {**header, **schema.extra, **tables})
    listed = set(document.get("sources") or ())
    defaults = document.get("row_sources") or {}
    for table, keys in schema.tables.items():
        for position, row in enumerate(document[table]):
            place = f"{name}, {table}, row {position + 1} ({next(iter(row.values()), '')})"
            _check_keys(place, row, keys)
            sources = row.get("sources", defaults.get(table, ()))
            if not (sources or "source" in document or "source" in row):
                raise AuthoringError(f"{place} has no source")
            missing = set(sources) - listed
            if missing:
                raise AuthoringError(f"{place} names sources that are not listed: {missing}")


def _check_keys(place: str, value: Mapping[str, Any], keys: Mapping[str, str]) -> None:
    allowed = {key.removesuffix("?") for key in keys}
    if unknown := set(value) - allowed:
        raise AuthoringError(f"{place} has unknown keys: {', '.join(sorted(unknown))}")
    for key, kind in keys.items():
        bare = key.removesuffix("?")
        if bare not in value:
            if key.endswith("?"):
                continue
            raise AuthoringError(f"{place} lacks {bare}")
        item = value[bare]
        if item is None and kind.endswith("|null"):
            continue
        if not _CHECKS[kind.removesuffix("|null")](item):
            raise AuthoringError(f"{place}: {bare} is no {kind}: {item!r}")

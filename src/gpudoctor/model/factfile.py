"""Fact sheets and reports as JSON text: `gpudoctor facts` writes them, `check --facts` reads them.

The format is `{"schema_version", "facts", "unknown", "sources"}`; a whole report is read too. A
fact that a sheet does not mention is unknown, never absent: a sheet written by hand or by an
older version must not make a machine look healthier than it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from gpudoctor.errors import UsageError
from gpudoctor.model.codec import decode, encode, hints
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Facts
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import field_names, is_value_class, required_fields

SCHEMA_VERSION = "1.0"
MAX_BYTES = 64 * 2**20
"""Largest fact sheet that is read; a machine with 16 GPUs and 1,000 libraries needs under 2 MB."""

_NOT_STATED = "the fact sheet does not mention it"
_MAX_DEPTH = 60
# Where a document may begin inside a text: an opening brace at the head of a line.
_OPENING = re.compile(r"^[ \t`]{0,12}(?=\{)", re.M)
_QUOTED = re.compile(r"^(?:[ ]{0,3}> ?){1,5}", re.M)


def encode_sheet(sheet: FactSheet) -> dict[str, Any]:
    """The sheet as JSON values; unknown facts are `null` and stand in `unknown`."""
    facts = encode(sheet.facts)
    for entry in sheet.unknown:
        _put_null(facts, entry.fact)
    return {
        "schema_version": SCHEMA_VERSION,
        "facts": facts,
        "unknown": [encode(entry) for entry in sheet.unknown],
        "sources": dict(sheet.sources),
    }


def parse_sheet(text: str | bytes, name: str = "the fact sheet") -> FactSheet:
    """Read a fact sheet or a whole report.

    Raises:
        UsageError: not JSON, another schema, or a value of the wrong type; says which.
    """
    if len(text) > MAX_BYTES:
        raise UsageError(f"{name} is larger than {MAX_BYTES // 2**20} MiB, which no fact sheet is")
    document = _load(text, name)
    version = str(document.get("schema_version", "")).strip()
    if version.split(".")[0] not in ("", SCHEMA_VERSION.split(".")[0]):
        raise UsageError(
            f"{name} has schema version {version[:20]}, and this gpudoctor reads {SCHEMA_VERSION}; "
            "a newer gpudoctor may read it"
        )
    given = document.get("facts")
    if not isinstance(given, dict):
        raise UsageError(f'{name} has no "facts" object')
    try:
        facts = decode(Facts, given)
        unknown = _unknown(document.get("unknown"))
        sources = decode_sources(document.get("sources"))
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None
    listed = {entry.fact for entry in unknown}
    silent = tuple(
        Unknown(path, _NOT_STATED, "fact sheet", "not-stated")
        for path in not_mentioned(Facts, given)
        if path not in listed
    )
    return FactSheet(facts, unknown + silent, sources)


def not_mentioned(kind: type, given: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Paths of the fields of `kind` that `given` has no key for."""
    annotations = hints(kind)
    required = required_fields(kind)
    for name in field_names(kind):
        path = f"{prefix}{name}"
        if name not in given:
            if name not in required:
                yield path
            continue
        value = given[name]
        nested = _value_class_in(annotations[name])
        if nested is None:
            continue
        if isinstance(value, dict):
            yield from not_mentioned(nested, value, f"{path}.")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, dict):
                    yield from not_mentioned(nested, item, f"{path}[{index}].")


def decode_sources(value: Any) -> dict[str, str]:
    """The optional `sources` object of a fact sheet; anything else is left out."""
    if not isinstance(value, dict):
        return {}
    return {str(key): entry for key, entry in value.items() if isinstance(entry, str)}


def _load(text: str | bytes, name: str) -> dict[str, Any]:
    try:
        if isinstance(text, bytes):
            text = _decode_bytes(text)
        document = json.loads(text)
    except UnicodeDecodeError:
        raise UsageError(f"{name} is not text, so it is no fact sheet") from None
    except RecursionError:
        raise UsageError(f"{name} is nested too deeply to be a fact sheet") from None
    except ValueError as error:
        inner = embedded(str(text))
        if inner is not None:
            return inner
        what = "is empty" if not text.strip() else f"is not JSON: {_where(error)}"
        raise UsageError(f"{name} {what}") from None
    if not isinstance(document, dict):
        raise UsageError(f"{name} is JSON, but not an object with facts")
    return document


def embedded(text: str) -> dict[str, Any] | None:
    """The first fact sheet or report that stands as JSON inside a text, such as an issue's.

    Bare, in a fence, or quoted with `>`; `None`: there is none.
    """
    if '"facts"' not in text:
        return None
    decoder = json.JSONDecoder()
    for plain in (text, _QUOTED.sub("", text)):
        position = plain.find('"facts"')
        for brace in _OPENING.finditer(plain, 0, max(0, position)):
            try:
                found = decoder.raw_decode(plain, brace.end())[0]
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict) and isinstance(found.get("facts"), dict):
                return found
    return None


def _decode_bytes(data: bytes) -> str:
    """UTF-8, with or without a mark, and the UTF-16 that PowerShell's `>` writes."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    return data.decode("utf-8-sig")


def _where(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    # What the decoder refuses otherwise is a number of more digits than Python converts.
    return "a number in it is too long"


def _unknown(value: Any) -> tuple[Unknown, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(_entry(entry, f"unknown[{i}]") for i, entry in enumerate(value))


def _entry(value: Any, path: str) -> Unknown:
    """One fact that a sheet calls unknown; sheets from before the kind was written have none.

    Nothing is concluded from those: that a collector failed, or a file is damaged.
    """
    if isinstance(value, dict) and "kind" not in value:
        value = {**value, "kind": "not-asked"}
    return decode(Unknown, value, path)


def _value_class_in(annotation: Any) -> type | None:
    """The class of values inside `X | None` or `tuple[X, ...]`."""
    if isinstance(annotation, type) and is_value_class(annotation):
        return annotation
    if get_origin(annotation) is not None and not isinstance(get_origin(annotation), type(Mapping)):
        for argument in get_args(annotation):
            found = _value_class_in(argument)
            if found:
                return found
    return None


def _put_null(facts: dict[str, Any], path: str) -> None:
    """Set the entry at `path` to null where the path leads somewhere."""
    node: Any = facts
    steps = path.replace("[", ".[").split(".")
    for position, step in enumerate(steps):
        last = position == len(steps) - 1
        if step.startswith("[") and isinstance(node, list):
            index = int(step[1:-1]) if step[1:-1].isdigit() else len(node)
            if index >= len(node) or last:
                return
            node = node[index]
        elif isinstance(node, dict) and step in node:
            if last:
                node[step] = None
                return
            node = node[step]
        else:
            return

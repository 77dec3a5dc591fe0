"""The JSON Schemas of what gpudoctor prints, made from the model's own annotations.

They are published in the package (`schemas/*.schema.json`); a test holds them to the model.
`python -m gpudoctor.report.schema` writes them anew.
"""

from __future__ import annotations

import dataclasses
import json
import os
import types
from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

from gpudoctor.examine.settings.policy_schema import schema as policy_schema
from gpudoctor.model.codec import hints
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Facts
from gpudoctor.model.finding import Finding
from gpudoctor.model.prescription import Prescription
from gpudoctor.model.report import Knowledge, Smoke

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = os.path.join(os.path.dirname(__file__), "schemas")


def schemas() -> dict[str, dict[str, Any]]:
    """Every published schema by its file name."""
    return {
        "report.schema.json": report_schema(),
        "facts.schema.json": facts_schema(),
        "scan.schema.json": scan_schema(),
        "policy.schema.json": policy_schema(),
    }


def facts_schema() -> dict[str, Any]:
    """Schema of `gpudoctor facts --json`."""
    return {
        "$schema": _DIALECT,
        "title": "gpudoctor fact sheet",
        **_object(
            {
                "schema_version": {"type": "string", "pattern": r"^1\."},
                "facts": _schema(Facts),
                "unknown": {"type": "array", "items": _schema(Unknown)},
                "sources": {"type": "object", "additionalProperties": {"type": "string"}},
            },
            required=("schema_version", "facts", "unknown"),
        ),
    }


def scan_schema() -> dict[str, Any]:
    """Schema of `gpudoctor scan --json`."""
    count = {"type": "integer", "minimum": 0}
    counts = {"type": "object", "additionalProperties": count}
    texts = {"type": "array", "items": {"type": "string"}}
    coverage = _object(
        {
            "gpu": {"type": "string", "pattern": "^[a-z0-9]+([_.-][a-z0-9]+)*$"},
            "status": {"enum": ["native", "jit", "partial", "none"]},
            "runnable": count,
            "of": count,
        }
    )
    file = _object(
        {
            "path": {"type": "string"},
            "format": {"type": "string"},
            "fatbins": count,
            "sass": counts,
            "ptx": counts,
            "coverage": {"type": "array", "items": coverage},
            "relocatable": _object({"fatbins": count, "sass": counts, "ptx": counts}),
            "embedded": _object({"fatbins": count, "sass": counts, "ptx": counts}),
            "hip": counts,
            "mislabelled": {"type": "object", "additionalProperties": {"type": "string"}},
            "kernel_archive": _object({"name": {"type": "string"}, "paths": texts, "found": texts}),
            "xpu": counts,
            "macos": {"type": "string"},
            "metal": texts,
        },
        required=("path", "format", "fatbins", "sass", "ptx", "coverage"),
    )
    skipped = _object({"path": {"type": "string"}, "reason": {"type": "string"}})
    return {
        "$schema": _DIALECT,
        "title": "gpudoctor scan",
        **_object(
            {
                "schema_version": {"type": "string", "pattern": r"^1\."},
                "files": {"type": "array", "items": file},
                "skipped": {"type": "array", "items": skipped},
            }
        ),
    }


def report_schema() -> dict[str, Any]:
    """Schema of the report that `check`, `smoke`, `plan`, `fix` and `triage` print."""
    finding = _schema(Finding)
    finding["properties"]["url"] = {"type": "string"}
    finding["properties"]["code"]["pattern"] = "^GPU[0-9]{3}$"
    suppressed = json.loads(json.dumps(finding))
    suppressed["properties"]["reason"] = {"type": "string"}
    properties = {
        **facts_schema()["properties"],
        "tool": _object({"name": {"const": "gpudoctor"}, "version": {"type": "string"}}),
        "knowledge": _schema(Knowledge),
        "verdict": {"enum": ["healthy", "warning", "broken", "unknown"]},
        "exit_code": {"enum": [0, 1, 2, 3, 4, 5, 6, 130]},
        "findings": {"type": "array", "items": finding},
        "suppressed": {"type": "array", "items": suppressed},
        "not_judged": {"type": "array", "items": _schema(Unknown)},
        "prescription": {"anyOf": [_schema(Prescription), {"type": "null"}]},
        "smoke": {"anyOf": [_schema(Smoke), {"type": "null"}]},
        "notes": {"type": "array", "items": {"type": "string"}},
        "timings_ms": {"type": "object", "additionalProperties": {"type": "number"}},
    }
    required = tuple(name for name in properties if name not in ("sources", "not_judged", "notes"))
    return {
        "$schema": _DIALECT,
        "title": "gpudoctor report",
        **_object(properties, required=required),
    }


def _object(properties: dict[str, Any], required: tuple[str, ...] | None = None) -> dict[str, Any]:
    """An object; keys that are not listed are allowed, since a minor version may add some."""
    names = list(properties if required is None else required)
    return {"type": "object", "properties": properties, "required": names}


def _schema(kind: Any) -> dict[str, Any]:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(option) for option in get_args(kind)]}
    if origin is Literal:
        return {"enum": list(get_args(kind))}
    if origin is tuple:
        items = {"type": "array", "items": _schema(get_args(kind)[0])}
        return {"anyOf": [items, {"type": "null"}]}
    if origin is not None and issubclass(origin, Mapping):
        values = _schema(get_args(kind)[1])
        return {"anyOf": [{"type": "object", "additionalProperties": values}, {"type": "null"}]}
    if kind is type(None):
        return {"type": "null"}
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        annotations = hints(kind)
        fields = dataclasses.fields(kind)
        return _object({f.name: _nullable(_schema(annotations[f.name]), f) for f in fields})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [member.value for member in kind]}
    names = {str: "string", bool: "boolean", int: "integer", float: "number"}
    return {"type": names[kind]}


def _nullable(schema: dict[str, Any], field: dataclasses.Field[Any]) -> dict[str, Any]:
    """A field with a default may be null: that is how an unknown fact is written."""
    optional = (
        field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
    )
    already = {"type": "null"} in schema.get("anyOf", ())
    return {"anyOf": [schema, {"type": "null"}]} if optional and not already else schema


def main() -> None:
    """Write the schemas into the package."""
    os.makedirs(FOLDER, exist_ok=True)
    for name, schema in schemas().items():
        with open(os.path.join(FOLDER, name), "w", encoding="utf-8", newline="\n") as file:
            file.write(as_text(schema))


def as_text(schema: dict[str, Any]) -> str:
    """The text of a schema file."""
    return json.dumps(schema, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    main()

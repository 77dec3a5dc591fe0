"""The schema of `configs/*.yaml`: which tables a file has and which keys a row has.

Unknown keys, wrong types, rows without a source and sources that are not listed are errors
that name file, table, row and key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class AuthoringError(Exception):
    """A file of the knowledge base breaks its schema."""


@dataclass(frozen=True, slots=True)
class File:
    """One YAML file: its tables, each a list of rows with the given keys.

    A key ending in `?` may be left out. The kinds are those of `_CHECKS`; `|null` allows null.
    """

    tables: Mapping[str, Mapping[str, str]]
    extra: Mapping[str, str] = field(default_factory=dict)
    """Further keys of the file besides its tables and header."""
    optional: bool = False
    dated: bool = True
    """Whether the file has a date of its own; else each row's source states one."""


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _pattern(expression: str) -> Any:
    compiled = re.compile(expression, re.ASCII)
    return lambda value: isinstance(value, str) and bool(compiled.fullmatch(value))


def _all(expression: str) -> Any:
    check = _pattern(expression)
    return lambda value: isinstance(value, list) and all(check(item) for item in value)


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
    "code": _pattern(r"GPU\d{3}"),
    "slug": _pattern(r"[a-z0-9]+(-[a-z0-9]+)*"),
    "platforms": _all(r"linux_x86_64|linux_aarch64|win_amd64|win_arm64|macos_arm64|macos_x86_64"),
    "severity": lambda value: value in ("error", "warning", "info"),
}

_SOURCED = {"sources?": "texts", "date?": "date"}


def _rows(**keys: str) -> dict[str, str]:
    """Keys and kinds of a row; `_opt` at the end of a key marks one that may be left out."""
    named = {
        key.removesuffix("_opt") + "?" if key.endswith("_opt") else key: kind
        for key, kind in keys.items()
    }
    return named | _SOURCED


SIGNATURE_FILES = tuple(
    f"signatures_{topic}.yaml"
    for topic in ("driver", "containers", "libraries", "wheels", "runtime", "platforms")
)
"""Error messages by topic; all compile into one table."""

_SIGNATURES = File(
    {
        "signatures": _rows(
            id="slug",
            made_by="text",
            anchors="texts",
            pattern="text",
            also_opt="texts",
            unless_opt="texts",
            says="text",
            causes="map",
        )
    }
)

FILES: Mapping[str, File] = {
    "gpus.yaml": File(
        {
            "architectures": _rows(
                cc="capability",
                architecture="text",
                first_branch="int|null",
                last_branch="int|null",
                module="text",
                tegra="bool",
            ),
            "gpus": _rows(
                name="text",
                aliases_opt="texts",
                cc="capability",
                cc_options_opt="capabilities",
                architecture="text",
                chip="text",
                segment="text",
                memory_gb_opt="ints",
                min_driver="version|null",
                min_driver_basis="text",
                last_driver_branch_opt="int",
                cc_basis="text",
                jetpack_opt="text",
                note_opt="text",
            ),
        }
    ),
    "gpus_pci.yaml": File(
        {
            "devices": _rows(
                id="hex",
                chip="text",
                cc="capability",
                name="text",
                smi_names_opt="texts",
                first_open_driver_opt="version",
            )
        }
    ),
    "cuda.yaml": File(
        {
            "majors": _rows(
                cuda="int", linux="version", windows="version", wsl="version", note_opt="text"
            ),
            "toolkits": _rows(
                version="version",
                branch="int",
                drivers="maps",
                sm="texts",
                confidence_opt="text",
                note_opt="text",
            ),
            "architectures": _rows(
                sm="text",
                label="text",
                first="version",
                last="version|null",
                replaced_by_opt="text",
                confidence_opt="text",
                note_opt="text",
            ),
            "branches": _rows(
                branch="int",
                cuda="version|null",
                designation_opt="text",
                end_opt="date",
                last_for_opt="texts",
                note_opt="text",
            ),
            "cudnn": _rows(since="version", lowest="capability", cuda="int|null", note_opt="text"),
            "forward_compatibility": _rows(
                package="text", os="texts", segments="texts", note_opt="text"
            ),
            "ptx_isa": _rows(isa="version", cuda="version", note_opt="text"),
            "host_compilers": _rows(
                cuda="version", gcc="int", clang="int", msc_min="int", msc="int", note_opt="text"
            ),
            "errors": _rows(code="int", name="text", meaning="text"),
        }
    ),
    "torch_releases.yaml": File(
        {
            "releases": _rows(
                version="version",
                released="date",
                git="text",
                requires_python="text",
                min_glibc="version",
                platform_tags="texts",
                triton="version|null",
                pythons="map",
                index_pythons_opt="map",
                companions="map",
                pypi="map",
                warnings_opt="texts",
            ),
            "builds": _rows(
                torch="versions",
                variant="text",
                platforms="platforms",
                cuda="version|null",
                cudnn_opt="version|null",
                nccl_opt="version|null",
                sass_opt="sass",
                ptx_opt="ptx",
                gfx_opt="gfxs",
                aot_opt="texts",
                confidence="text",
                published="text",
                off_matrix_opt="bool",
                local_opt="bool",
                min_glibc_opt="version",
                note_opt="text",
            ),
        },
        {"confidence_values": "map", "published_values": "map"},
    ),
    "torch_binaries.yaml": File(
        {
            "builds": {
                "torch": "version",
                "variant": "text",
                "platform": "text",
                "cuda": "version|null",
                "sass": "sass",
                "ptx": "ptx",
                "source": "text",
                "sha256": "text",
                "bytes": "int",
                "libraries": "maps",
            }
        },
        optional=True,
        dated=False,
    ),
    "nightly.yaml": File(
        {
            "nightlies": _rows(
                variant="text",
                platforms="platforms",
                cuda="version|null",
                sass="sass",
                ptx="ptx",
                status="text",
                cudnn_opt="version",
                last_seen_opt="date",
                note_opt="text",
            ),
            "removed": _rows(variant="text", year_opt="text", note_opt="text"),
        },
        {"version": "text", "evidence_until": "date", "pythons": "texts", "companions": "map"},
    ),
    "amd.yaml": File(
        {
            "overrides": _rows(
                gfx="gfxs", value="version", runs_as="gfx", works="text", note_opt="text"
            ),
            "indexes": _rows(name="text", url="text", example="text", platforms="platforms"),
            "amd_builds": _rows(gfx="gfx", linux="text|null", windows="text|null"),
            "gpus": _rows(
                name="text",
                gfx="gfx",
                architecture="text",
                kind="text",
                examples_opt="text",
                note_opt="text",
            ),
            "pci": _rows(id="hex", gfx="gfx", name="text"),
        }
    ),
    "intel.yaml": File(
        {
            "families": _rows(
                family="text",
                targets="texts",
                names="texts",
                since="text|null",
                documented="bool",
                note_opt="text",
            ),
            "os_support": _rows(
                torch="version",
                windows="texts",
                linux="texts",
                wsl2_opt="texts",
                note_opt="text",
            ),
            "pci": _rows(id="hex", target="text", name="text"),
        }
    ),
    "packages.yaml": File(
        {
            "fits": _rows(
                package="slug", version="version", torch="text", exact="bool", note_opt="text"
            ),
            "requirements": _rows(
                package="slug",
                feature="slug",
                capability="capability",
                since_opt="version",
                note_opt="text",
            ),
            "triton": _rows(
                triton="version",
                torch="versions",
                ptxas_cuda="version",
                blackwell_cuda="version|null",
                note_opt="text",
            ),
            "torch_libraries": _rows(file="text", purpose="text", essential="bool"),
            "nvidia_wheels": _rows(
                library="slug",
                distributions="texts",
                soname="text",
                purpose="text",
                cuda13_only_opt="texts",
            ),
        }
    ),
    "environment.yaml": File(
        {
            "variables": _rows(name="text", why="text", kind_opt="text"),
            "distributions": _rows(names="texts", why="text"),
            "conda": _rows(names="texts", why="text"),
        }
    ),
    "driver_steps.yaml": File(
        {
            "recommended": _rows(branch="int", why="text", until="date"),
            "families": _rows(
                id="slug",
                name="text",
                ids="texts",
                open_opt="texts",
                proprietary_opt="texts",
                text_opt="text",
                text_exact_opt="text",
                note_opt="text",
            ),
            "jetson_indexes": _rows(
                jetpack="version",
                l4t="version",
                capability="capability",
                index_url="text",
                python="versions",
                cuda="version",
            ),
            "source_build": _rows(
                memory_bytes_per_job="int", disk_bytes="int", cmake_min="version"
            ),
        }
    ),
    "smoke.yaml": File(
        {
            "tolerances": _rows(operation="slug", relative="map"),
            "formats": _rows(format="slug", capability="capability"),
            "limits": _rows(stage="slug", seconds="int"),
            "sheets": _rows(names="texts", rates="map"),
            "links": _rows(generation="int", mb_per_s="int"),
            "causes": _rows(name="slug", texts="texts", confirm_opt="slug"),
            "advice": _rows(key="slug", value="int", note_opt="text"),
        }
    ),
    "signature_marks.yaml": File(
        {"marks": _rows(mark="slug", anchors="texts", pattern="text")},
    ),
    **dict.fromkeys(SIGNATURE_FILES, _SIGNATURES),
    "findings.yaml": File(
        {
            "findings": _rows(
                code="code",
                name="slug",
                severity="severity",
                meaning="text",
                still_possible_opt="text",
                looks_like_opt="texts",
                confirm_by_opt="texts",
                cures_opt="texts",
            )
        }
    ),
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
    import os

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

"""The tables of the knowledge base as rows of plain values, for people who want to see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gpudoctor.kb import info
from gpudoctor.kb._data import load
from gpudoctor.kb.software import torch_releases

Row = dict[str, Any]

# Where the rows of a file's tables lie, for files whose compiled form has another name.
_COMPILED = {"gpus_pci": "pci", "findings": "findings"}


def names() -> tuple[str, ...]:
    """The full names of all tables: `gpus.gpus`, `cuda.toolkits` …"""
    return tuple(table.name for table in info.tables())


def find(text: str) -> tuple[info.Table, ...]:
    """The tables that `text` may mean: `cuda.toolkits`, `toolkits`, or `gpus` for `gpus.gpus`."""
    wanted = text.strip().lower().removesuffix(".yaml")
    tables = info.tables()
    for exact in (wanted, f"{wanted}.{wanted}"):
        if same := tuple(table for table in tables if table.name == exact):
            return same
    return tuple(
        table
        for table in tables
        if wanted in (table.name.split(".", 1)[1], table.name.split(".", 1)[0])
    )


def rows(table: info.Table) -> tuple[Row, ...]:
    """The rows of a table, each a mapping of what it states; empty cells are left out."""
    file, part = table.name.split(".", 1)
    if file == "torch_releases" and part == "releases":
        return tuple(load("torch_releases"))
    if part in ("builds", "nightlies") and file in ("torch_releases", "nightly"):
        builds = torch_releases.builds() if part == "builds" else torch_releases.nightlies()
        return tuple(_stated(build._asdict()) for build in builds)
    if file == "nightly":
        return tuple(load("torch_builds")["removed"])
    if file == "torch_downloads":  # compiled into the builds
        return tuple(
            {
                "torch": build.torch,
                "platform": build.platform,
                "requires_bytes": build.requires_bytes,
            }
            for build in torch_releases.builds()
            if build.requires_bytes is not None
        )
    if file == "torch_binaries":
        return tuple(_binary_rows())
    if file.startswith("signature"):
        compiled = load("signatures")
        return tuple(compiled.get(part, ()))
    compiled = load(_COMPILED.get(file, file))
    content = compiled if file in ("gpus_pci", "findings") else compiled.get(part, ())
    return tuple(_as_rows(content))


def _as_rows(content: Any) -> Iterable[Row]:
    if isinstance(content, Mapping):
        for key, value in content.items():
            if isinstance(value, Mapping):
                yield {"id": key, **value}
            else:
                yield {"id": key, "name": value[0], "is": value[1]}
    else:
        yield from content


def _binary_rows() -> Iterable[Row]:
    for key, libraries in load("torch_binaries").items():
        torch, variant, platform = key.split("/")
        for library in libraries:
            yield {
                "torch": torch,
                "variant": variant,
                "platform": platform,
                "library": library["path"],
                "fatbins": library["fatbins"],
                "groups": [
                    f"{group['count']}x {' '.join((*group.get('sass', ()), *group.get('ptx', ())))}"
                    for group in library.get("groups", ())
                ],
            }


def _stated(row: Row) -> Row:
    return {key: value for key, value in row.items() if value not in (None, (), "", False)}

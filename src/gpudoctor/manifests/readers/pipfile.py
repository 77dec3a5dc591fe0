"""Pipfile and Pipfile.lock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gpudoctor.errors import UsageError
from gpudoctor.manifests.install_file import Index, InstallFile, Pinned, Wish, line_of
from gpudoctor.manifests.readers.entries import matters
from gpudoctor.manifests.readers.toml_file import parse, rows, table, text
from gpudoctor.manifests.scene import Scene, wheel_version
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.manifests.universe import family
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.requirement_line import normal

_PARTS = (("packages", None), ("dev-packages", "dev"))
_MARKERS = ("sys_platform", "platform_system", "platform_machine", "os_name", "python_version",
            "python_full_version", "implementation_name",
            "platform_python_implementation")  # fmt: skip


def read(source: SourceFile) -> InstallFile:
    """Read a Pipfile.

    Raises:
        UsageError: it is no TOML.
    """
    data = parse(source)
    indexes = [
        Index(
            url=url,
            name=text(table(row).get("name")) or "",
            at=FileAt(source.path, line_of(source.text, url)),
        )
        for row in rows(data.get("source"))
        if (url := text(table(row).get("url")))
    ]
    wishes = []
    for part, group in _PARTS:
        for name, value in table(data, part).items():
            if family(normal(name)):
                wishes.append(_wish(name, value, group, source))
    return InstallFile(
        path=source.path,
        format="Pipfile",
        tool="pipenv",
        wishes=tuple(wishes),
        indexes=tuple(indexes),
        options={"pre": "yes"} if table(data, "pipenv").get("allow_prereleases") else {},
        python=text(table(data, "requires").get("python_version")),
    )


def _wish(name: str, value: Any, group: str | None, source: SourceFile) -> Wish:
    row = table(value)
    version = value if isinstance(value, str) else text(row.get("version")) or "*"
    markers = [text(row.get("markers")), *(f"{key} {row[key]}" for key in _MARKERS if key in row)]
    said = [f"({marker})" for marker in markers if marker]
    url = text(row.get("file")) or text(row.get("path"))
    unread = None
    if (url and not wheel_version(url)) or "git" in row:
        unread = f"{source.path} takes {name} from no index: what that is cannot be told"
    return Wish(
        name=normal(name),
        at=FileAt(source.path, line_of(source.text, name)),
        specifier="" if version == "*" else version,
        marker=" and ".join(said) or None,
        index=text(row.get("index")),
        url=source.place(url) if url and not unread else None,
        group=group,
        unread=unread,
    )


def read_lock(source: SourceFile, scene: Scene) -> InstallFile:
    """Read a Pipfile.lock for a scene.

    Raises:
        UsageError: it is no JSON.
    """
    try:
        data = json.loads(source.text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{source.path} is no JSON: {error}") from None
    meta = table(data, "_meta")
    sources = [table(row) for row in rows(meta.get("sources"))]
    urls = {text(row.get("name")): text(row.get("url")) for row in sources}
    first = next(iter(urls.values()), None)
    parts = ["default", *(["develop"] if "dev" in scene.groups else [])]
    pinned = []
    for part in parts:
        for name, row in table(data, part).items():
            if not matters(normal(name)) or not isinstance(row, Mapping):
                continue
            if scene.applies(text(row.get("markers"))):
                pinned.append(_pinned(name, row, urls, first, source))
    dev = table(data, "develop")
    return InstallFile(
        path=source.path,
        format="Pipfile.lock",
        tool="pipenv",
        pinned=tuple(pinned),
        python=text(table(meta, "requires").get("python_version")),
        optional=("--group dev",) if "torch" in dev else (),
    )


def _pinned(
    name: str,
    row: Mapping[str, Any],
    urls: Mapping[str | None, str | None],
    first: str | None,
    source: SourceFile,
) -> Pinned:
    url = text(row.get("file")) or text(row.get("path"))
    unread = None
    if (url and not wheel_version(url)) or "git" in row:
        unread = f"{source.path} takes {name} from no index: what that is cannot be told"
    index = urls.get(text(row.get("index"))) if "index" in row else first
    version = text(row.get("version")) or ""
    return Pinned(
        name=normal(name),
        version=version.lstrip("=") or (wheel_version(url or "") or ""),
        at=FileAt(source.path, line_of(source.text, f'"{name}":')),
        files=(url,) if url and not unread else (),
        index=None if url else index,
        default="unknown",
        unread=unread,
    )

"""poetry.lock: entries with markers, groups and a source table; without one it is PyPI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpudoctor.manifests.install_file import InstallFile, Pinned
from gpudoctor.manifests.readers.entries import line_of_entry, matters, row_of, split
from gpudoctor.manifests.readers.toml_file import parse, rows, table, text
from gpudoctor.manifests.scene import Scene, wheel_version
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.requirement_line import normal

_TABLE = "package"


def read(source: SourceFile, scene: Scene) -> InstallFile:
    """Read a poetry.lock for a scene.

    Raises:
        UsageError: it is no TOML.
    """
    _, entries, rest = split(source, _TABLE)
    tail = parse(source, rest)
    active = _groups(source, scene)
    pinned = []
    optional: set[str] = set()
    for entry in entries:
        name = normal(entry.name)
        if not matters(name):
            continue
        row = row_of(source, entry, _TABLE)
        groups = [str(group) for group in rows(row.get("groups"))] or ["main"]
        wanted = [group for group in groups if active is None or normal(group) in active]
        markers = row.get("markers")
        held = [_applies(markers, group, scene) for group in wanted]
        asked = not row.get("optional") or bool(_extras(tail, name) & set(scene.extras))
        if not any(held) or not asked:
            if name == "torch":
                optional |= _ways(groups, wanted, _extras(tail, name))
            continue
        pinned.append(_pinned(source, entry, row, table(tail, "metadata", "files").get(entry.name)))
    return InstallFile(
        path=source.path,
        format="poetry.lock",
        tool="poetry",
        pinned=tuple(pinned),
        requires_python=text(table(tail, "metadata").get("python-versions")),
        optional=tuple(sorted(optional)),
    )


def _groups(source: SourceFile, scene: Scene) -> set[str] | None:
    """The groups that are installed; `None`: there is no manifest that says so."""
    beside = source.beside("pyproject.toml")
    if beside is None:
        return None
    data = parse(beside)
    named = {*table(data, "tool", "poetry", "group"), *table(data, "dependency-groups")}
    optional = {
        name
        for name in named
        if table(data, "tool", "poetry", "group", name).get("optional") is True
    }
    return {normal(name) for name in named - optional} | {"main", "dev", *scene.groups}


def _applies(markers: Any, group: str, scene: Scene) -> bool:
    if isinstance(markers, Mapping):
        markers = markers.get(group)
    return scene.applies(text(markers))


def _extras(tail: Mapping[str, Any], name: str) -> set[str]:
    """The extras of the project that bring a package."""
    return {
        normal(extra)
        for extra, members in table(tail, "extras").items()
        if any(normal(str(member).split(" ")[0]) == name for member in rows(members))
    }


def _ways(groups: list[str], wanted: list[str], extras: set[str]) -> set[str]:
    if not wanted:
        return {f"--group {group}" for group in groups}
    if extras:
        return {f"--extra {extra}" for extra in extras}
    return set()


def _pinned(source: SourceFile, entry: Any, row: Mapping[str, Any], listed: Any) -> Pinned:
    files = [
        name
        for item in [*rows(row.get("files")), *rows(listed)]
        if isinstance(name := table(item).get("file"), str)
    ]
    place = table(row, "source")
    kind, url = text(place.get("type")), text(place.get("url"))
    unread = None
    if kind in ("git", "directory", "file", "url") and normal(entry.name) == "torch":
        if url and wheel_version(url):
            files = [url]
        else:
            unread = f"{source.path} takes torch from {kind}: what that is cannot be told"
    legacy = kind == "legacy"
    return Pinned(
        name=normal(entry.name),
        version=str(row.get("version", "")),
        at=FileAt(source.path, line_of_entry(source, entry)),
        files=tuple(files),
        listed=True,
        index=url if legacy else None if kind else "https://pypi.org/simple",
        default="unknown",
        unread=unread,
    )

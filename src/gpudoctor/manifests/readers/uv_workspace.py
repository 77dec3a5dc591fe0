"""Workspaces of uv: the root whose settings count for a member, and the projects that one needs.

Source: docs.astral.sh/uv/concepts/projects/workspaces; tried with uv 0.13.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatch
from typing import Any

from gpudoctor.manifests.install_file import Wish
from gpudoctor.manifests.readers.toml_file import parse, rows, table, text
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.model.requirements.requirement_line import normal, read_line
from gpudoctor.model.value import dataclass, replace

_UP = 6
_DEEP = 10


@dataclass(frozen=True, slots=True)
class Needed:
    """A requirement on another project of the workspace."""

    name: str
    extras: tuple[str, ...]
    marker: str | None
    extra: str | None
    group: str | None


def root_of(source: SourceFile) -> SourceFile | None:
    """The pyproject.toml whose workspace a project belongs to; `None`: it stands alone."""
    folders = source.path.replace("\\", "/").split("/")[:-1]
    for up in range(1, _UP):
        other = source.beside("../" * up + "pyproject.toml")
        if other is None:
            continue
        said = table(parse(other), "tool", "uv", "workspace")
        if not said:
            continue
        place = "/".join(folders[-up:]) if len(folders) >= up else source.place(".")
        taken = any(fnmatch(place, str(item).rstrip("/")) for item in rows(said.get("members")))
        left = any(fnmatch(place, str(item).rstrip("/")) for item in rows(said.get("exclude")))
        return other if taken and not left else None
    return None


def settings_of(data: Mapping[str, Any], root: SourceFile | None) -> dict[str, Any]:
    """`[tool.uv]` as it counts for a project: its sources before those of the workspace."""
    own = dict(table(data, "tool", "uv"))
    if root is None:
        return own
    shared = table(parse(root), "tool", "uv")
    mine: dict[str, Any] = {
        key: own[key] for key in ("default-groups", "dev-dependencies") if key in own
    }
    kept = {key: value for key, value in shared.items() if key not in _OWN}
    sources = {**table(shared, "sources"), **table(own, "sources")}
    return {**kept, **mine, "sources": sources, "index": rows(own.get("index"))}


_OWN = ("default-groups", "dev-dependencies", "index")


def needed(data: Mapping[str, Any]) -> list[Needed]:
    """The requirements of a project that are no package of an index, as far as names tell."""
    project = table(data, "project")
    listed: list[tuple[Any, str | None, str | None]] = [(project.get("dependencies"), None, None)]
    for extra, lines in table(project, "optional-dependencies").items():
        listed.append((lines, normal(extra), None))
    for name, lines in table(data, "dependency-groups").items():
        listed.append((lines, None, normal(name)))
    found = []
    for lines, of_extra, of_group in listed:
        for line in rows(lines):
            row = read_line(line) if isinstance(line, str) else None
            if row is not None:
                found.append(Needed(row.name, row.extras, row.marker or None, of_extra, of_group))
    return found


def projects(
    source: SourceFile,
    data: Mapping[str, Any],
    settings: Mapping[str, Any],
    root: SourceFile | None,
) -> list[tuple[Needed, SourceFile]]:
    """The other projects in the repository that one needs, each with its pyproject.toml."""
    sources = {normal(name): row for name, row in table(settings, "sources").items()}
    own = table(data, "tool", "uv", "sources")
    found = []
    for row in needed(data):
        said = sources.get(row.name)
        for item in said if isinstance(said, list) else [said]:
            path = text(table(item).get("path"))
            if path is not None and not path.endswith((".whl", ".tar.gz")):
                # A path is relative to the file that states it.
                base = root if root is not None and row.name not in map(normal, own) else source
                other = base.beside(f"{path}/pyproject.toml")
            elif table(item).get("workspace") is True:
                other = member(root or source, row.name)
            else:
                continue
            if other is not None:
                found.append((row, other))
    return found


def member(root: SourceFile, name: str) -> SourceFile | None:
    """The project of a workspace with this name."""
    said = table(parse(root), "tool", "uv", "workspace")
    for pattern in rows(said.get("members")):
        for path in root.matching(f"{str(pattern).rstrip('/')}/pyproject.toml"):
            other = root.beside(path)
            if other is not None:
                stated = table(parse(other), "project").get("name")
                if normal(str(stated)) == name:
                    return other
    return None


def carried(wish: Wish, row: Needed) -> Wish:
    """A requirement of another project as this one has it."""
    markers = [f"({marker})" for marker in (wish.marker, row.marker) if marker]
    return replace(wish, marker=" and ".join(markers) or None, extra=row.extra, group=row.group)


def deep(path: tuple[str, ...], other: SourceFile) -> bool:
    """Whether following a project once more would go round in a circle, or too far."""
    return other.path in path or len(path) >= _DEEP

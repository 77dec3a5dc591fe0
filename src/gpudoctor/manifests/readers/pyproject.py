"""pyproject.toml: PEP 621 and 735, and what uv, Poetry, PDM and pixi add to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpudoctor.manifests.install_file import InstallFile, Wish, line_of
from gpudoctor.manifests.readers import dynamic, uv_workspace
from gpudoctor.manifests.readers.requirements_txt import wish_of
from gpudoctor.manifests.readers.toml_file import parse, rows, table, text
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.requirement_line import normal, read_line
from gpudoctor.model.value import replace

TOOLS = ("uv", "poetry", "pdm", "pixi")


def read(source: SourceFile, tool: str | None = None, scene: Scene | None = None) -> InstallFile:
    """Read a pyproject.toml as its tool does: the one that has a table in it, else pip.

    Raises:
        UsageError: it is no TOML.
    """
    data = parse(source)
    chosen = tool if tool in (*TOOLS, "pip") else _tool(data, source) or "pip"
    wishes = standard(data, source)
    computed, gaps = dynamic.read(data, source) if chosen != "poetry" else ([], [])
    document = InstallFile(
        path=source.path,
        format="pyproject",
        tool=chosen,
        wishes=(*wishes, *computed),
        gaps=tuple(gaps),
        requires_python=text(table(data, "project").get("requires-python")),
        extras=_extras(data) if chosen in ("uv", "poetry", "pdm") and not gaps else None,
        groups=_groups(data, chosen) if chosen in ("uv", "poetry", "pdm") else None,
    )
    if chosen == "uv":
        from gpudoctor.manifests.readers import uv_settings

        return uv_settings.add(document, data, source)
    if chosen == "poetry":
        from gpudoctor.manifests.readers import poetry

        return poetry.add(document, data, source)
    if chosen == "pdm":
        from gpudoctor.manifests.readers import pdm

        return pdm.add(document, data, source)
    if chosen == "pixi" and scene is not None:
        from gpudoctor.manifests.readers import pixi

        return pixi.add(document, data, source, scene)
    return document


def _extras(data: Mapping[str, Any]) -> frozenset[str]:
    said = (
        *table(data, "project", "optional-dependencies"),
        *table(data, "tool", "poetry", "extras"),
        *table(data, "tool", "setuptools", "dynamic", "optional-dependencies"),
    )
    return frozenset(map(normal, said))


def _groups(data: Mapping[str, Any], tool: str) -> frozenset[str]:
    said = (
        *table(data, "dependency-groups"),
        *table(data, "tool", "poetry", "group"),
        *table(data, "tool", "pdm", "dev-dependencies"),
        *(("dev",) if tool == "uv" or "dev-dependencies" in table(data, "tool", tool) else ()),
    )
    return frozenset(map(normal, said))


def _tool(data: Mapping[str, Any], source: SourceFile) -> str | None:
    """Whose project it is: by a table of its own, its build backend, or its lock; else nobody's."""
    for name in TOOLS:
        if isinstance(table(data, "tool").get(name), Mapping):
            return name
    if source.beside("uv.toml") is not None:
        return "uv"
    backend = text(table(data, "build-system").get("build-backend")) or ""
    for start, name in (("uv", "uv"), ("poetry", "poetry"), ("pdm", "pdm")):
        if backend.startswith(start):
            return name
    for name in TOOLS:
        if source.beside(f"{name}.lock") is not None:
            return name
    return "uv" if uv_workspace.root_of(source) is not None else None


def standard(data: Mapping[str, Any], source: SourceFile) -> list[Wish]:
    """The requirements of `[project]` and `[dependency-groups]`."""
    project = table(data, "project")
    found = _listed(project.get("dependencies"), source)
    for extra, lines in table(project, "optional-dependencies").items():
        found += [
            replace(wish, extra=normal(extra))
            for wish in _with_own_extras(lines, extra, project, source, ())
        ]
    groups = table(data, "dependency-groups")
    for group in groups:
        found += [replace(w, group=normal(group)) for w in _group(groups, group, source, ())]
    return found


def _listed(lines: Any, source: SourceFile) -> list[Wish]:
    found = []
    for line in rows(lines):
        if not isinstance(line, str):
            continue
        number = line_of(source.text, line) or line_of(source.text, line.split(";")[0].strip())
        wish = wish_of(line, FileAt(source.path, number), source, constraint=False)
        if wish is not None:
            found.append(wish)
    return found


def _with_own_extras(
    lines: Any, extra: str, project: Mapping[str, Any], source: SourceFile, seen: tuple[str, ...]
) -> list[Wish]:
    """An extra's requirements, with those of other extras that it names: `demo[gpu]`."""
    found = _listed(lines, source)
    own = normal(str(project.get("name", "")))
    for line in rows(lines):
        named = read_line(line) if isinstance(line, str) else None
        if named is None or named.name != own:
            continue
        for other in named.extras:
            if other in (*seen, extra):
                continue
            more = table(project, "optional-dependencies").get(other)
            found += _with_own_extras(more, other, project, source, (*seen, extra))
    return found


def _group(
    groups: Mapping[str, Any], name: str, source: SourceFile, seen: tuple[str, ...]
) -> list[Wish]:
    found = _listed(groups.get(name), source)
    for line in rows(groups.get(name)):
        other = text(table(line).get("include-group"))
        if other and other not in (*seen, name):
            found += _group(groups, other, source, (*seen, name))
    return found

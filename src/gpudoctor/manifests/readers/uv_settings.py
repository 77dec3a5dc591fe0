"""`[tool.uv]`: sources, indexes, groups, overrides.

Source: docs.astral.sh/uv/concepts/projects/dependencies and /concepts/indexes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpudoctor.manifests.install_file import Index, InstallFile, UnreadPart, Wish, line_of
from gpudoctor.manifests.readers import uv_workspace
from gpudoctor.manifests.readers.pyproject import standard
from gpudoctor.manifests.readers.requirements_txt import wish_of
from gpudoctor.manifests.readers.toml_file import parse, rows, table, text
from gpudoctor.manifests.scene import wheel_version
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.manifests.universe import family
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.requirement_line import normal
from gpudoctor.model.value import replace


def add(document: InstallFile, data: Mapping[str, Any], source: SourceFile) -> InstallFile:
    """The document with what `[tool.uv]`, or a uv.toml beside it, says."""
    root = uv_workspace.root_of(source)
    settings = uv_workspace.settings_of(data, root)
    indexes = [_index(row, source) for row in rows(settings.get("index"))]
    if root is not None:
        shared = rows(table(parse(root), "tool", "uv").get("index"))
        indexes += [_index(row, root) for row in shared]
    beside = (root or source).beside("uv.toml")
    configured = settings
    if beside is not None:
        # A uv.toml takes the place of the settings; sources stay those of pyproject.toml.
        configured = parse(beside)
        indexes = [_index(row, beside) for row in rows(configured.get("index"))]
        source_of = beside
    else:
        source_of = source
    options: dict[str, str] = {}
    url = text(configured.get("index-url"))
    found = [index for index in indexes if index is not None]
    if url:
        found.append(Index(url=url, at=_at(source_of, url), default=True))
    for extra in rows(configured.get("extra-index-url")):
        found.append(Index(url=str(extra), at=_at(source_of, str(extra))))
    for links in rows(configured.get("find-links")):
        found.append(Index(url=source.place(str(links)), at=_at(source_of, str(links)), links=True))
    if configured.get("no-index") is True:
        options["no-index"] = "yes"
    if configured.get("prerelease") == "allow":
        options["pre"] = "yes"
    strategy = text(configured.get("index-strategy"))
    if strategy:
        options["strategy"] = strategy
    if settings.get("conflicts"):
        options["conflicts"] = "yes"
    if configured.get("no-binary") is True:
        options["no-binary"] = "all"
    elif listed := rows(configured.get("no-binary-package")):
        options["no-binary"] = ",".join(normal(str(name)) for name in listed)
    for name in ("resolution", "exclude-newer"):
        if said := configured.get(name):
            options[name] = str(said)
    if any(family(normal(str(name))) for name in rows(settings.get("exclude-dependencies"))):
        options["excluded"] = "yes"
    required = _markers(settings.get("required-environments"))
    if required:
        options["required"] = "\n".join(required)
    wishes = [wish for row in document.wishes for wish in _sourced(row, settings, source)]
    own = source if table(settings, "workspace") else None
    wishes += _of_projects(source, data, settings, root or own, (source.path,))
    wishes = _overridden(wishes, settings, source)
    wishes += _legacy(settings, source)
    wishes += _constraints(settings, source)
    groups = settings.get("default-groups")
    if groups == "all":
        options["default-groups"] = "all"
    elif isinstance(groups, list):
        options["default-groups"] = ",".join(str(group) for group in groups)
    else:
        options["default-groups"] = "dev"
    gaps = [
        UnreadPart(why=f"{source.path} has an index without a URL", at=FileAt(source.path, None))
        for index in indexes
        if index is None
    ]
    return replace(
        document,
        wishes=tuple(wishes),
        indexes=tuple(found),
        options=options,
        gaps=(*document.gaps, *gaps),
        environments=_markers(settings.get("environments")),
    )


def _of_projects(
    source: SourceFile,
    data: Mapping[str, Any],
    settings: Mapping[str, Any],
    root: SourceFile | None,
    path: tuple[str, ...],
) -> list[Wish]:
    """What the other projects of the repository bring that this one needs."""
    found = []
    for row, other in uv_workspace.projects(source, data, settings, root):
        if uv_workspace.deep(path, other):
            continue
        its = parse(other)
        ours = uv_workspace.settings_of(its, root)
        wishes = [
            sourced
            for wish in standard(its, other)
            if wish.group is None and (wish.extra is None or wish.extra in row.extras)
            for sourced in _sourced(wish, ours, other)
        ]
        wishes += [
            wish
            for wish in _of_projects(other, its, ours, root, (*path, other.path))
            if wish.group is None and (wish.extra is None or wish.extra in row.extras)
        ]
        found += [uv_workspace.carried(wish, row) for wish in wishes]
    return found


def _markers(said: Any) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(str(item) for item in rows(said))


def _at(source: SourceFile, words: str) -> FileAt:
    return FileAt(source.path, line_of(source.text, words))


def _index(row: Any, source: SourceFile) -> Index | None:
    url = text(table(row).get("url"))
    if url is None:
        return None
    return Index(
        url=url if "://" in url else source.place(url),
        name=text(row.get("name")) or "",
        at=_at(source, url),
        explicit=row.get("explicit") is True,
        default=row.get("default") is True,
        links=row.get("format") == "flat",
    )


def _sourced(wish: Wish, settings: Mapping[str, Any], source: SourceFile) -> list[Wish]:
    """A wish, once for each source that `[tool.uv.sources]` gives it, and once for the rest."""
    given = next(
        (row for name, row in table(settings, "sources").items() if normal(name) == wish.name),
        None,
    )
    if given is None:
        return [wish]
    found = []
    others: list[str] = []
    for row in given if isinstance(given, list) else [given]:
        if not isinstance(row, Mapping):
            continue
        extra, group = text(row.get("extra")), text(row.get("group"))
        if extra is not None and normal(extra) != wish.extra:
            continue
        if group is not None and normal(group) != wish.group:
            continue
        marker = text(row.get("marker"))
        found.append(_from(replace(wish, marker=_both(wish.marker, marker)), row, source))
        if marker is None:
            return found
        others.append(marker)
    if not found:
        return [wish]
    # Where no source applies, the package comes from the ordinary indexes.
    return [*found, replace(wish, unless=tuple(others))]


def _from(wish: Wish, row: Mapping[str, Any], source: SourceFile) -> Wish:
    index, url = text(row.get("index")), text(row.get("url")) or text(row.get("path"))
    if index is not None:
        return replace(wish, index=index)
    if url is not None and wheel_version(url) is not None:
        return replace(wish, url=source.place(url))
    what = next((key for key in ("git", "url", "path", "workspace") if key in row), "elsewhere")
    return replace(
        wish, unread=f"{source.path} takes {wish.name} from {what}: what that is cannot be told"
    )


def _both(one: str | None, other: str | None) -> str | None:
    if one and other:
        return f"({one}) and ({other})"
    return one or other


def _overridden(wishes: list[Wish], settings: Mapping[str, Any], source: SourceFile) -> list[Wish]:
    """`override-dependencies` take the place of every specifier of a package."""
    specifiers: dict[str, str] = {}
    for line in rows(settings.get("override-dependencies")):
        found = wish_of(str(line), _at(source, str(line)), source, constraint=False)
        if found is not None:
            specifiers[found.name] = found.specifier
    return [
        replace(wish, specifier=specifiers[wish.name]) if wish.name in specifiers else wish
        for wish in wishes
    ]


def _constraints(settings: Mapping[str, Any], source: SourceFile) -> list[Wish]:
    found = []
    for line in rows(settings.get("constraint-dependencies")):
        wish = wish_of(str(line), _at(source, str(line)), source, constraint=True)
        if wish is not None:
            found.append(wish)
    return found


def _legacy(settings: Mapping[str, Any], source: SourceFile) -> list[Wish]:
    """`dev-dependencies`, which uv adds to the group dev."""
    found = []
    for line in rows(settings.get("dev-dependencies")):
        wish = wish_of(str(line), _at(source, str(line)), source, constraint=False)
        if wish is not None:
            found += _sourced(replace(wish, group="dev"), settings, source)
    return found

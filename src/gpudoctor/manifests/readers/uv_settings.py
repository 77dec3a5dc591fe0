"""`[tool.uv]`: sources, indexes, groups, overrides.

Source: docs.astral.sh/uv/concepts/projects/dependencies and /concepts/indexes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpudoctor.manifests.install_file import Document, Gap, Index, Wish, line_of, normal
from gpudoctor.manifests.readers.requirements_txt import wish_of
from gpudoctor.manifests.readers.toml_file import parse, rows, table, text
from gpudoctor.manifests.scene import wheel_version
from gpudoctor.manifests.source_files import Source
from gpudoctor.model.finding import FileAt
from gpudoctor.model.value import replace


def add(document: Document, data: Mapping[str, Any], source: Source) -> Document:
    """The document with what `[tool.uv]`, or a uv.toml beside it, says."""
    settings = table(data, "tool", "uv")
    indexes = [_index(row, source) for row in rows(settings.get("index"))]
    beside = source.beside("uv.toml")
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
    wishes = [wish for row in document.wishes for wish in _sourced(row, settings, source)]
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
        Gap(why=f"{source.path} has an index without a URL", at=FileAt(source.path, None))
        for index in indexes
        if index is None
    ]
    return replace(
        document,
        wishes=tuple(wishes),
        indexes=tuple(found),
        options=options,
        gaps=(*document.gaps, *gaps),
    )


def _at(source: Source, words: str) -> FileAt:
    return FileAt(source.path, line_of(source.text, words))


def _index(row: Any, source: Source) -> Index | None:
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


def _sourced(wish: Wish, settings: Mapping[str, Any], source: Source) -> list[Wish]:
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


def _from(wish: Wish, row: Mapping[str, Any], source: Source) -> Wish:
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


def _overridden(wishes: list[Wish], settings: Mapping[str, Any], source: Source) -> list[Wish]:
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


def _constraints(settings: Mapping[str, Any], source: Source) -> list[Wish]:
    found = []
    for line in rows(settings.get("constraint-dependencies")):
        wish = wish_of(str(line), _at(source, str(line)), source, constraint=True)
        if wish is not None:
            found.append(wish)
    return found


def _legacy(settings: Mapping[str, Any], source: Source) -> list[Wish]:
    """`dev-dependencies`, which uv adds to the group dev."""
    found = []
    for line in rows(settings.get("dev-dependencies")):
        wish = wish_of(str(line), _at(source, str(line)), source, constraint=False)
        if wish is not None:
            found += _sourced(replace(wish, group="dev"), settings, source)
    return found

"""`[tool.pdm]`: sources, and the development groups.

Source: pdm-project.org, "Configure package indexes".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpudoctor.manifests.install_file import Index, InstallFile, line_of
from gpudoctor.manifests.readers.requirements_txt import wish_of
from gpudoctor.manifests.readers.toml_file import rows, table, text
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.requirement_line import normal
from gpudoctor.model.value import replace


def add(document: InstallFile, data: Mapping[str, Any], source: SourceFile) -> InstallFile:
    """The document with what `[tool.pdm]` says."""
    own = table(data, "tool", "pdm")
    indexes = []
    for row in rows(own.get("source")):
        url = text(table(row).get("url"))
        if url is None:
            continue
        name = text(row.get("name")) or ""
        indexes.append(
            Index(
                url=url,
                name=name,
                at=FileAt(source.path, line_of(source.text, url)),
                default=name == "pypi",
                links=row.get("type") == "find_links",
                only=tuple(normal(str(item)) for item in rows(row.get("include_packages"))),
                never=tuple(normal(str(item)) for item in rows(row.get("exclude_packages"))),
            )
        )
    wishes = list(document.wishes)
    groups = dict(table(own, "dev-dependencies"))
    for group, lines in groups.items():
        for line in rows(lines):
            at = FileAt(source.path, line_of(source.text, str(line)))
            wish = wish_of(str(line), at, source, constraint=False)
            if wish is not None:
                wishes.append(replace(wish, group=normal(group)))
    options: dict[str, str] = {"default-groups": "all"}
    resolution = table(own, "resolution")
    if resolution.get("respect-source-order") is True:
        options["strategy"] = "in-order"
    overrides = table(resolution, "overrides")
    wishes = [
        replace(w, specifier=_override(str(overrides[w.name]))) if w.name in overrides else w
        for w in wishes
    ]
    return replace(document, wishes=tuple(wishes), indexes=tuple(indexes), options=options)


def _override(text_: str) -> str:
    return f"=={text_}" if text_[:1].isdigit() else text_

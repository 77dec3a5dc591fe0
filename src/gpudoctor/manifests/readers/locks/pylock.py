"""pylock.toml (PEP 751): the wheels of an installation, for some environments.

uv writes `index` for each package, pip does not, and names its files `name` beside `url`.
"""

from __future__ import annotations

from gpudoctor.manifests.install_file import InstallFile, Pinned
from gpudoctor.manifests.readers.entries import line_of_entry, matters, row_of, split
from gpudoctor.manifests.readers.toml_file import parse, rows, table, text
from gpudoctor.manifests.scene import Scene, wheel_version
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.requirement_line import normal

_TABLE = "packages"

_SOURCES = ("sdist", "vcs", "directory", "archive")
"""Where an entry can be built from, or comes from as it is (PEP 751)."""


def read(source: SourceFile, scene: Scene) -> InstallFile:
    """Read a pylock.toml for a scene.

    Raises:
        UsageError: it is no TOML.
    """
    head, entries, tail = split(source, _TABLE)
    top = parse(source, head + tail)
    groups = {normal(str(name)) for name in rows(top.get("default-groups"))}
    here = Scene(
        scene.platform,
        scene.python,
        scene.extras,
        tuple(dict.fromkeys((*scene.groups, *sorted(groups)))),
    )
    pinned = []
    optional = set()
    for entry in entries:
        name = normal(entry.name)
        if not matters(name):
            continue
        row = row_of(source, entry, _TABLE)
        marker = text(row.get("marker"))
        if not here.applies(marker):
            if name == "torch" and marker and (" in extras" in marker or "groups" in marker):
                optional.add(marker)
            continue
        files = []
        for wheel in rows(row.get("wheels")):
            url = text(table(wheel).get("url")) or text(table(wheel).get("path"))
            file = text(table(wheel).get("name"))
            if url and wheel_version(url):
                files.append(url)
            elif file:
                files.append(file)
        archive = table(row, "archive")
        place = text(archive.get("url")) or text(archive.get("path"))
        unread = None
        if place and wheel_version(place):
            files.append(place)
        elif name == "torch" and not files:
            unread = f"{source.path} takes torch from no wheel: what that is cannot be told"
        pinned.append(
            Pinned(
                name=name,
                version=str(row.get("version") or (wheel_version(files[0]) if files else "")),
                at=FileAt(source.path, line_of_entry(source, entry)),
                files=tuple(files),
                listed=True,
                wheels_alone=not any(key in row for key in _SOURCES),
                index=text(row.get("index")),
                default="unknown" if any("://" in file for file in files) else "pypi",
                unread=unread,
            )
        )
    tool = text(top.get("created-by")) or "pip"
    return InstallFile(
        path=source.path,
        format="pylock",
        tool="uv" if tool.startswith("uv") else "pdm" if tool.startswith("pdm") else "pip",
        pinned=tuple(pinned),
        requires_python=text(top.get("requires-python")),
        optional=tuple(sorted(optional)),
    )

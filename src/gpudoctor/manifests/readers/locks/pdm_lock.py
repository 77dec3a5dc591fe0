"""pdm.lock: its version often lacks the label, which only the names of the files show."""

from __future__ import annotations

from gpudoctor.kb.software import indexes as kb_indexes
from gpudoctor.manifests.install_file import InstallFile, Pinned
from gpudoctor.manifests.readers.entries import line_of_entry, matters, row_of, split
from gpudoctor.manifests.readers.toml_file import parse, rows, table, text
from gpudoctor.manifests.scene import Scene, wheel_version
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.requirement_line import normal

_TABLE = "package"


def read(source: SourceFile, scene: Scene) -> InstallFile:
    """Read a pdm.lock for a scene.

    Raises:
        UsageError: it is no TOML.
    """
    head, entries, tail = split(source, _TABLE)
    top = parse(source, head + tail)
    active = {"default", *scene.groups, *scene.extras, *_development(source)}
    pinned = []
    optional: set[str] = set()
    for entry in entries:
        name = normal(entry.name)
        if not matters(name):
            continue
        row = row_of(source, entry, _TABLE)
        groups = {normal(str(group)) for group in rows(row.get("groups"))} or {"default"}
        if not groups & active:
            if name == "torch":
                optional |= {f"--group {group}" for group in groups}
            continue
        if not scene.applies(text(row.get("marker"))):
            continue
        files = []
        for item in rows(row.get("files")):
            file = text(table(item).get("url")) or text(table(item).get("file"))
            if file:
                files.append(file)
        direct = text(row.get("url"))
        unread = None
        if direct and wheel_version(direct):
            files = [direct]
        elif name == "torch" and any(key in row for key in ("git", "path", "url")):
            unread = f"{source.path} takes torch from no index: what that is cannot be told"
        pinned.append(
            Pinned(
                name=name,
                version=str(row.get("version", "")),
                at=FileAt(source.path, line_of_entry(source, entry)),
                files=tuple(files),
                listed=True,
                default=_without_label(source),
                unread=unread,
            )
        )
    return InstallFile(
        path=source.path,
        format="pdm.lock",
        tool="pdm",
        pinned=tuple(pinned),
        requires_python=text(table(top, "metadata").get("requires_python")),
        optional=tuple(sorted(optional)),
    )


def _development(source: SourceFile) -> set[str]:
    """The development groups, which `pdm install` brings unasked."""
    beside = source.beside("pyproject.toml")
    if beside is None:
        return set()
    data = parse(beside)
    named = {*table(data, "dependency-groups"), *table(data, "tool", "pdm", "dev-dependencies")}
    return {normal(name) for name in named}


def _without_label(source: SourceFile) -> str:
    """Where a file without label comes from: the lock does not say it, the manifest may."""
    beside = source.beside("pyproject.toml")
    data = parse(beside) if beside is not None else {}
    for row in rows(table(data, "tool", "pdm").get("source")):
        url = text(table(row).get("url"))
        if url and kb_indexes.carried(url).kind == "private":
            return "unknown"
    return "pypi"

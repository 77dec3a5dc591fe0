"""pixi.toml and `[tool.pixi]`: conda packages, PyPI packages, and the CUDA that is declared.

Source: pixi.prefix.dev, manifest reference and "PyTorch installation".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpudoctor.manifests.choice import InstallOutcome
from gpudoctor.manifests.conda_builds import SUBDIRS
from gpudoctor.manifests.install_file import CondaSpec, Index, InstallFile, Wish, line_of
from gpudoctor.manifests.readers.environment_yml import specifier
from gpudoctor.manifests.readers.toml_file import parse, rows, table, text
from gpudoctor.manifests.scene import Scene, wheel_version
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.manifests.universe import family
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.requirement_line import normal
from gpudoctor.model.value import replace

_FAMILIES = {"linux": ("linux", "unix"), "win": ("win",), "osx": ("osx", "unix")}


def read(source: SourceFile, scene: Scene) -> InstallFile:
    """Read a pixi.toml.

    Raises:
        UsageError: it is no TOML.
    """
    data = parse(source)
    empty = InstallFile(path=source.path, format="pixi.toml", tool="pixi")
    return _document(empty, data, source, scene)


def add(
    document: InstallFile, data: Mapping[str, Any], source: SourceFile, scene: Scene
) -> InstallFile:
    """The document with what `[tool.pixi]` says."""
    return _document(document, table(data, "tool", "pixi"), source, scene)


def _document(
    document: InstallFile, own: Mapping[str, Any], source: SourceFile, scene: Scene
) -> InstallFile:
    workspace = table(own, "workspace") or table(own, "project")
    tables = [own, *_features(own, scene)]
    conda: list[CondaSpec] = []
    wishes: list[Wish] = list(document.wishes)
    indexes: list[Index] = []
    cuda = _declared(workspace, own, scene)
    for part in tables:
        for place in (part, *_targets(part, scene)):
            conda += _conda(table(place, "dependencies"), source)
            wishes += _wishes(table(place, "pypi-dependencies"), source)
        indexes += _indexes(table(part, "pypi-options"), source)
        cuda = cuda or text(table(part, "system-requirements").get("cuda"))
    indexes += _indexes(table(workspace, "pypi-options"), source)
    platforms = [_platform(row) for row in rows(workspace.get("platforms"))]
    subdir = SUBDIRS[scene.platform]
    if platforms and subdir not in platforms:
        why = f"{source.path} is locked for {', '.join(platforms)}, and this is {subdir}"
        at = FileAt(source.path, line_of(source.text, "platforms"))
        document = replace(
            document,
            settled=InstallOutcome(
                status="fails", tool="pixi", why=why, reason="platform", files=(at,),
                assumption="with pixi",
            ),
        )  # fmt: skip
    python = next((s.version for s in conda if s.name == "python"), "")
    fixed = python.removeprefix("==").removesuffix(".*") if python.startswith("==") else ""
    return replace(
        document,
        format="pixi.toml",
        wishes=tuple(wishes),
        indexes=tuple(indexes),
        conda=tuple(conda),
        channels=tuple(
            (text(item) or text(table(item).get("channel")) or "").rstrip("/").rsplit("/", 1)[-1]
            for item in rows(workspace.get("channels"))
        ),
        options={"cuda": cuda} if cuda else {},
        python=".".join(fixed.split(".")[:2]) or None,
    )


def _platform(row: Any) -> str:
    item = table(row)
    return text(row) or text(item.get("platform")) or text(item.get("name")) or ""


def _features(own: Mapping[str, Any], scene: Scene) -> list[Mapping[str, Any]]:
    """The features of the environment that `--group` names, else of `default`."""
    environments = table(own, "environments")
    name = next((group for group in scene.groups if group in environments), "default")
    found = environments.get(name)
    listed = rows(found) or rows(table(found).get("features"))
    return [table(own, "feature", str(feature)) for feature in listed]


def _targets(part: Mapping[str, Any], scene: Scene) -> list[Mapping[str, Any]]:
    subdir = SUBDIRS[scene.platform]
    names = (subdir, *_FAMILIES[subdir.split("-")[0]])
    return [table(part, "target", name) for name in names if table(part, "target", name)]


def _declared(workspace: Mapping[str, Any], own: Mapping[str, Any], scene: Scene) -> str | None:
    """The CUDA that the manifest declares for a platform; `None`: none."""
    found = text(table(own, "system-requirements").get("cuda"))
    for row in rows(workspace.get("platforms")):
        item = table(row)
        if text(item.get("platform")) or text(item.get("name")):
            where = text(item.get("platform")) or text(item.get("name")) or ""
            if where == SUBDIRS[scene.platform]:
                found = found or text(item.get("cuda"))
    return found


def _conda(listed: Mapping[str, Any], source: SourceFile) -> list[CondaSpec]:
    found = []
    for name, value in listed.items():
        row = table(value)
        version = value if isinstance(value, str) else text(row.get("version")) or "*"
        found.append(
            CondaSpec(
                name=name.lower(),
                version=specifier(version),
                build=text(row.get("build")) or "",
                channel=(text(row.get("channel")) or "").rstrip("/").rsplit("/", 1)[-1],
                at=FileAt(source.path, line_of(source.text, name)),
            )
        )
    return found


def _wishes(listed: Mapping[str, Any], source: SourceFile) -> list[Wish]:
    found = []
    for name, value in listed.items():
        if not family(normal(name)):
            continue
        row = table(value)
        version = value if isinstance(value, str) else text(row.get("version")) or "*"
        url = text(row.get("url")) or text(row.get("path"))
        unread = None
        if (url and not wheel_version(url)) or "git" in row:
            unread = f"{source.path} takes {name} from no index: what that is cannot be told"
        found.append(
            Wish(
                name=normal(name),
                at=FileAt(source.path, line_of(source.text, name)),
                specifier="" if version == "*" else _pep(version),
                index=text(row.get("index")),
                url=source.place(url) if url and not unread else None,
                unread=unread,
            )
        )
    return found


def _pep(version: str) -> str:
    return f"=={version}" if version[:1].isdigit() else version


def _indexes(options: Mapping[str, Any], source: SourceFile) -> list[Index]:
    found = []
    main = text(options.get("index-url"))
    if main:
        found.append(Index(url=main, default=True, at=FileAt(source.path, None)))
    for url in rows(options.get("extra-index-urls")):
        found.append(Index(url=str(url), at=FileAt(source.path, line_of(source.text, str(url)))))
    for row in rows(options.get("find-links")):
        place = text(table(row).get("url")) or text(table(row).get("path"))
        if place:
            found.append(Index(url=source.place(place), links=True))
    return found

"""Explicit conda lists, conda-lock.yml and pixi.lock: URLs whose build strings say the CUDA."""

from __future__ import annotations

import re
from typing import Any

from gpudoctor.errors import UsageError
from gpudoctor.manifests.conda_builds import NAMES, SUBDIRS, cuda_of, parse_url
from gpudoctor.manifests.install_file import InstallFile, Pinned, line_of
from gpudoctor.manifests.readers.entries import matters
from gpudoctor.manifests.readers.toml_file import rows, table, text
from gpudoctor.manifests.scene import Scene, file_name, wheel_version
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.requirement_line import normal

_SUBDIR = re.compile(r"^# platform: (\S+)", re.M)


def yaml(source: SourceFile, body: str | None = None) -> Any:
    """The values of a YAML file.

    Raises:
        UsageError: it is no YAML.
    """
    import yaml as library

    loader = getattr(library, "CSafeLoader", library.SafeLoader)
    try:
        return library.load(source.text if body is None else body, Loader=loader)  # noqa: S506
    except (library.YAMLError, RecursionError, ValueError) as error:
        said = str(error).replace("\n", " ")
        raise UsageError(f"{source.path} is no YAML: {said}") from None


def read_explicit(source: SourceFile, scene: Scene) -> InstallFile:
    """Read a list that begins with `@EXPLICIT`."""
    stated = _SUBDIR.search(source.text)
    pinned = []
    for number, line in enumerate(source.text.splitlines(), 1):
        found = _pinned(line.strip(), FileAt(source.path, number))
        if found is not None:
            pinned.append(found)
    wrong = stated is not None and stated[1] != SUBDIRS[scene.platform]
    return _document(source, "conda", () if wrong else tuple(pinned))


def read_conda_lock(source: SourceFile, scene: Scene) -> InstallFile:
    """Read a conda-lock.yml.

    Raises:
        UsageError: it is no YAML.
    """
    subdir = SUBDIRS[scene.platform]
    pinned = []
    optional = set()
    for row in rows(table(yaml(source)).get("package")):
        row = table(row)
        if row.get("platform") != subdir:
            continue
        categories = set(rows(row.get("categories"))) | {text(row.get("category")) or "main"}
        if not categories & {"main", *scene.groups, *scene.extras}:
            if row.get("name") in ("pytorch", "torch"):
                optional |= {f"--group {name}" for name in categories}
            continue
        url = text(row.get("url")) or ""
        line = line_of(source.text, url)
        found = _pinned(url, FileAt(source.path, line))
        if found is not None:
            pinned.append(found)
    return _document(source, "conda", tuple(pinned), tuple(sorted(optional)))


def read_pixi_lock(source: SourceFile, scene: Scene) -> InstallFile:
    """Read a pixi.lock: the environment `default`, or the one that `--group` names.

    Raises:
        UsageError: it is no YAML.
    """
    # What follows lists each package again with its hashes, and is most of the file.
    body = re.split(r"^packages:", source.text, maxsplit=1, flags=re.M)[0]
    found = table(yaml(source, body), "environments")
    named = next((name for name in scene.groups if name in found), "default")
    pinned = _environment(found, named, source, scene)
    optional: tuple[str, ...] = ()
    if not any(row.name == "torch" for row in pinned):
        optional = tuple(
            f"--group {name}"
            for name in found
            if any(row.name == "torch" for row in _environment(found, name, source, scene))
        )
    return _document(source, "pixi", pinned, optional)


def _environment(found: Any, name: str, source: SourceFile, scene: Scene) -> tuple[Pinned, ...]:
    pinned = []
    for row in rows(table(found, name, "packages").get(SUBDIRS[scene.platform])):
        url = text(table(row).get("conda")) or text(table(row).get("pypi")) or ""
        place = FileAt(source.path, line_of(source.text, url) if url else None)
        entry = _pinned(url, place)
        if entry is not None:
            pinned.append(entry)
    return tuple(pinned)


def _document(
    source: SourceFile, tool: str, pinned: tuple[Pinned, ...], optional: tuple[str, ...] = ()
) -> InstallFile:
    # The package of the channel and what it is split into say the same: the first one counts.
    names: set[str] = set()
    kept = []
    for row in sorted(pinned, key=lambda row: row.conda is not None and row.conda[0] != "pytorch"):
        if row.name not in names:
            names.add(row.name)
            kept.append(row)
    return InstallFile(
        path=source.path, format="conda", tool=tool, pinned=tuple(kept), optional=optional
    )


def _pinned(url: str, at: FileAt) -> Pinned | None:
    """An entry of a list: a conda package of torch's, or a wheel."""
    if wheel_version(url):
        name = normal(file_name(url).split("-", 1)[0])
        if not matters(name):
            return None
        version = wheel_version(url) or ""
        return Pinned(name=name, version=version, at=at, files=(url,), default="unknown")
    found = parse_url(url)
    if found is None or found.name not in (*NAMES, "torchvision", "torchaudio"):
        return None
    if found.name not in NAMES:
        return Pinned(name=found.name, version=found.version, at=at, conda=(found.name, "", ""))
    cuda = cuda_of(found.build)
    unread = None
    if cuda is None:
        unread = f"{at.path} does not say which CUDA {found.name} {found.version} is built for"
    return Pinned(
        name="torch",
        version=found.version,
        at=at,
        conda=(found.name, found.channel, cuda or ""),
        unread=unread,
    )

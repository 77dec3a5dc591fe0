"""What an environment holds, as conda, mamba, pixi, pip and uv list it: a table, lines, or JSON.

Nothing is solved for such a list: it names the builds. `conda list --export` is installed from as
well, and conda has nothing that pip installed there.
Source: conda issues 10636 and 6805 (`pypi_0`); the documentation of `conda list`, `conda export`,
`pixi list`, `pip list`, `pip inspect` and pip's installation report.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from gpudoctor.errors import UsageError
from gpudoctor.manifests.choice import InstallOutcome
from gpudoctor.manifests.conda_builds import NAMES, SUBDIRS, channel_of_build, cuda_of
from gpudoctor.manifests.install_file import InstallFile, Pinned, line_of
from gpudoctor.manifests.readers.entries import matters
from gpudoctor.manifests.readers.toml_file import rows, table, text
from gpudoctor.manifests.scene import Scene, wheel_version
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.requirement_line import normal
from gpudoctor.model.value import dataclass, replace

_SPEC = re.compile(
    r"(?:(?P<channel>[^\s:]+)::)?(?P<name>[A-Za-z0-9_.-]+)={1,2}(?P<version>[^=\s]+)"
    r"(?:=(?P<build>[^=\s]+))?"
)
_SUBDIR = re.compile(r"^# platform: (\S+)", re.M)
_PIPS = ("pypi", "<pip>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One package of a list."""

    name: str
    version: str
    line: int | None
    build: str = ""
    channel: str = ""
    subdir: str = ""
    by_pip: bool = False
    url: str = ""
    """The file that pip took it from, where the list says so."""


def read_export(source: SourceFile, scene: Scene) -> InstallFile:
    """Read what `conda list --export` writes."""
    found = list(_from_export(source.text))
    document = _document(source, found, scene, conda=True)
    refused = _refused(source, found, scene)
    return document if refused is None else replace(document, settled=refused)


def read_table(source: SourceFile, scene: Scene) -> InstallFile:
    """Read the table that conda, mamba, pixi, pip or uv print."""
    return _document(source, list(_from_table(source.text)), scene)


def read_json(source: SourceFile, scene: Scene) -> InstallFile:
    """Read the same as JSON, what `pip inspect` says, or pip's report of an installation.

    Raises:
        UsageError: it is no JSON.
    """
    return _document(source, _from_json(source), scene)


def _document(
    source: SourceFile, found: list[Listed], scene: Scene, *, conda: bool = False
) -> InstallFile:
    conda = conda or any(row.build or row.channel for row in found)
    python = next((row.version for row in found if row.name == "python"), None)
    return InstallFile(
        path=source.path,
        format="list",
        tool="conda" if conda else "pip",
        pinned=_pinned(source, found, scene, conda=conda),
        python=".".join(python.split(".")[:2]) if python else None,
    )


def _from_export(body: str) -> Iterator[Listed]:
    """`pytorch=2.9.1=cuda129_mkl_py312_h1_301`, with its channel before it or without."""
    for number, line in enumerate(body.splitlines(), 1):
        match = _SPEC.fullmatch(line.strip())
        if match is None:
            continue
        channel = (match["channel"] or "").split("/")[0]
        build = match["build"] or ""
        yield Listed(
            name=match["name"].lower(),
            version=match["version"],
            line=number,
            build=build,
            channel=channel,
            by_pip=build.startswith("pypi_") or channel in _PIPS,
        )


def _from_table(body: str) -> Iterator[Listed]:
    """Columns: name, version, build where the tool has builds, channel or source last."""
    for number, line in enumerate(body.splitlines(), 1):
        words = line.split()
        if len(words) < 2 or words[0].startswith(("#", "─", "-", "━")) or words[1] == "Version":
            continue
        rest = words[2:]
        by_pip = any(word in _PIPS or word.startswith("pypi_") for word in rest)
        wheel = next((word for word in rest if wheel_version(word)), "")
        yield Listed(
            name=words[0].lower(),
            version=words[1],
            line=number,
            build="" if by_pip or not rest else rest[0],
            channel="pypi"
            if by_pip
            else rest[-1].rstrip("/").rsplit("/", 1)[-1]
            if rest[1:]
            else "",
            by_pip=by_pip,
            url=wheel,
        )


def _from_json(source: SourceFile) -> list[Listed]:
    try:
        data: Any = json.loads(source.text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{source.path} is no JSON: {error}") from None
    if not isinstance(data, list):
        data = rows(table(data).get("installed")) or rows(table(data).get("install"))
    return [row for item in data if (row := _json_row(source, table(item))) is not None]


def _json_row(source: SourceFile, item: Any) -> Listed | None:
    said = table(item, "metadata") or item
    name, version = text(said.get("name")), text(said.get("version"))
    if not name or not version:
        return None
    build = text(item.get("build_string")) or text(item.get("build")) or ""
    channel = text(item.get("channel")) or text(item.get("source")) or ""
    subdir = text(item.get("platform")) or text(item.get("subdir")) or ""
    by_pip = "pypi" in (channel, subdir, item.get("kind")) or build.startswith("pypi_")
    place = table(item, "download_info") or table(item, "direct_url")
    return Listed(
        name=name.lower(),
        version=version,
        line=line_of(source.text, f'"{name}"'),
        build="" if by_pip else build,
        channel="pypi" if by_pip else channel.rstrip("/").rsplit("/", 1)[-1],
        subdir=subdir,
        by_pip=by_pip,
        url=text(place.get("url")) or "",
    )


def _pinned(
    source: SourceFile, found: list[Listed], scene: Scene, *, conda: bool
) -> tuple[Pinned, ...]:
    names: set[str] = set()
    made = []
    # The package of the channel and what it is split into say the same: the first one counts.
    for row in sorted(found, key=lambda row: row.name in NAMES and row.name != "pytorch"):
        at = FileAt(source.path, row.line)
        if conda and not row.by_pip:
            entry = _of_conda(source, row, scene, at)
        elif matters(normal(row.name)):
            url = row.url if wheel_version(row.url) else ""
            known = conda or any(_of_a_wheel(other) for other in found)
            entry = Pinned(
                name=normal(row.name),
                version=wheel_version(url) or row.version,
                at=at,
                files=(url,) if "://" in url else (),
                default="pypi" if known or scene.platform.startswith("macos") else "unknown",
            )
        else:
            entry = None
        if entry is not None and entry.name not in names:
            names.add(entry.name)
            made.append(entry)
    return tuple(made)


def _of_a_wheel(row: Listed) -> bool:
    """Whether a package comes with PyPI's torch alone: conda's torch needs no wheels of NVIDIA."""
    return (
        re.fullmatch(r"nvidia-(cublas|cudnn|cuda-runtime)(-cu\d+)?", normal(row.name)) is not None
    )


def _of_conda(source: SourceFile, row: Listed, scene: Scene, at: FileAt) -> Pinned | None:
    if row.name not in (*NAMES, "torchvision", "torchaudio"):
        return None
    if row.name not in NAMES:
        return Pinned(name=row.name, version=row.version, at=at, conda=(row.name, "", ""))
    channel = row.channel or channel_of_build(row.build)
    cuda = cuda_of(row.build)
    unread = None
    if row.subdir and row.subdir not in (SUBDIRS[scene.platform], "noarch"):
        unread = f"{source.path} lists {row.name} of {row.subdir}, not of {SUBDIRS[scene.platform]}"
    elif cuda is None:
        unread = f"{source.path} does not say which CUDA {row.name} {row.version} is built for"
    return Pinned(
        name="torch",
        version=row.version,
        at=at,
        conda=(row.name, channel, cuda or ""),
        unread=unread,
    )


def _refused(source: SourceFile, found: list[Listed], scene: Scene) -> InstallOutcome | None:
    """Why `conda create --file` ends with an error: another system's builds, or pip's packages."""
    said = f"with conda, from {source.path} as it is"
    stated = _SUBDIR.search(source.text)
    here = SUBDIRS[scene.platform]
    if stated is not None and stated[1] not in (here, "noarch"):
        why = f"{source.path} names builds for {stated[1]}, which conda does not find for {here}"
        at = FileAt(source.path, source.text.count("\n", 0, stated.start()) + 1)
        return InstallOutcome(
            status="fails", tool="conda", assumption=said, why=why, reason="platform", files=(at,)
        )
    by_pip = [row for row in found if row.by_pip]
    if not by_pip:
        return None
    row = next((row for row in by_pip if row.name == "torch"), by_pip[0])
    more = f" and {len(by_pip) - 1} more" if by_pip[1:] else ""
    why = (
        f"{source.path} lists {row.name} {row.version}{more}, which pip installed: conda finds no "
        "build pypi_0 on any channel. `conda env export` writes a file that keeps them"
    )
    at = FileAt(source.path, row.line)
    return InstallOutcome(
        status="fails", tool="conda", assumption=said, why=why, reason="missing", files=(at,)
    )

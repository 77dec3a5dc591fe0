"""What a file that installs Python packages says, whatever its format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gpudoctor.model.finding import FileAt
from gpudoctor.model.value import dataclass, field

if TYPE_CHECKING:
    from gpudoctor.manifests.choice import InstallOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A place that a file names for finding packages."""

    url: str
    name: str = ""
    at: FileAt | None = None
    explicit: bool = False
    """Used only for packages that name it."""
    default: bool = False
    """Stands in PyPI's place."""
    priority: str = ""
    """Poetry's: `primary`, `supplemental`, `explicit`."""
    links: bool = False
    """A page or folder of links to files (`--find-links`), not an index."""
    only: tuple[str, ...] = ()
    """The packages that it is asked for (PDM); empty: all."""
    never: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A requirement: what a file asks a tool to choose."""

    name: str
    at: FileAt
    specifier: str = ""
    marker: str | None = None
    url: str | None = None
    """A file named directly (`torch @ https://….whl`)."""
    index: str | None = None
    """The name or URL of the one index that it is taken from."""
    unless: tuple[str, ...] = ()
    """Markers where another wish for the same package takes its place."""
    extra: str | None = None
    """The extra of the project that brings it; `None`: it always comes."""
    group: str | None = None
    extras: tuple[str, ...] = ()
    """Extras of the package itself."""
    constraint: bool = False
    """It limits the version, and brings nothing."""
    unread: str | None = None
    """Why what it installs cannot be told from the file: a git source, an unset variable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A package that a lock file has chosen."""

    name: str
    version: str
    at: FileAt
    files: tuple[str, ...] = ()
    """URLs or names of its wheels."""
    listed: bool = False
    """Whether these are all files that the tool may take: without one that suits it fails."""
    wheels_alone: bool = False
    """Whether it is certainly installed here, and can be from wheels alone."""
    index: str | None = None
    """The index that it came from, where the lock says so."""
    marker: str | None = None
    default: str = "pypi"
    """What a missing index means: `pypi`, or `unknown`."""
    conda: tuple[str, str, str] | None = None
    """Of a conda package: its name, its channel, the CUDA of its build (empty: the processor)."""
    unread: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CondaSpec:
    """A match spec of conda."""

    name: str
    version: str
    """As PEP 440 has it: `==2.5.*`."""
    build: str = ""
    channel: str = ""
    at: FileAt


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadPart:
    """A part of a file that cannot be followed, and may decide about torch."""

    why: str
    at: FileAt


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallFile:
    """A file as far as it decides about torch."""

    path: str
    format: str
    """`requirements`, `pyproject`, `uv.lock` …"""
    tool: str
    """Who installs from it: `pip`, `uv`, `poetry` …"""
    wishes: tuple[Wish, ...] = ()
    pinned: tuple[Pinned, ...] | None = None
    """What a lock file holds for the scene that was asked for; `None`: it is no lock file."""
    indexes: tuple[Index, ...] = ()
    gaps: tuple[UnreadPart, ...] = ()
    requires_python: str | None = None
    environments: tuple[str, ...] = ()
    """Markers of the environments that it is locked for; empty: all."""
    extras: frozenset[str] | None = None
    """The extras that the project declares; `None`: the file does not say."""
    groups: frozenset[str] | None = None
    python: str | None = None
    """The one Python that the file itself installs for: `3.11`."""
    conda: tuple[CondaSpec, ...] = ()
    channels: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    """Settings of the tool: `pre`, `no-index`, `strategy`, `torch-backend`."""
    hashless: tuple[tuple[str, FileAt], ...] = ()
    """Of requirements that are installed by hashes: those that have none."""
    broken: tuple[FileAt, ...] = ()
    """Lines of a requirements file that a backslash breaks within a requirement."""
    gone: tuple[tuple[str, FileAt], ...] = ()
    """Requirements from a folder that only the builder of a conda package had."""
    settled: InstallOutcome | None = None
    """What comes of a file whose lines build on one another (a Dockerfile)."""
    optional: tuple[str, ...] = ()
    """Extras and groups that would bring torch and were not asked for."""


def line_at(text: str, position: int) -> int:
    """The line, from 1, of a position in a text."""
    return text.count("\n", 0, max(position, 0)) + 1


def line_of(text: str, *words: str, start: int = 0) -> int | None:
    """The first line at or after `start` that holds all of `words`; `None`: there is none."""
    for number, line in enumerate(text.splitlines(), 1):
        if number > start and all(word in line for word in words):
            return number
    return None

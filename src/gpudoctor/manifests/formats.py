"""Which format a file is in, who reads it, and what lies in a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from gpudoctor.errors import UsageError
from gpudoctor.manifests.document import Document
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.source import Source, read

_BY_NAME = (
    (re.compile(r"uv\.lock\Z"), "uv.lock"),
    (re.compile(r"pyproject\.toml\Z"), "pyproject"),
    (re.compile(r".*\.(txt|in|pip|reqs)\Z"), "requirements"),
)
# In a folder the lock of a tool speaks before its manifest.
_IN_FOLDER = (
    ("uv.lock", "pyproject.toml"),
    ("requirements.txt",),
)


def format_of(source: Source) -> str:
    """The format of a file, by its name, else by what it begins with.

    Raises:
        UsageError: it is none of those that are known.
    """
    name = source.name.lower()
    for pattern, format_ in _BY_NAME:
        if pattern.match(name):
            return format_
    text = source.text[:20_000]
    if re.search(r"^\[\[package\]\]", text, re.M) and re.search(r"^version = \d", text, re.M):
        return "uv.lock"
    if re.search(r"^\[(project|tool\.|build-system)", text, re.M):
        return "pyproject"
    return "requirements"


def document(source: Source, scene: Scene) -> Document:
    """Read a file, whatever its format.

    Raises:
        UsageError: it is not of that format.
    """
    format_ = format_of(source)
    if format_ == "uv.lock":
        from gpudoctor.manifests.readers import uv_lock

        return uv_lock.read(source, scene)
    if format_ == "pyproject":
        from gpudoctor.manifests.readers import pyproject

        return pyproject.read(source, scene.tool)
    from gpudoctor.manifests.readers import requirements

    return requirements.read(source, _variables())


def files_in(path: str) -> list[str]:
    """The files of a folder that say what is installed: each tool's lock before its manifest.

    Raises:
        UsageError: there is none.
    """
    try:
        names = set(os.listdir(path))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    found = []
    for row in _IN_FOLDER:
        there = next((name for name in row if name in names), None)
        if there is not None:
            found.append(os.path.join(path, there))
    if not found:
        raise UsageError(f"{path} holds no file that says what is installed")
    return found


def sources(paths: Sequence[str | Source]) -> list[Source]:
    """The files that were named, and those of the folders that were.

    Raises:
        UsageError: one cannot be read.
    """
    found = []
    for path in paths:
        if isinstance(path, Source):
            found.append(path)
            continue
        for name in files_in(path) if os.path.isdir(path) else [path]:
            found.append(read(name))
    return found


def _variables() -> Mapping[str, str]:
    """Environment variables of whoever asks are not those of whoever installs."""
    return {}

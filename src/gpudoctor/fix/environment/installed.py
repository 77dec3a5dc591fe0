"""The files that installers have written down as theirs: RECORD, installed-files.txt.

Source: https://packaging.python.org/specifications/recording-installed-packages/ (2026-11-21).
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator

_SITES = ("site-packages", "dist-packages")
_RECORDS = (
    (".dist-info", "RECORD"),
    (".egg-info", "installed-files.txt"),
)
_LIMIT = 64 * 2**20
"""Bytes of one record that are read; torch's has 1.3 MB."""


def site_folders(prefix: str) -> list[str]:
    """Folders below `prefix` that hold distributions, relative and with `/`."""
    found = []
    for library in ("lib", "lib64", "Lib", "local/lib"):
        names = _names(os.path.join(prefix, library))
        versions = [name for name in names if name.startswith(("python", "pypy"))]
        for folder in (library, *(f"{library}/{name}" for name in sorted(versions))):
            for site in _SITES:
                if os.path.isdir(os.path.join(prefix, folder, site)):
                    found.append(f"{folder}/{site}")
    return [*found, *(site for site in _SITES if os.path.isdir(os.path.join(prefix, site)))]


def recorded(prefix: str) -> frozenset[str]:
    """Paths that the records of all installed distributions name, relative to `prefix`.

    What they name outside `prefix` is left out.

    Raises:
        OSError: a record is there and cannot be read: nobody would know whose the files are.
    """
    return frozenset(path for paths in recorded_by(prefix).values() for path in paths)


def recorded_by(prefix: str) -> dict[str, list[str]]:
    """The same for each distribution, by the name that its metadata folder bears.

    Raises:
        OSError: as `recorded`.
    """
    found: dict[str, list[str]] = {}
    for site in site_folders(prefix):
        for name in _names(os.path.join(prefix, site)):
            for ending, record in _RECORDS:
                if name.endswith(ending):
                    paths = found.setdefault(name.partition("-")[0], [])
                    paths += _named_in(prefix, site, name, record)
    return found


def _named_in(prefix: str, site: str, name: str, record: str) -> Iterator[str]:
    base = site if record == "RECORD" else f"{site}/{name}"
    for line in _lines(os.path.join(prefix, site, name, record)):
        path = posixpath.normpath(posixpath.join(base, _path_of(line).replace("\\", "/")))
        if not path.startswith(("/", "../")) and path not in (".", ".."):
            yield path


def _path_of(line: str) -> str:
    """The first field of a line of CSV."""
    if line.startswith('"'):
        return line[1:].partition('",')[0].replace('""', '"')
    return line.partition(",")[0]


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return [line for line in file.read(_LIMIT).split("\n") if line]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []

"""The files that installers have written down as theirs: RECORD, installed-files.txt.

Source: https://packaging.python.org/specifications/recording-installed-packages/ (2026-11-21).
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator

from gpudoctor.collect.long_paths import below

_SITES = ("site-packages", "dist-packages")
_RECORDS = (
    (".dist-info", "RECORD"),
    (".egg-info", "installed-files.txt"),
)
_DATA = re.compile(r"([^/]+?)-[^/-]+\.data/(data|scripts|headers)/(.+)")
_LIMIT = 64 * 2**20
"""Bytes of one record that are read; torch's has 1.3 MB."""


def site_folders(prefix: str) -> list[str]:
    """Folders below `prefix` that hold distributions, relative and with `/`."""
    found = []
    for library in ("lib", "lib64", "Lib", "local/lib"):
        names = _names(below(prefix, library))
        versions = [name for name in names if name.startswith(("python", "pypy"))]
        for folder in (library, *(f"{library}/{name}" for name in sorted(versions))):
            for site in _SITES:
                if os.path.isdir(below(prefix, f"{folder}/{site}")):
                    found.append(f"{folder}/{site}")
    return [*found, *(site for site in _SITES if os.path.isdir(below(prefix, site)))]


def recorded(prefix: str) -> frozenset[str]:
    """Paths that the records of all installed distributions name, relative to `prefix`.

    What they name outside `prefix` is left out.

    Raises:
        OSError: a record is there and cannot be read: nobody would know whose the files are.
    """
    return frozenset(path for paths in recorded_by(prefix).values() for path in paths)


def recorded_sums(prefix: str) -> dict[str, str]:
    """What the records say of the content of files outside site-packages: path → `sha256=…`.

    Raises:
        OSError: as `recorded`.
    """
    rows = (row for rows in _rows_by(prefix).values() for row in rows)
    return {path: said for path, said in rows if said and "-packages/" not in path}


def recorded_by(prefix: str) -> dict[str, list[str]]:
    """The same for each distribution, by the name that its metadata folder bears.

    Raises:
        OSError: as `recorded`.
    """
    return {name: [path for path, _ in rows] for name, rows in _rows_by(prefix).items()}


def _rows_by(prefix: str) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for site in site_folders(prefix):
        for name in _names(below(prefix, site)):
            for ending, record in _RECORDS:
                if name.endswith(ending):
                    rows = found.setdefault(name.partition("-")[0], [])
                    rows += _named_in(prefix, site, name, record)
    return found


def _named_in(prefix: str, site: str, name: str, record: str) -> Iterator[tuple[str, str]]:
    base = site if record == "RECORD" else f"{site}/{name}"
    for line in _lines(below(prefix, f"{site}/{name}/{record}")):
        given, said = _fields(line)
        given = given.replace("\\", "/")
        for path in (posixpath.normpath(posixpath.join(base, given)), *_unpacked(given, site)):
            if not path.startswith(("/", "../")) and path not in (".", ".."):
                yield path, said


def _unpacked(given: str, site: str) -> list[str]:
    """Where an installer puts a file of a wheel's `.data`, whose record it has not written yet."""
    found = _DATA.match(given)
    if found is None:
        return []
    name, scheme, rest = found.groups()
    python = posixpath.basename(posixpath.dirname(site))
    folders = {
        "data": ["."],
        "scripts": ["bin", "Scripts"],
        "headers": [f"include/site/{python}/{name}", f"Include/{name}"],
    }
    return [posixpath.normpath(f"{folder}/{rest}") for folder in folders[scheme]]


def _fields(line: str) -> tuple[str, str]:
    """The first two fields of a line of CSV: a path, and the sum of what is in the file."""
    if line.startswith('"'):
        path, _, rest = line[1:].partition('",')
        return path.replace('""', '"'), rest.partition(",")[0]
    path, _, rest = line.partition(",")
    return path, rest.partition(",")[0]


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

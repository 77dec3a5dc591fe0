"""RECORD: which distribution brought which file of a site-packages folder.

Format: "Recording installed projects" of the packaging specifications: CSV, the path first,
relative to the folder that holds the `*.dist-info`, with forward slashes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from gpudoctor.binaries.names import may_be_binary, normalise

_MOST_BYTES = 16 << 20
"""torch's RECORD has 1.2 MB."""
_CHUNK = 1 << 18


def attributions(site: str) -> dict[str, str]:
    """Absolute path of each file that may be a binary → normalised name of its distribution.

    A distribution without a readable RECORD (Debian's, some of conda's) brought nothing.
    """
    found: dict[str, str] = {}
    try:
        names = sorted(name for name in os.listdir(site) if name.endswith(".dist-info"))
    except OSError:
        return found
    for name in names:
        distribution = normalise(name.removesuffix(".dist-info").partition("-")[0])
        try:
            with open(os.path.join(site, name, "RECORD"), "rb") as file:
                for path in _binaries(_lines(file)):
                    found.setdefault(
                        os.path.normpath(os.path.join(site, path.replace("/", os.sep))),
                        distribution,
                    )
        except OSError:
            continue
    return found


def _lines(file: BinaryIO) -> Iterator[bytes]:
    tail = b""
    for _ in range(0, _MOST_BYTES, _CHUNK):
        chunk = file.read(_CHUNK)
        *lines, tail = (tail + chunk).split(b"\n")
        yield from filter(None, lines)
        if not chunk or len(tail) > _CHUNK:  # no path is longer
            break
    yield tail


def _binaries(lines: Iterable[bytes]) -> Iterator[str]:
    for line in lines:
        # Most lines are headers and Python files, told by their ends before any parsing.
        if (
            not line
            or b".py," in line
            or b".h," in line
            or b".pyc," in line
            or b".dist-info/" in line
        ):
            continue
        if line[:1] == b'"':
            path = line[1:].partition(b'",')[0].replace(b'""', b'"')
        else:
            path = line.partition(b",")[0]
        text = path.decode("utf-8", "replace").replace("\\", "/")
        if text and may_be_binary(text):
            yield text

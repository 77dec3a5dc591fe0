"""RECORD: which distribution brought which file of a site-packages folder.

Format: "Recording installed projects" of the packaging specifications: CSV, the path first,
relative to the folder that holds the `*.dist-info`, with forward slashes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from gpudoctor.binaries.names import may_be_binary, normalise
from gpudoctor.model.value import dataclass

_LARGEST = 64 << 20
"""torch's RECORD has 1.2 MB."""


@dataclass(frozen=True, slots=True)
class Record:
    """What one distribution brought."""

    distribution: str
    """Normalised name."""
    binaries: tuple[str, ...]
    """The files that may be binaries, as RECORD has them."""
    tops: frozenset[str]
    """The top-level names of all its files: `torch`, `torchgen`, `functorch` …"""


def attributions(site: str) -> dict[str, str]:
    """Absolute path of each file that may be a binary → normalised name of its distribution."""
    found: dict[str, str] = {}
    for record in records(site):
        for path in record.binaries:
            found.setdefault(os.path.normpath(os.path.join(site, path)), record.distribution)
    return found


def records(site: str) -> Iterator[Record]:
    """What each distribution of a site-packages folder brought, in the order of the names.

    A distribution without a readable RECORD (Debian's, some of conda's) brought nothing.
    """
    try:
        names = sorted(name for name in os.listdir(site) if name.endswith(".dist-info"))
    except OSError:
        return
    for name in names:
        try:
            with open(os.path.join(site, name, "RECORD"), "rb") as file:
                lines = file.read(_LARGEST).split(b"\n")
        except OSError:
            continue
        yield Record(
            normalise(name.removesuffix(".dist-info").partition("-")[0]),
            tuple(_binaries(lines)),
            frozenset(map(_top, {line[:200].partition(b"/")[0] for line in lines})),
        )


def _top(start: bytes) -> str:
    return start.partition(b",")[0].lstrip(b'"').decode("utf-8", "replace")


def _binaries(lines: list[bytes]) -> Iterator[str]:
    for line in lines:
        # Most lines are headers and Python files, told by their ends before any parsing.
        if b".py," in line or b".h," in line or b".pyc," in line or b".dist-info/" in line:
            continue
        if line[:1] == b'"':
            path = line[1:].partition(b'",')[0].replace(b'""', b'"')
        else:
            path = line.partition(b",")[0]
        text = path.decode("utf-8", "replace").replace("\\", "/")
        if text and may_be_binary(text):
            yield text

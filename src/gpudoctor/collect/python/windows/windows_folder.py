"""What Windows does with the folder of an environment: its length, its cloud, its marks."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

_ONE_DRIVE = ("OneDrive", "OneDriveConsumer", "OneDriveCommercial")
"""Variables in which OneDrive says where its folders are; set in every program's environment."""
_MARK = ":Zone.Identifier"
"""The stream in which Windows notes where a file came from (learn.microsoft.com, [MS-FSCC] 5.6.1,
"Zone.Identifier Stream Name", read 2026-11-21)."""
_INTERNET = 3
_MARKED = re.compile(rb"ZoneId\s*=\s*(\d)")


def synchronised_by(prefix: str, environ: Mapping[str, str]) -> str | None:
    """The service that copies the folder to a cloud; `None` if none of those that say so does."""
    here = os.path.normcase(os.path.normpath(prefix))
    upper = {name.upper(): value for name, value in environ.items()}
    for name in _ONE_DRIVE:
        folder = upper.get(name.upper(), "")
        if folder and here.startswith(os.path.normcase(os.path.normpath(folder)) + os.sep):
            return "OneDrive"
    return None


def blocked(paths: Iterable[str]) -> tuple[str, ...]:
    """Those of the files that are marked as come from the internet or from a worse place."""
    return tuple(path for path in paths if _zone(path) >= _INTERNET)


def _zone(path: str) -> int:
    try:
        with open(path + _MARK, "rb") as stream:
            match = _MARKED.search(stream.read(1 << 12))
    except OSError:  # no such stream, or a file system that has none
        return -1
    return int(match[1]) if match else -1

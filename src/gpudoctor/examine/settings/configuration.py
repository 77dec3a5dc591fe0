"""The settings that lie with a project: `gpudoctor.toml`, or `[tool.gpudoctor]` in pyproject.toml.

Looked for upwards from a folder, as ruff does: the nearest folder that has one decides alone. They
say what is judged; nothing in them names a program, so that a stranger's repository starts nothing.
"""

from __future__ import annotations

import os
from typing import Any

from gpudoctor.errors import UsageError

OWN = "gpudoctor.toml"
SHARED = "pyproject.toml"
_MARK = "tool.gpudoctor"
_MOST_BYTES = 2**20


def find(folder: str) -> str | None:
    """The file that holds the settings for `folder`; `None` without one."""
    place = os.path.abspath(folder)
    while True:
        own = os.path.join(place, OWN)
        if os.path.isfile(own):
            return own
        shared = os.path.join(place, SHARED)
        if os.path.isfile(shared) and _MARK in _text(shared, missing=""):
            return shared
        parent = os.path.dirname(place)
        if parent == place:
            return None
        place = parent


def read(path: str) -> Any:
    """The settings in a TOML file, of either kind.

    Raises:
        UsageError: it cannot be read, or is not TOML.
    """
    from gpudoctor.model.terms import toml

    try:
        document = toml.loads(_text(path))
    except ValueError as error:
        raise UsageError(f"{path} is not TOML: {str(error).splitlines()[0]}") from None
    if os.path.basename(path) != SHARED:
        return document
    tool = document.get("tool", {})
    return tool.get("gpudoctor", {}) if isinstance(tool, dict) else {}


def _text(path: str, missing: str | None = None) -> str:
    """The file's text; `missing` where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(_MOST_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        if missing is not None:
            return missing
        why = getattr(error, "strerror", None) or "it is not text"
        raise UsageError(f"{path} cannot be read: {why}") from None

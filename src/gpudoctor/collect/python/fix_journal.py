"""Where fixes of an environment keep their journals, and whether one of them is unfinished.

Nothing of the doctor's own stays in an environment: journals lie in the user's state folder,
one folder for each environment (its path, hashed), one below it for each fix.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

JOURNAL = "journal.jsonl"

# The steps after which nothing is left to do; in every other state a fix is unfinished.
FINISHED = ("committed", "restored", "undone", "untouched")


def state_folder(environ: Mapping[str, str]) -> str:
    """The folder for what must survive: XDG base directories, `%LOCALAPPDATA%`, or Library."""
    given = environ.get("GPUDOCTOR_STATE")
    if given:
        return given
    if sys.platform == "win32":
        base = environ.get("LOCALAPPDATA") or os.path.expanduser(r"~\AppData\Local")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Application Support")
    else:
        base = environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(base, "gpudoctor")


def environment_folder(prefix: str, environ: Mapping[str, str]) -> str:
    """The folder that holds the fixes of the environment at `prefix`."""
    import hashlib

    real = os.path.normcase(os.path.realpath(prefix))
    key = hashlib.sha256(real.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in os.path.basename(real))
    return os.path.join(state_folder(environ), "fixes", f"{name[:40] or 'root'}-{key}")


def fixes(folder: str) -> list[str]:
    """The folders of the fixes below `folder`, oldest first."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []


def read(fix: str) -> list[dict[str, Any]]:
    """The records of a fix's journal; a last line that was cut off by a crash is left out."""
    try:
        with open(os.path.join(fix, JOURNAL), encoding="utf-8") as file:
            lines = file.read().split("\n")
    except (OSError, UnicodeDecodeError):
        return []
    records = []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            records.append(record)
    return records


def unfinished(prefix: str, environ: Mapping[str, str]) -> str | None:
    """The folder of a fix of this environment that neither ended nor was undone."""
    if not os.path.isdir(os.path.join(state_folder(environ), "fixes")):
        return None  # nothing was ever fixed here; loading hashlib would cost every check 5 ms
    for fix in reversed(fixes(environment_folder(prefix, environ))):
        records = read(fix)
        if records and records[-1].get("step") not in FINISHED:
            return fix
    return None

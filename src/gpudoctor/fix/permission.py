"""Environments that are not ours to change, each with the reason and the way to go."""

from __future__ import annotations

import os
import secrets
import sys

from gpudoctor.collect.long_paths import readable, true_path
from gpudoctor.fix.ours import NEW, not_ours
from gpudoctor.model.facts import Python
from gpudoctor.model.sheet import FactSheet


def why_not(sheet: FactSheet, *, may_start: bool) -> str | None:
    """Why the patient's environment may not be changed; `None` if it may."""
    python = sheet.facts.python
    if python is None or not python.prefix or not python.executable:
        return f"no Python environment was found; {NEW}"
    if not may_start:
        return (
            f"{python.prefix} merely lies here and was not chosen by you: activate it, "
            f"or name it with --python {python.prefix}"
        )
    return not_ours(python) or _not_writable(python)


def _not_writable(python: Python) -> str | None:
    prefix = readable(python.prefix or "")
    if sys.platform != "win32":
        try:
            owner = os.stat(prefix).st_uid
        except OSError as error:
            return f"{prefix} cannot be read: {error.strerror}"
        if owner != os.geteuid():
            return (
                f"{prefix} belongs to another user; run this as its owner, "
                "or make an environment of your own"
            )
    for folder in (prefix, *map(readable, python.site_packages)):
        inside = true_path(folder).startswith(true_path(prefix))
        if inside and os.path.isdir(folder) and not _can_write(folder):
            return f"{folder} is read-only; an installer could not change it"
    return None


def _can_write(folder: str) -> bool:
    """Asked by trying: permission bits do not tell of read-only mounts, nor root of anything."""
    if not os.access(folder, os.W_OK | os.X_OK):
        return False
    probe = os.path.join(folder, f".gpudoctor-{secrets.token_hex(8)}")
    try:
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.unlink(probe)
    except OSError:
        return False
    return True

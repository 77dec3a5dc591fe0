"""Programs that bring a Python of their own, and what an embeddable Python does differently.

ComfyUI, Fooocus, Stable Diffusion web UI and Forge are unpacked, not installed: a folder with the
program, and beside it one with its interpreter, which a `.bat` starts.

An embeddable Python keeps its standard library in `python311.zip`, and its whole path in
`python311._pth`, relative to itself. Where that file lies `PYTHONPATH` and the registry are
ignored, and `site` runs only if a line says `import site`
(https://docs.python.org/3/library/sys_path_init.html#pth-files, read 2026-11-21).
"""

from __future__ import annotations

import os
import re

from gpudoctor.collect.system.files import is_file, is_folder, names, read_text
from gpudoctor.kb.software.portable_programs import Program, programs
from gpudoctor.model.value import dataclass

_PATH_FILE = r"(?ai)python3\d{0,2}\._pth\Z"


def program_in(folder: str) -> tuple[Program, str] | None:
    """The program whose folder this is, and the folder of its Python; `None` if it is none."""
    for program in programs():
        if not all(any(_there(folder, mark) for mark in each) for each in program.marks):
            continue
        for place in program.interpreter:
            prefix = os.path.join(folder, *place.split("/"))
            if is_folder(prefix):
                return program, prefix
    return None


def program_of(prefix: str) -> str | None:
    """The name of the program that an environment belongs to."""
    found = owner_of(prefix)
    return found[0].name if found else None


def owner_of(prefix: str) -> tuple[Program, str] | None:
    """The program that an environment belongs to, and its folder."""
    for program in programs():
        for place in program.interpreter:
            parts = place.split("/")
            folder = prefix
            for part in reversed(parts):
                if os.path.basename(folder).lower() != part:
                    break
                folder = os.path.dirname(folder)
            else:
                found = program_in(folder)
                if found is not None and os.path.normpath(found[1]) == os.path.normpath(prefix):
                    return found[0], folder
    return None


def path_file(prefix: str) -> str | None:
    """The `._pth` file beside an embeddable interpreter; `None` if there is none."""
    found = (name for name in names(prefix) if re.match(_PATH_FILE, name))
    return next((os.path.join(prefix, name) for name in found), None)


@dataclass(frozen=True, slots=True)
class PathFile:
    """What a `._pth` file says."""

    folders: tuple[str, ...]
    """Absolute, in its order; archives are left out."""
    site: bool
    """Whether `import site` stands in it: then `Lib\\\\site-packages` counts, and `.pth` files."""


def read_path_file(path: str) -> PathFile:
    """Read a `._pth` file."""
    folders, site = [], False
    for line in (read_text(path, 1 << 14) or "").splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("import "):
            site = site or text.split()[1:2] == ["site"]
        elif text:
            place = os.path.join(os.path.dirname(path), *re.split(r"[/\\]", text))
            folder = os.path.normpath(place)
            if is_folder(folder):
                folders.append(folder)
    return PathFile(tuple(folders), site)


def _there(folder: str, mark: str) -> bool:
    path = os.path.join(folder, *mark.split("/"))
    return is_file(path) or is_folder(path)

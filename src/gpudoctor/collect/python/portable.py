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
from gpudoctor.model.value import dataclass

_PATH_FILE = r"(?ai)python3\d{0,2}\._pth\Z"


@dataclass(frozen=True, slots=True)
class Program:
    """A program that brings its Python, known by its files."""

    name: str
    interpreter: tuple[str, ...]
    """Where its environment may lie, from its own folder on."""
    marks: tuple[tuple[str, ...], ...]
    """Files of which all are there; each entry names one place or several to choose from."""


# Where each program's own repository or archive puts them (read 2026-11-21).
PROGRAMS = (
    # https://docs.comfy.org/installation/comfyui_portable_windows
    Program("ComfyUI", ("python_embeded",), (("ComfyUI/main.py",),)),
    # https://github.com/lllyasviel/Fooocus#windows
    Program("Fooocus", ("python_embeded",), (("Fooocus/launch.py",),)),
    # https://github.com/lllyasviel/stable-diffusion-webui-forge#installing-forge
    Program("Forge", ("system/python",), (("webui/modules_forge",),)),
    Program("Forge", ("venv",), (("modules_forge",), ("webui.py", "launch.py"))),
    # https://github.com/AUTOMATIC1111/stable-diffusion-webui/wiki/Install-and-Run-on-NVidia-GPUs
    Program("Stable Diffusion web UI", ("system/python",), (("webui/webui.py",),)),
    Program("Stable Diffusion web UI", ("venv",), (("webui.py",), ("modules",), ("launch.py",))),
    # https://invoke-ai.github.io/InvokeAI/installation/manual/
    Program("InvokeAI", (".venv",), (("invokeai.yaml", "invoke.bat", "invoke.sh"),)),
    # https://github.com/bmaltais/kohya_ss
    Program("kohya_ss", ("venv", ".venv"), (("kohya_gui.py",),)),
    Program("ComfyUI", ("venv", ".venv"), (("comfy",), ("main.py",), ("nodes.py",))),
)


def program_in(folder: str) -> tuple[Program, str] | None:
    """The program whose folder this is, and the folder of its Python; `None` if it is none."""
    for program in PROGRAMS:
        if not all(any(_there(folder, mark) for mark in each) for each in program.marks):
            continue
        for place in program.interpreter:
            prefix = os.path.join(folder, *place.split("/"))
            if is_folder(prefix):
                return program, prefix
    return None


def program_of(prefix: str) -> str | None:
    """The name of the program that an environment belongs to."""
    for program in PROGRAMS:
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
                    return found[0].name
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

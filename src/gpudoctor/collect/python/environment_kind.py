"""What kind of environment it is, and which tool's lock file owns it.

Who owns an environment matters for the cure: what pip puts into an environment that `uv sync` or
`poetry install` keeps in step is gone after its next run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Literal

from gpudoctor.collect.long_paths import true_path
from gpudoctor.collect.python.layout import Layout
from gpudoctor.collect.python.portable import program_of
from gpudoctor.collect.python.shims import upward
from gpudoctor.collect.system.files import is_file, is_folder, read_text

Kind = Literal[
    "venv", "virtualenv", "conda", "uv", "poetry", "pixi", "pipenv", "portable", "system"
]
Owner = Literal["uv", "poetry", "pixi", "pipenv", "pdm", "conda-lock", "pylock"]

_LOCK_FILES: tuple[tuple[Owner, str], ...] = (
    ("uv", "uv.lock"),
    ("poetry", "poetry.lock"),
    ("pdm", "pdm.lock"),
    ("pipenv", "Pipfile.lock"),
    ("pylock", "pylock.toml"),
)
_NAME = re.compile(r"""^name:[ \t]*["']?([^"'\s#]+)""", re.M)


def environment_kind(layout: Layout) -> Kind:
    """The kind of an environment, by the traces that its maker leaves in it."""
    path = layout.prefix.replace("\\", "/")
    config = layout.config
    if layout.is_venv:
        if "/pypoetry/virtualenvs/" in path or "/pypoetry/Cache/virtualenvs/" in path:
            return "poetry"
        if is_file(os.path.join(layout.prefix, ".project")) and "/virtualenvs/" in path:
            return "pipenv"
        if "uv" in config:
            return "uv"
        if os.path.basename(path) == ".venv" and _beside(layout, "poetry.lock"):
            return "poetry"
        return "virtualenv" if "virtualenv" in config else "venv"
    if layout.is_conda:
        pixi = "/.pixi/envs/" in path or is_file(os.path.join(layout.prefix, "conda-meta", "pixi"))
        return "pixi" if pixi else "conda"
    return (
        "system" if layout.path_file is None and program_of(layout.prefix) is None else "portable"
    )


def is_conda_base(layout: Layout) -> bool:
    """Whether it is conda's own environment, which its tools run in."""
    return is_folder(os.path.join(layout.prefix, "condabin")) or is_file(
        os.path.join(layout.prefix, "_conda")
    )


def externally_managed(layout: Layout) -> bool:
    """Whether pip refuses to install there (PEP 668): never in a virtual environment."""
    if layout.is_venv or layout.library is None:
        return False
    return is_file(os.path.join(layout.library, "EXTERNALLY-MANAGED"))


def lock_owner(
    layout: Layout, kind: Kind, cwd: str, environ: Mapping[str, str]
) -> tuple[Owner, str] | None:
    """The tool that would put this environment back at its next sync, and its lock file."""
    if kind == "pixi":
        project = layout.prefix.replace("\\", "/").partition("/.pixi/envs/")[0]
        pixi = os.path.join(project, "pixi.lock")
        return ("pixi", pixi) if is_file(pixi) else None
    if kind == "conda":
        return _conda_lock(layout, cwd)
    if not layout.is_venv:
        return None
    if kind == "pipenv":
        project = (read_text(os.path.join(layout.prefix, ".project"), 4096) or "").strip()
        pipfile = os.path.join(project, "Pipfile.lock")
        return ("pipenv", pipfile) if project and is_file(pipfile) else None
    if kind == "poetry" and os.path.basename(layout.prefix) != ".venv":
        found = next((path for path in upward(cwd, "poetry.lock") if is_file(path)), None)
        return ("poetry", found) if found else None
    if os.path.basename(layout.prefix) == ".venv":
        locks = [(owner, path) for owner, name in _LOCK_FILES if (path := _beside(layout, name))]
        if kind != "uv":  # an environment that uv did not make belongs to the others first
            locks.sort(key=lambda lock: lock[0] == "uv")
        return locks[0] if locks else None
    return _uv_elsewhere(layout, cwd, environ) or _pdm_elsewhere(layout, cwd)


def _conda_lock(layout: Layout, cwd: str) -> tuple[Owner, str] | None:
    """The conda-lock.yml of the folder that holds the environment, or whose file has its name."""
    if is_conda_base(layout):
        return None
    inside = os.path.join(os.path.dirname(layout.prefix), "conda-lock.yml")
    if is_file(inside):
        return "conda-lock", inside
    for path in upward(cwd, "conda-lock.yml"):
        if not is_file(path):
            continue
        for name in ("environment.yml", "environment.yaml"):
            named = _NAME.search(read_text(os.path.join(os.path.dirname(path), name), 65536) or "")
            if named and named[1] == os.path.basename(layout.prefix):
                return "conda-lock", path
        return None
    return None


def _pdm_elsewhere(layout: Layout, cwd: str) -> tuple[Owner, str] | None:
    """PDM writes the interpreter of a project's environment into `.pdm-python`."""
    for path in upward(cwd, ".pdm-python"):
        lock = os.path.join(os.path.dirname(path), "pdm.lock")
        python = (read_text(path, 4096) or "").strip()
        if not python or not is_file(lock):
            continue
        folder = os.path.realpath(os.path.dirname(os.path.dirname(python)))
        return ("pdm", lock) if folder == os.path.realpath(layout.prefix) else None
    return None


def _uv_elsewhere(layout: Layout, cwd: str, environ: Mapping[str, str]) -> tuple[Owner, str] | None:
    """`UV_PROJECT_ENVIRONMENT` moves a project's environment away from `.venv`."""
    place = environ.get("UV_PROJECT_ENVIRONMENT")
    for path in upward(cwd, "uv.lock") if place else ():
        if is_file(path):
            meant = os.path.join(os.path.dirname(path), place or "")
            same = true_path(meant) == true_path(layout.prefix)
            return ("uv", path) if same else None
    return None


def _beside(layout: Layout, name: str) -> str | None:
    path = os.path.join(os.path.dirname(layout.prefix), name)
    return path if is_file(path) else None

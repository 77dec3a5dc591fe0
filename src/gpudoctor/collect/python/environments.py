"""Every environment of this machine that can be told from files; none is started.

Known places alone are looked at, one or two levels deep: what the tools that make environments
keep in their own folders and lists, what lies in the current folder, and programs that bring
their Python along. The whole disk is not searched.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Literal

from gpudoctor.collect.long_paths import true_path
from gpudoctor.collect.python.layout import interpreter_in, prefix_of
from gpudoctor.collect.python.portable import program_in, program_of
from gpudoctor.collect.python.windows.registered import registered
from gpudoctor.collect.system.files import (
    executables,
    is_file,
    is_folder,
    names,
    read_bytes,
    read_text,
)
from gpudoctor.model.value import dataclass

Keeper = Literal[
    "active",
    "folder",
    "conda",
    "uv",
    "pyenv",
    "pipx",
    "poetry",
    "virtualenvs",
    "portable",
    "system",
]
"""Who keeps the environment; `folder`: it lies in the current one; `system`: an installation."""

_MOST = 1000
"""No list or folder is followed beyond so many entries."""
_CONDA_BASES = ("miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba")
_HERE = (".venv", "venv", "env")
_DESKS = ("", "Desktop", "Downloads", "Documents", "AI")
"""Where people unpack programs, below their home folder."""


@dataclass(frozen=True, slots=True)
class FoundEnvironment:
    """One environment that was found."""

    prefix: str
    executable: str
    keeper: Keeper
    program: str | None = None
    """The program that brings it, where one does: `ComfyUI`."""


def environments(cwd: str, environ: Mapping[str, str]) -> tuple[FoundEnvironment, ...]:
    """Every environment, the one that is active or at hand first; each folder once."""
    found: dict[str, FoundEnvironment] = {}
    for keeper, prefix in islice(_prefixes(cwd, environ), 20 * _MOST):
        executable = interpreter_in(prefix)
        if executable is None or not is_file(executable):
            continue
        program = program_of(prefix)
        true = os.path.normcase(true_path(prefix))
        found.setdefault(true, FoundEnvironment(prefix, executable, keeper, program))
    return tuple(found.values())


def _prefixes(cwd: str, environ: Mapping[str, str]) -> Iterator[tuple[Keeper, str]]:
    home = environ.get("HOME") or environ.get("USERPROFILE") or os.path.expanduser("~")
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if os.path.isabs(environ.get(variable, "")):
            yield "active", environ[variable]
    yield from (("folder", os.path.join(cwd, name)) for name in _HERE)
    yield from (("portable", prefix) for prefix in _portable([cwd], deep=False))
    yield from (("conda", prefix) for prefix in _conda(home, environ))
    yield from (("uv", prefix) for prefix in _uv(home, environ))
    yield from (("pyenv", prefix) for prefix in _pyenv(home, environ))
    yield from (("pipx", prefix) for prefix in _pipx(home, environ))
    yield from (("poetry", prefix) for prefix in _poetry(home, environ))
    yield from (("virtualenvs", prefix) for prefix in _virtualenvs(home, environ))
    desks = [os.path.join(home, name) for name in _DESKS]
    yield from (("portable", prefix) for prefix in _portable([*desks, *_drives()], deep=True))
    yield from (("system", prefix) for prefix in _installed(environ))


def _below(*folders: str) -> Iterator[str]:
    """What lies in these folders."""
    for folder in dict.fromkeys(folders):
        if os.path.isabs(folder):
            yield from (os.path.join(folder, name) for name in names(folder)[:_MOST])


def _portable(folders: Iterable[str], *, deep: bool) -> Iterator[str]:
    for folder in folders:
        for place in (folder, *(_below(folder) if deep else ())):
            program = program_in(place)
            if program is not None:
                yield program[1]


def _conda(home: str, environ: Mapping[str, str]) -> Iterator[str]:
    # conda itself keeps this list (https://docs.conda.io, "conda env list").
    listed = read_text(os.path.join(home, ".conda", "environments.txt"), 1 << 18) or ""
    yield from (line.strip() for line in listed.splitlines()[:_MOST] if os.path.isabs(line.strip()))
    roots = [home, os.path.join(home, "AppData", "Local"), "/opt", r"C:\ProgramData"]
    bases = [os.path.join(root, name) for root in roots for name in _CONDA_BASES]
    bases += ["/opt/conda", environ.get("MAMBA_ROOT_PREFIX", "")]
    if os.path.isabs(environ.get("CONDA_EXE", "")):
        bases.append(os.path.dirname(os.path.dirname(environ["CONDA_EXE"])))
    for base in bases:
        if base and is_folder(base):
            yield base
            yield from _below(os.path.join(base, "envs"))
    yield from _below(os.path.join(home, ".conda", "envs"))


def _uv(home: str, environ: Mapping[str, str]) -> Iterator[str]:
    # https://docs.astral.sh/uv/reference/storage/ (read 2026-11-21)
    roots = (_data(home, environ), environ.get("APPDATA", ""))
    own = (os.path.join(root, "uv", name) for root in roots for name in ("tools", "python"))
    named = (environ.get("UV_TOOL_DIR", ""), environ.get("UV_PYTHON_INSTALL_DIR", ""))
    yield from _below(*named, *own)


def _pyenv(home: str, environ: Mapping[str, str]) -> Iterator[str]:
    roots = [environ.get("PYENV_ROOT", ""), environ.get("PYENV", ""), os.path.join(home, ".pyenv")]
    roots += [os.path.join(home, ".pyenv", "pyenv-win")]
    for version in _below(*(os.path.join(root, "versions") for root in roots if root)):
        yield version
        yield from _below(os.path.join(version, "envs"))
    asdf = environ.get("ASDF_DATA_DIR") or os.path.join(home, ".asdf")
    yield from _below(os.path.join(asdf, "installs", "python"))


def _pipx(home: str, environ: Mapping[str, str]) -> Iterator[str]:
    # https://pipx.pypa.io/stable/how-pipx-works/ (read 2026-11-21)
    local = os.path.join(home, ".local", "pipx")
    places = [environ.get("PIPX_HOME", ""), os.path.join(_data(home, environ), "pipx"), local]
    places += [os.path.join(home, "pipx"), os.path.join(home, "AppData", "Local", "pipx", "pipx")]
    yield from _below(*(os.path.join(place, "venvs") for place in places if place))


def _poetry(home: str, environ: Mapping[str, str]) -> Iterator[str]:
    caches = (
        os.path.join(environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"), "pypoetry"),
        os.path.join(home, "Library", "Caches", "pypoetry"),
        os.path.join(home, "AppData", "Local", "pypoetry", "Cache"),
    )
    yield from _below(*(os.path.join(cache, "virtualenvs") for cache in caches))


def _virtualenvs(home: str, environ: Mapping[str, str]) -> Iterator[str]:
    workon = environ.get("WORKON_HOME", "")
    usual = [os.path.join(home, name) for name in (".virtualenvs", ".venvs", "Envs")]
    yield from _below(workon, os.path.join(_data(home, environ), "virtualenvs"), *usual)


def _installed(environ: Mapping[str, str]) -> Iterator[str]:
    """Installations: on the PATH, known to Windows, and where python.org's installer puts them."""
    for name in ("python3", "python"):
        for path in executables(name, environ):
            # Neither a shim of a version manager nor the empty stand-in of Microsoft's store.
            if read_bytes(path, 2) not in (None, b"", b"#!"):
                yield prefix_of(path)
    yield from (prefix_of(each.executable) for each in registered())
    local, programs = environ.get("LOCALAPPDATA", ""), environ.get("PROGRAMFILES", "")
    yield from _below(os.path.join(local, "Programs", "Python"))
    yield from (path for path in _below(programs) if "ython3" in os.path.basename(path))
    # Visual Studio's own, which its installer offers with the workload for Python
    # (https://learn.microsoft.com/visualstudio/python/installing-python-interpreters).
    shared = os.path.join(environ.get("PROGRAMFILES(X86)", ""), "Microsoft Visual Studio", "Shared")
    yield from (path for path in _below(shared) if "ython3" in path or "naconda3" in path)


def _data(home: str, environ: Mapping[str, str]) -> str:
    return environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")


def _drives() -> list[str]:
    """The roots of fixed drives on Windows, where people unpack large programs."""
    if os.name != "nt":
        return []
    return [f"{letter}:\\" for letter in "CDEF" if is_folder(f"{letter}:\\")]

"""Which interpreter is meant, and why: `--python`, an active environment, `.venv`, or the PATH.

On Windows installers leave the PATH alone unless asked: what `py` starts comes after it.

Nothing is started here. Only an interpreter that is named or active may be started later: one
that merely lies in the folder may have come with a stranger's repository.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Literal

from gpudoctor.collect.long_paths import readable, true_path
from gpudoctor.collect.python import shims
from gpudoctor.collect.python.layout import interpreter_in, prefix_of, read_layout
from gpudoctor.collect.python.portable import program_in
from gpudoctor.collect.system.files import executables, is_file, is_folder, search_path
from gpudoctor.errors import UsageError
from gpudoctor.model.facts import MERELY_FOUND
from gpudoctor.model.value import dataclass

Why = Literal[
    "--python",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    ".venv",
    "portable",
    "PATH",
    "py.exe",
    "gpudoctor",
    "search",
]

_PROGRAMS = (".exe", ".bat", ".cmd")
_TOOL_FILES = ("uv-receipt.toml", "pipx_metadata.json")
_TOOL_FOLDERS = ("/uv/tools/", "/pipx/venvs/", "/archive-v0/", "/environments-v2/")


@dataclass(frozen=True, slots=True)
class ChosenInterpreter:
    """The interpreter that is examined."""

    prefix: str
    executable: str | None
    """`None` where the environment folder holds no interpreter."""
    why: Why

    @property
    def may_start(self) -> bool:
        """Whether it may be started: it is named or active, not merely found."""
        return self.executable is not None and self.why not in MERELY_FOUND


def choose(
    target: str | None,
    cwd: str,
    environ: Mapping[str, str],
    own_prefix: str = sys.prefix,
    *,
    past_own: bool = False,
) -> ChosenInterpreter | None:
    """The interpreter that is meant; `None` if there is none.

    `own_prefix` is the environment in which gpudoctor runs. Where pipx or `uv tool` made it, for
    gpudoctor alone, it is nobody's patient, although it may stand first on the PATH (`uvx`).
    `past_own` passes it by however it was made.

    Raises:
        UsageError: `target` is neither an interpreter nor an environment folder.
    """
    if target is not None:
        return _named(target, cwd, environ)
    alone = past_own or is_tool_environment(own_prefix)
    own = true_path(own_prefix) if alone else None
    for choice in chain(_active(environ), _here(cwd), _on_path(cwd, environ), _launched(environ)):
        if own is None or true_path(choice.prefix) != own:
            return choice
    return None


def own_environment(
    own_prefix: str = sys.prefix, base_prefix: str = sys.base_prefix
) -> ChosenInterpreter | None:
    """The virtual environment that gpudoctor was installed into, unless made for it alone."""
    if own_prefix == base_prefix or is_tool_environment(own_prefix):
        return None
    return ChosenInterpreter(own_prefix, interpreter_in(own_prefix), "gpudoctor")


def is_tool_environment(prefix: str) -> bool:
    """Whether pipx, `uv tool` or `uvx` made an environment for one command."""
    if any(is_file(os.path.join(prefix, name)) for name in _TOOL_FILES):
        return True
    path = prefix.replace("\\", "/") + "/"
    return any(part in path for part in _TOOL_FOLDERS)


def _named(target: str, cwd: str, environ: Mapping[str, str]) -> ChosenInterpreter:
    path = readable(os.path.normpath(os.path.join(cwd, os.path.expanduser(target))))
    if is_folder(path):
        program = program_in(path)
        inside = [program[1]] if program else []
        for prefix in (path, *inside, os.path.join(path, ".venv")):
            executable = interpreter_in(prefix)
            if executable or is_file(os.path.join(prefix, "pyvenv.cfg")):
                return ChosenInterpreter(prefix, executable, "--python")
        raise UsageError(f"--python {target}: this folder holds no Python environment")
    if os.path.dirname(target) == "" and not os.path.lexists(path):
        path = next(executables(target, environ), path)
    if os.name == "nt" and not is_file(path) and is_file(path + ".exe"):
        path += ".exe"
    if not is_file(path):
        raise UsageError(f"--python {target}: there is no such interpreter or environment folder")
    # Windows says of every file that it may be executed; its ending decides there.
    runs = path.lower().endswith(_PROGRAMS) if os.name == "nt" else os.access(path, os.X_OK)
    if not runs:
        raise UsageError(f"--python {target}: this file is no interpreter")
    behind = _behind(path, cwd, environ)
    if behind is None:
        raise UsageError(f"--python {target}: this is a script, not an interpreter")
    return ChosenInterpreter(prefix_of(behind), behind, "--python")


def _active(environ: Mapping[str, str]) -> list[ChosenInterpreter]:
    """The activated environments; of two, the one whose commands come first on the PATH."""
    found = []
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        prefix = readable(environ.get(variable, ""))
        if prefix and os.path.isabs(prefix) and is_folder(prefix):
            executable = interpreter_in(prefix)
            # A conda environment need not contain Python; then `python` comes from elsewhere.
            if executable or variable == "VIRTUAL_ENV":
                why: Why = "VIRTUAL_ENV" if variable == "VIRTUAL_ENV" else "CONDA_PREFIX"
                found.append(ChosenInterpreter(prefix, executable, why))
    folders = list(search_path(environ))

    def place(choice: ChosenInterpreter) -> int:
        commands = [os.path.join(choice.prefix, name) for name in ("bin", "Scripts")]
        return min(
            (i for i, f in enumerate(folders) if f in (*commands, choice.prefix)),
            default=len(folders),
        )

    return sorted(found, key=place)


def _here(cwd: str) -> list[ChosenInterpreter]:
    prefix = readable(os.path.join(cwd, ".venv"))
    executable = interpreter_in(prefix)
    if executable is not None or is_file(os.path.join(prefix, "pyvenv.cfg")):
        return [ChosenInterpreter(prefix, executable, ".venv")]
    program = program_in(cwd)
    if program is not None and (executable := interpreter_in(program[1])):
        return [ChosenInterpreter(program[1], executable, "portable")]
    return []


def _on_path(cwd: str, environ: Mapping[str, str]) -> Iterator[ChosenInterpreter]:
    order = ("python", "python3") if os.name == "nt" else ("python3", "python")
    for name in order:
        for path in executables(name, environ):
            behind = _behind(path, cwd, environ)
            # Windows puts an empty `python.exe` on the PATH, which opens its store.
            if behind is not None and os.path.getsize(behind):
                yield ChosenInterpreter(prefix_of(behind), behind, "PATH")


def _launched(environ: Mapping[str, str]) -> Iterator[ChosenInterpreter]:
    if os.name == "nt":
        from gpudoctor.collect.python.windows.registered import registered, started_by_launcher

        found = started_by_launcher(registered(), environ)
        if found is not None:
            yield ChosenInterpreter(prefix_of(found.executable), found.executable, "py.exe")


def _behind(path: str, cwd: str, environ: Mapping[str, str]) -> str | None:
    """The interpreter that a path on the command line leads to; `None` for a foreign script.

    A script inside an environment (Nix wraps its interpreters so) is that environment's own.
    """
    if not shims.is_script(path):
        return path
    resolved = shims.resolve(path, cwd, environ)
    if resolved is None:
        layout = read_layout(prefix_of(path), path)
        if layout.library is not None and os.path.dirname(os.path.abspath(path)) == layout.scripts:
            return path
    return resolved

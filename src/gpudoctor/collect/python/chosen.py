"""The environment that is meant, and where its interpreter imports from."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from gpudoctor.collect.long_paths import true_path
from gpudoctor.collect.python.interpreter import ChosenInterpreter, choose, own_environment
from gpudoctor.collect.python.layout import Layout, read_layout
from gpudoctor.collect.python.python_facts import base_of
from gpudoctor.collect.python.sitepath import SitePath, site_path
from gpudoctor.collect.python.torch_folders import torch_folders
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Chosen:
    """The chosen interpreter and where it imports from."""

    choice: ChosenInterpreter
    layout: Layout
    base: Layout | None
    """The installation that a virtual environment borrows its standard library from."""
    path: SitePath

    @property
    def conda(self) -> Layout | None:
        """The conda environment whose interpreter runs, directly or below a venv."""
        return next((each for each in (self.layout, self.base) if each and each.is_conda), None)

    @property
    def os_name(self) -> str:
        """The system that it is for, as `Host.os` names it."""
        if self.layout.windows:
            return "windows"
        return "macos" if sys.platform == "darwin" else "linux"

    @property
    def machine(self) -> str:
        """As `platform.machine` prints it, which starts a process on some systems."""
        if os.name == "nt":
            return os.environ.get("PROCESSOR_ARCHITECTURE", "AMD64")
        return "AMD64" if self.layout.windows else os.uname().machine

    @property
    def platform(self) -> str:
        """`linux_x86_64`, `win_amd64`, `macos_arm64`, as the knowledge base names platforms."""
        system = "win" if self.os_name == "windows" else self.os_name
        return f"{system}_{self.machine.lower()}"


def find(target: str | None, cwd: str, environ: Mapping[str, str]) -> Chosen | None:
    """The environment that is meant; `None` if there is no Python.

    Raises:
        UsageError: `target` is neither an interpreter nor an environment folder.
    """
    choice = choose(target, cwd, environ)
    found = _look(choice, environ) if choice else None
    if found is not None and (
        found.choice.why not in ("PATH", "py.exe") or torch_folders(found.path)
    ):
        return found
    # `env/bin/gpudoctor` of an environment that is not activated: if the PATH's Python has no
    # torch and that environment has, it is the one that was meant. Without a torch it was made
    # for gpudoctor, and is nobody's patient wherever it stands on the PATH.
    own = own_environment()
    mine = _look(own, environ) if own else None
    if mine is not None and torch_folders(mine.path):
        return mine
    if mine is not None and found is not None and _same(found, mine):
        other = choose(target, cwd, environ, past_own=True)
        return _look(other, environ) if other else None
    return found


def _same(one: Chosen, other: Chosen) -> bool:
    return true_path(one.choice.prefix) == true_path(other.choice.prefix)


def _look(choice: ChosenInterpreter, environ: Mapping[str, str]) -> Chosen:
    layout = read_layout(choice.prefix, choice.executable)
    base = base_of(layout)
    if layout.is_venv and base is None:
        base = Layout(prefix=layout.config.get("home", ""), version=layout.version)
    home = environ.get("HOME") or environ.get("USERPROFILE") or os.path.expanduser("~")
    return Chosen(choice, layout, base, site_path(layout, base, environ, home))

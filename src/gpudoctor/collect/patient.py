"""The patient: the Python environment that is examined, read from its files.

The parts build on each other (interpreter → path → distributions → torch → device code), so they
run one after the other; each is timed, and one that fails leaves its facts unknown and the rest
standing.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeVar

from gpudoctor.collect.architectures import torch_architectures
from gpudoctor.collect.compiler import find_compiler
from gpudoctor.collect.device_code import Xray, candidates, read_device_code
from gpudoctor.collect.distributions import Distribution, read_distributions
from gpudoctor.collect.fix_journal import unfinished
from gpudoctor.collect.fragment import Fragment
from gpudoctor.collect.interpreter import Choice, choose, own_environment
from gpudoctor.collect.layout import Layout, read_layout
from gpudoctor.collect.loader import find_loader_libraries
from gpudoctor.collect.packages import packages
from gpudoctor.collect.python_facts import base_of, read_python
from gpudoctor.collect.requirements import environment_values
from gpudoctor.collect.sitepath import SitePath, site_path
from gpudoctor.collect.sysroot import Sysroot
from gpudoctor.collect.toolkits import find_toolkits
from gpudoctor.collect.torch_static import read_torch, torch_folders
from gpudoctor.collect.variables import read_variables
from gpudoctor.errors import GpuDoctorError
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Library, Python, Torch

T = TypeVar("T")


def collect_patient(
    target: str | None, cwd: str, environ: Mapping[str, str], deadline: float
) -> Fragment:
    """Everything about the environment: `python`, `torch`, `packages`, `libraries` and its tools.

    Args:
        target: what `--python` names; `None`: the active environment, `.venv`, or the PATH's.
        cwd: the folder that the person stands in.
        environ: environment variables, those of the person.
        deadline: on `time.monotonic`; what is not read by then is unknown.

    Raises:
        UsageError: `target` is neither an interpreter nor an environment folder.
    """
    return _Visit(cwd, environ, deadline).run(target)


class _Found(NamedTuple):
    """The chosen interpreter and where it imports from."""

    choice: Choice
    layout: Layout
    base: Layout | None
    path: SitePath

    @property
    def conda(self) -> Layout | None:
        """The conda environment whose interpreter runs, directly or below a venv."""
        return next((each for each in (self.layout, self.base) if each and each.is_conda), None)

    @property
    def has_torch(self) -> bool:
        return bool(torch_folders(self.path))


class _Visit:
    """One reading; gathers facts, unknowns, sources and timings."""

    def __init__(self, cwd: str, environ: Mapping[str, str], deadline: float) -> None:
        self.cwd = cwd
        self.environ = environ
        self.deadline = deadline
        self.root = Sysroot.from_environ(environ)
        self.values: dict[str, object] = {}
        self.unknown: list[Unknown] = []
        self.sources: dict[str, str] = {}
        self.timings: dict[str, float] = {}

    def run(self, target: str | None) -> Fragment:
        """The whole fragment."""
        found = self._timed(
            "patient.python",
            ("python", "torch", "packages", "libraries"),
            lambda: self._find(target),
        )
        if found is not None:
            self._python(found)
            self._environment(found)
        elif "python" not in {entry.fact for entry in self.unknown}:
            self.sources["python"] = "PATH"
        self._machine_side(found)
        return Fragment(self.values, tuple(self.unknown), self.sources, self.timings)

    def _find(self, target: str | None) -> _Found | None:
        choice = choose(target, self.cwd, self.environ)
        found = self._look(choice) if choice else None
        if found is None or (found.choice.why == "PATH" and not found.has_torch):
            # `env/bin/gpudoctor` of an environment that is not activated: if the PATH's Python
            # has no torch and that environment has, it is the one that was meant.
            own = own_environment()
            mine = self._look(own) if own else None
            if mine is not None and (found is None or mine.has_torch):
                return mine
        return found

    def _look(self, choice: Choice) -> _Found:
        layout = read_layout(choice.prefix, choice.executable)
        base = base_of(layout)
        if layout.is_venv and base is None:
            base = Layout(prefix=layout.config.get("home", ""), version=layout.version)
        path = site_path(layout, base, self.environ, self._home())
        return _Found(choice, layout, base, path)

    def _home(self) -> str | None:
        home = self.environ.get("HOME") or self.environ.get("USERPROFILE")
        return home or os.path.expanduser("~")

    def _python(self, found: _Found) -> None:
        choice, layout, path = found.choice, found.layout, found.path

        def read() -> Python:
            python, unknown = read_python(choice, layout, found.base, path, self.cwd, self.environ)
            self._miss("python", unknown, source=layout.prefix)
            return python

        python = self._timed("patient.interpreter", ("python",), read)
        if python is not None:
            self.values["python"] = python
            self.sources["python"] = choice.prefix
            self.values["unfinished_fix"] = unfinished(choice.prefix, self.environ)
            self.sources["unfinished_fix"] = "journals of fixes"
        if layout.library is None and not path.site:
            reason = f"{layout.prefix} holds no standard library that names its site folder"
            self._miss("", dict.fromkeys(("torch", "packages", "libraries"), reason), layout.prefix)

    def _environment(self, found: _Found) -> None:
        layout, path = found.layout, found.path
        facts = ("torch", "packages", "libraries")
        read = self._timed("patient.distributions", facts, lambda: read_distributions(path.folders))
        if read is None:
            return
        distributions, unreadable = read
        for folder, why in unreadable.items():
            self._miss("", dict.fromkeys(facts, f"{folder} cannot be read: {why}"), folder)
        python = self.values.get("python")
        values = environment_values(
            os_name=_os_name(layout),
            machine=_machine(layout),
            version=python.version if isinstance(python, Python) else None,
            implementation="PyPy" if layout.pypy else "CPython",
        )
        folders = torch_folders(path)
        torch = self._timed(
            "patient.torch", ("torch",), lambda: self._torch(folders, distributions, values)
        )
        xray = self._timed(
            "patient.device_code",
            ("libraries",),
            lambda: self._device_code(distributions, torch, found),
        )
        libraries = xray.libraries if xray else ()
        if torch is not None:
            torch = (
                self._timed(
                    "patient.architectures",
                    ("torch.sass", "torch.ptx"),
                    lambda: self._architectures(torch, xray, found),
                )
                or torch
            )
            self.values["torch"] = torch
        self._packages(distributions, values, torch, libraries, layout)

    def _torch(
        self, folders: list[str], distributions: list[Distribution], values: Mapping[str, str]
    ) -> Torch | None:
        torch, unknown = read_torch(folders, distributions, values)
        source = os.path.join(folders[0], "version.py") if folders else "METADATA"
        self._miss("torch", unknown, source)
        self.sources["torch"] = source if torch else "site-packages"
        return torch

    def _device_code(
        self,
        distributions: list[Distribution],
        torch: Torch | None,
        found: _Found,
    ) -> Xray:
        conda = found.conda
        # A venv on conda's Python sees conda's packages only if it includes the system's.
        seen = conda and any(folder.startswith(conda.prefix + os.sep) for folder in found.path.site)
        chosen = candidates(
            distributions,
            torch.path if torch else None,
            conda.prefix if conda and seen else None,
        )
        xray = read_device_code(chosen, self.deadline)
        self.values["libraries"] = xray.libraries
        self.sources["libraries"] = "binary"
        for each in xray.unread:
            fact = f"libraries[{each.candidate.shown}]"
            self.unknown.append(Unknown(fact, each.reason, each.candidate.path))
        return xray

    def _architectures(self, torch: Torch, xray: Xray | None, found: _Found) -> Torch:
        filled, unknown, source = torch_architectures(
            torch,
            xray,
            executable=found.choice.executable if found.choice.may_start else None,
            platform=_platform(found.layout),
            site=found.path.folders,
            environ=self.environ,
            deadline=self.deadline,
        )
        self._miss("torch", unknown, source)
        if source:
            self.sources["torch.sass"] = self.sources["torch.ptx"] = source
        return filled

    def _packages(
        self,
        distributions: list[Distribution],
        values: Mapping[str, str],
        torch: Torch | None,
        libraries: Iterable[Library],
        layout: Layout,
    ) -> None:
        listed = self._timed(
            "patient.packages",
            ("packages",),
            lambda: packages(
                distributions,
                values,
                torch_version=torch.version if torch else None,
                torch_site=os.path.dirname(torch.path) if torch and torch.path else None,
                with_device_code=[lib.distribution for lib in libraries if lib.distribution],
                prefix=layout.prefix if layout.is_conda else None,
            ),
        )
        if listed is not None:
            self.values["packages"] = listed
            self.sources["packages"] = "metadata of the installed distributions"

    def _machine_side(self, found: _Found | None) -> None:
        """What lies around the environment: variables, toolkits, compiler, loader."""
        variables = self._timed(
            "patient.variables", ("environment",), lambda: read_variables(self.environ)
        )
        if variables is not None:
            self.values["environment"] = variables
            self.sources["environment"] = "environment variables"
        python = self.values.get("python")
        site = python.site_packages if isinstance(python, Python) else ()
        toolkits = self._timed(
            "patient.toolkits",
            ("toolkits",),
            lambda: find_toolkits(
                self.environ, self.root, found.layout.prefix if found else None, site
            ),
        )
        if toolkits is not None:
            self.values["toolkits"] = toolkits
            self.sources["toolkits"] = "files of the toolkits"
        missed = len(self.unknown)
        compiler = self._timed(
            "patient.compiler", ("compiler",), lambda: find_compiler(self.environ)
        )
        if missed == len(self.unknown):
            self.values["compiler"] = compiler
            self.sources["compiler"] = "PATH"
        loader = self._timed(
            "patient.loader",
            ("loader",),
            lambda: find_loader_libraries(
                self.environ,
                self.root,
                windows=bool(found and found.layout.windows),
                conda=found.conda.prefix if found and found.conda else None,
            ),
        )
        if loader is not None:
            self.values["loader"] = loader[0]
            self.sources["loader"] = "LD_LIBRARY_PATH and /etc/ld.so.cache"
            if loader[1]:
                self.unknown.append(Unknown("loader", loader[1], "/etc/ld.so.cache"))

    def _timed(self, name: str, facts: Iterable[str], part: Callable[[], T]) -> T | None:
        """Run one part; if it fails, its facts are unknown and `None` is returned."""
        started = time.perf_counter()
        try:
            return part()
        except GpuDoctorError:
            raise
        except Exception as error:  # one part that fails must not end the visit
            what = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            for fact in facts:
                self.unknown.append(Unknown(fact, f"it could not be read ({what})", name))
            return None
        finally:
            self.timings[name] = (time.perf_counter() - started) * 1e3

    def _miss(self, parent: str, reasons: Mapping[str, str], source: str) -> None:
        known = {entry.fact for entry in self.unknown}
        for field, reason in reasons.items():
            fact = f"{parent}.{field}" if parent else field
            if fact not in known:
                self.unknown.append(Unknown(fact, reason, source))


def _platform(layout: Layout) -> str:
    """`linux_x86_64`, `win_amd64`, `macos_arm64`, as the knowledge base names platforms."""
    short = {"windows": "win", "linux": "linux", "macos": "macos"}[_os_name(layout)]
    machine = _machine(layout).lower()
    return f"{short}_{machine}"


def _os_name(layout: Layout) -> str:
    if layout.windows:
        return "windows"
    return "macos" if sys.platform == "darwin" else "linux"


def _machine(layout: Layout) -> str:
    """As `platform.machine` prints it, which costs a process on some systems and is not asked."""
    if os.name == "nt":
        return os.environ.get("PROCESSOR_ARCHITECTURE", "AMD64")
    return "AMD64" if layout.windows else os.uname().machine

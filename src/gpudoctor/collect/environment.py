"""The patient: the Python environment that is examined, read from its files.

The parts build on each other (interpreter → path → distributions → torch → device code), so they
run one after the other; each is timed, and one that fails leaves its facts unknown and the rest
standing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from gpudoctor.collect.fragment import Fragment
from gpudoctor.collect.packages.architectures import torch_architectures
from gpudoctor.collect.packages.device_code import Xray, candidates, read_device_code
from gpudoctor.collect.packages.distributions import Distribution, read_distributions
from gpudoctor.collect.packages.matching import packages
from gpudoctor.collect.packages.metadata_requirements import environment_values
from gpudoctor.collect.packages.torch_static import read_torch, torch_folders
from gpudoctor.collect.python.chosen import Chosen, find
from gpudoctor.collect.python.fix_journal import unfinished
from gpudoctor.collect.python.python_facts import read_python
from gpudoctor.collect.recorder import Notebook
from gpudoctor.collect.system.surroundings import read_surroundings
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Package, Python, Torch

_CONTENTS = ("torch", "packages", "libraries")


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
    book = Notebook()
    chosen = book.timed(
        "patient.python", ("python", *_CONTENTS), lambda: find(target, cwd, environ)
    )
    if chosen is not None:
        python = _python(book, chosen, cwd, environ)
        _contents(book, chosen, python.version if python else None, environ, deadline)
    elif not book.is_missed("python"):
        book.sources["python"] = "PATH"
    read_surroundings(book, chosen, environ)
    return book.fragment()


def _python(book: Notebook, chosen: Chosen, cwd: str, environ: Mapping[str, str]) -> Python | None:
    """The interpreter, and whether a fix of its environment was interrupted."""
    choice, layout, path = chosen.choice, chosen.layout, chosen.path

    def read() -> Python:
        python, unknown = read_python(choice, layout, chosen.base, path, cwd, environ)
        book.miss("python", unknown, layout.prefix)
        return python

    python = book.timed("patient.interpreter", ("python",), read)
    if python is not None:
        book.put("python", python, choice.prefix)
    journal = book.timed(
        "patient.fix_journal", ("unfinished_fix",), lambda: unfinished(choice.prefix, environ)
    )
    if journal is not None and journal.damage:
        reason = f"the journal of an earlier fix is damaged: {journal.damage}"
        book.unknown.append(Unknown("unfinished_fix", reason, journal.folder, "damaged"))
    elif not book.is_missed("unfinished_fix"):
        book.put("unfinished_fix", journal.folder if journal else None, "journals of fixes")
    return python


def _contents(
    book: Notebook,
    chosen: Chosen,
    version: str | None,
    environ: Mapping[str, str],
    deadline: float,
) -> None:
    """What is installed: distributions, torch, libraries with device code."""
    layout, path = chosen.layout, chosen.path
    if layout.library is None and not path.site:
        reason = f"{layout.prefix} holds no standard library that names its site folder"
        book.miss("", dict.fromkeys(_CONTENTS, reason), layout.prefix)
    read = book.timed("patient.distributions", _CONTENTS, lambda: read_distributions(path.folders))
    if read is None:
        return
    distributions, unreadable = read
    for folder in path.site:
        if folder in unreadable:
            reason = f"{folder} cannot be read: {unreadable[folder]}"
            book.miss("", dict.fromkeys(_CONTENTS, reason), folder)
    markers = environment_values(
        os_name=chosen.os_name,
        machine=chosen.machine,
        version=version,
        implementation="PyPy" if layout.pypy else "CPython",
    )
    torch = book.timed(
        "patient.torch", ("torch",), lambda: _torch(book, chosen, distributions, markers)
    )
    xray = book.timed(
        "patient.device_code",
        ("libraries",),
        lambda: _device_code(book, chosen, distributions, torch, deadline),
    )
    if torch is not None:
        book.values["torch"] = torch
        filled = book.timed(
            "patient.architectures",
            ("torch.sass", "torch.ptx"),
            lambda: _architectures(book, chosen, torch, xray, environ, deadline),
        )
        book.values["torch"] = filled or torch
    listed = book.timed(
        "patient.packages",
        ("packages",),
        lambda: _packages(chosen, distributions, markers, torch, xray),
    )
    if listed is not None:
        book.put("packages", listed, "metadata of the installed distributions")


def _torch(
    book: Notebook,
    chosen: Chosen,
    distributions: list[Distribution],
    markers: Mapping[str, str],
) -> Torch | None:
    folders = torch_folders(chosen.path)
    torch, unknown = read_torch(folders, distributions, markers)
    source = os.path.join(folders[0], "version.py") if folders else "METADATA"
    book.miss("torch", unknown, source)
    book.sources["torch"] = source if torch else "site-packages"
    return torch


def _device_code(
    book: Notebook,
    chosen: Chosen,
    distributions: list[Distribution],
    torch: Torch | None,
    deadline: float,
) -> Xray:
    conda = chosen.conda
    # A venv on conda's Python sees conda's packages only if it includes the system's.
    seen = conda and any(folder.startswith(conda.prefix + os.sep) for folder in chosen.path.site)
    found = candidates(
        distributions, torch.path if torch else None, conda.prefix if conda and seen else None
    )
    xray = read_device_code(found, deadline)
    book.put("libraries", xray.libraries, "binary")
    for each in xray.unread:
        fact = f"libraries[{each.candidate.shown}]"
        book.miss("", {fact: each.reason}, each.candidate.path)
    return xray


def _architectures(
    book: Notebook,
    chosen: Chosen,
    torch: Torch,
    xray: Xray | None,
    environ: Mapping[str, str],
    deadline: float,
) -> Torch:
    filled, unknown, source = torch_architectures(
        torch,
        xray,
        executable=chosen.choice.executable if chosen.choice.may_start else None,
        platform=chosen.platform,
        site=chosen.path.folders,
        environ=environ,
        deadline=deadline,
    )
    book.miss("torch", unknown, source)
    if source:
        book.sources["torch.sass"] = book.sources["torch.ptx"] = source
    return filled


def _packages(
    chosen: Chosen,
    distributions: list[Distribution],
    markers: Mapping[str, str],
    torch: Torch | None,
    xray: Xray | None,
) -> tuple[Package, ...]:
    libraries = xray.libraries if xray else ()
    return packages(
        distributions,
        markers,
        torch_version=torch.version if torch else None,
        torch_site=os.path.dirname(torch.path) if torch and torch.path else None,
        with_device_code=[lib.distribution for lib in libraries if lib.distribution],
        prefix=chosen.layout.prefix if chosen.layout.is_conda else None,
    )

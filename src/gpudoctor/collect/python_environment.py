"""The patient: the Python environment that is examined, read from its files.

The parts build on each other (interpreter → path → distributions → torch → device code), so they
run one after the other; each is timed, and one that fails leaves its facts unknown and the rest
standing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from gpudoctor.collect.packages.architectures import torch_architectures
from gpudoctor.collect.packages.device_code import Xray, candidates, read_device_code
from gpudoctor.collect.packages.distributions import Distribution, read_distributions
from gpudoctor.collect.packages.matching import packages
from gpudoctor.collect.packages.torch_static import read_torch
from gpudoctor.collect.python.chosen import Chosen, find
from gpudoctor.collect.python.fix_journal import unfinished
from gpudoctor.collect.python.python_facts import read_python
from gpudoctor.collect.python.torch_folders import torch_folders
from gpudoctor.collect.reason import Reason
from gpudoctor.collect.recorder import Recorder
from gpudoctor.collect.surroundings import read_surroundings
from gpudoctor.model.facts import Package, Python, Torch
from gpudoctor.model.requirements.marker import environment_values
from gpudoctor.model.value import replace

_CONTENTS = ("torch", "packages", "libraries")


def collect_patient(
    target: str | None,
    cwd: str,
    environ: Mapping[str, str],
    deadline: float,
    *,
    merely_found: bool = False,
) -> Recorder:
    """Everything about the environment: `python`, `torch`, `packages`, `libraries` and its tools.

    Args:
        target: what `--python` names; `None`: the active environment, `.venv`, or the PATH's.
        cwd: the folder that the person stands in.
        environ: environment variables, those of the person.
        deadline: on `time.monotonic`; what is not read by then is unknown.
        merely_found: nobody named `target`: it is read, and its interpreter never started.

    Raises:
        UsageError: `target` is neither an interpreter nor an environment folder.
    """
    recorder = Recorder()
    chosen = recorder.part(
        "patient.python", ("python", *_CONTENTS), lambda: find(target, cwd, environ)
    )
    if chosen is not None and merely_found:
        chosen = replace(chosen, choice=replace(chosen.choice, why="search"))
    if chosen is not None:
        python = _python(recorder, chosen, cwd, environ)
        _contents(recorder, chosen, python.version if python else None, environ, deadline)
    elif "python" not in recorder.unknown:
        recorder.sources["python"] = "PATH"
    read_surroundings(recorder, chosen, environ)
    return recorder


def _python(
    recorder: Recorder, chosen: Chosen, cwd: str, environ: Mapping[str, str]
) -> Python | None:
    """The interpreter, and whether a fix of its environment was interrupted."""
    choice, layout, path = chosen.choice, chosen.layout, chosen.path

    def read() -> Python:
        python, unknown = read_python(choice, layout, chosen.base, path, cwd, environ)
        recorder.miss("python", unknown, layout.prefix)
        return python

    python = recorder.part("patient.interpreter", ("python",), read)
    if python is not None:
        recorder.put("python", python, choice.prefix)
    journal = recorder.part(
        "patient.fix_journal", ("unfinished_fix",), lambda: unfinished(choice.prefix, environ)
    )
    if journal is not None and journal.damage:
        reason = Reason("damaged", f"the journal of an earlier fix is damaged: {journal.damage}")
        recorder.miss("", {"unfinished_fix": reason}, journal.folder)
    elif "unfinished_fix" not in recorder.unknown:
        recorder.put("unfinished_fix", journal.folder if journal else None, "journals of fixes")
    return python


def _contents(
    recorder: Recorder,
    chosen: Chosen,
    version: str | None,
    environ: Mapping[str, str],
    deadline: float,
) -> None:
    """What is installed: distributions, torch, libraries with device code."""
    layout, path = chosen.layout, chosen.path
    if layout.library is None and not path.site:
        reason = Reason(
            "not-stated", f"{layout.prefix} holds no standard library that names its site folder"
        )
        recorder.miss("", dict.fromkeys(_CONTENTS, reason), layout.prefix)
    read = recorder.part(
        "patient.distributions", _CONTENTS, lambda: read_distributions(path.folders)
    )
    if read is None:
        return
    distributions, unreadable = read
    for folder in path.site:
        if folder in unreadable:
            recorder.miss("", dict.fromkeys(_CONTENTS, unreadable[folder]), folder)
    markers = environment_values(
        os_name=chosen.os_name,
        machine=chosen.machine,
        version=version,
        implementation="PyPy" if layout.pypy else "CPython",
    )
    torch = recorder.part(
        "patient.torch", ("torch",), lambda: _torch(recorder, chosen, distributions, markers)
    )
    xray = recorder.part(
        "patient.device_code",
        ("libraries",),
        lambda: _device_code(recorder, chosen, distributions, torch, deadline),
    )
    if torch is not None:
        recorder.values["torch"] = torch
        filled = recorder.part(
            "patient.architectures",
            ("torch.sass", "torch.ptx"),
            lambda: _architectures(recorder, chosen, torch, xray, environ, deadline),
        )
        recorder.values["torch"] = filled or torch
    listed = recorder.part(
        "patient.packages",
        ("packages",),
        lambda: _packages(chosen, distributions, markers, torch, xray),
    )
    if listed is not None:
        recorder.put("packages", listed, "metadata of the installed distributions")


def _torch(
    recorder: Recorder,
    chosen: Chosen,
    distributions: list[Distribution],
    markers: Mapping[str, str],
) -> Torch | None:
    folders = torch_folders(chosen.path)
    torch, unknown = read_torch(folders, distributions, markers)
    source = os.path.join(folders[0], "version.py") if folders else "METADATA"
    recorder.miss("torch", unknown, source)
    recorder.sources["torch"] = source if torch else "site-packages"
    return torch


def _device_code(
    recorder: Recorder,
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
    recorder.put("libraries", xray.libraries, "binary")
    for each in xray.unread:
        fact = f"libraries[{each.candidate.shown}]"
        recorder.miss("", {fact: each.reason}, each.candidate.path)
    return xray


def _architectures(
    recorder: Recorder,
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
    recorder.miss("torch", unknown, source)
    if source:
        recorder.sources["torch.sass"] = recorder.sources["torch.ptx"] = source
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

"""A plan for a machine that is not at hand: what was stated becomes the facts."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.compat.builds import arm_only, native
from gpudoctor.compat.driver import common_branches
from gpudoctor.errors import UsageError
from gpudoctor.kb.software import cuda as kb_cuda
from gpudoctor.kb.software import torch_releases
from gpudoctor.model.fact import Unknown
from gpudoctor.model.factfile import not_mentioned
from gpudoctor.model.facts import Driver, Facts, Gpu, Host, Python
from gpudoctor.model.finding import Finding
from gpudoctor.model.prescription import Alternative, Prescription
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.sentence import said
from gpudoctor.model.terms.version import numbers
from gpudoctor.model.value import replace
from gpudoctor.prescribe.answer import prescribe
from gpudoctor.prescribe.build.solver import explain
from gpudoctor.prescribe.driver.branches import first_branch
from gpudoctor.prescribe.request.gpu_names import gpu_of
from gpudoctor.prescribe.request.request import Options, PlanRequest, specifier_of
from gpudoctor.prescribe.request.target import Pin, target_of
from gpudoctor.rules.engine.wording import finding

SYSTEMS = ("linux", "windows", "wsl", "macos")
ARCHITECTURES = ("x86_64", "amd64", "aarch64", "arm64")
_PYTHON = re.compile(r"(\d+\.\d+)(\.\d+)?(t?)\Z", re.ASCII)
_DRIVER = re.compile(r"\d{3}(\.\d+){0,3}\Z", re.ASCII)
_NOT_STATED = "the request does not state it"
_OPTIONS = {"driver": "--driver", "gpus": "--gpu", "python": "--python", "host.os": "--os"}
"""What states a fact on the command line."""


def sheet_of(request: PlanRequest) -> FactSheet:
    """The facts that a request states; everything else is unknown.

    Raises:
        UsageError: a value that is not one of the choices, or a GPU that nobody knows.
    """
    if request.os is not None and request.os not in SYSTEMS:
        raise UsageError(f"--os takes {', '.join(SYSTEMS)}, not {request.os!r}")
    if request.arch is not None and request.arch.lower() not in ARCHITECTURES:
        raise UsageError(f"--arch takes x86_64, aarch64 or arm64, not {request.arch!r}")
    if request.driver is not None and not _DRIVER.match(request.driver.strip()):
        raise UsageError(
            f"--driver takes a driver version such as 570.172.08, not {request.driver!r}"
        )
    gpus = tuple(gpu_of(text, index) for index, text in enumerate(request.gpus))
    python = _python(request.python)
    driver = _driver(request.driver)
    facts = Facts(host=_host(request, gpus), gpus=gpus, driver=driver, python=python)
    said = None if driver is None else "version cuda" if driver.cuda else "version"
    unknown = _unknown(len(gpus), said, python=python is not None)
    return FactSheet(facts, unknown, {"": "request"})


def _driver(text: str | None) -> Driver | None:
    """The driver; a bare branch (`580`) is that branch's newest, told by the CUDA it serves."""
    if text is None:
        return None
    version = text.strip()
    branch = kb_cuda.branch_of(numbers(version)[0]) if "." not in version else None
    return Driver(version=version, cuda=kb_cuda.cuda_of_branch(branch) if branch else None)


def _host(request: PlanRequest, gpus: tuple[Gpu, ...]) -> Host:
    name = request.os or ("macos" if gpus and gpus[0].vendor == "apple" else "linux")
    arch = request.arch.lower() if request.arch else None
    if arch is None:
        apple = any(gpu.vendor == "apple" for gpu in gpus)
        arm = any(arm_only(gpu.compute_capability or "") for gpu in gpus) or apple
        # A Mac with a GPU of Intel, AMD or NVIDIA has a processor of Intel.
        arm = arm or (name == "macos" and all(gpu.vendor == "apple" for gpu in gpus))
        arch = "aarch64" if arm else "x86_64"
    arm = arch in ("aarch64", "arm64")
    arch = ("aarch64" if name in ("linux", "wsl") else "arm64") if arm else "x86_64"
    return Host(
        os="windows" if name == "windows" else "macos" if name == "macos" else "linux",
        arch=arch,
        wsl=name == "wsl",
        wsl_version=2 if name == "wsl" else None,
    )


def _python(text: str | None) -> Python | None:
    if text is None:
        return None
    match = _PYTHON.match(text.strip())
    if match is None:
        raise UsageError(f"--python takes a version such as 3.12 or 3.13t, not {text!r}")
    version = match[1] + (match[2] or "")
    return Python(
        version=version, tag="cp" + match[1].replace(".", "") + match[3], implementation="cpython"
    )


@lru_cache(maxsize=256)
def _unknown(gpus: int, driver: str | None, *, python: bool) -> tuple[Unknown, ...]:
    """Everything that a request does not state.

    `driver`: `None` where none is stated, else what it states of it.
    """
    host = dict.fromkeys(("os", "arch", "wsl", "wsl_version"))
    gpu = dict.fromkeys(
        ("index", "cuda_index", "name", "vendor", "compute_capability", "sm", "gfx", "visible")
    )
    stated: dict[str, Any] = {"host": host, "gpus": [gpu] * gpus}
    stated |= {"torch": None, "packages": [], "libraries": []}  # nothing is installed yet
    if driver is not None:
        stated["driver"] = dict.fromkeys(driver.split())
    if python:
        stated["python"] = dict.fromkeys(("version", "tag", "implementation"))
    return tuple(
        Unknown(path, _why_not_stated(path), "request", "not-stated")
        for path in not_mentioned(Facts, stated)
    )


def _why_not_stated(path: str) -> str:
    option = _OPTIONS.get(path)
    return _NOT_STATED if option is None else f"{_NOT_STATED}; name it with {option}"


@lru_cache(maxsize=1024)
def plan(request: PlanRequest) -> tuple[FactSheet, Prescription]:
    """What to install on the machine that a request describes.

    Raises:
        UsageError: the request is wrong, or names a GPU that nobody knows.
    """
    sheet = sheet_of(request)
    options = replace(options_of(request), choose=True)
    prescription = prescribe(sheet, (), options)
    return sheet, _with_driver_note(prescription, request)


def stated_over(sheet: FactSheet, request: PlanRequest) -> FactSheet:
    """A saved machine with what the request says besides: its GPUs, driver, system, Python."""
    asked = sheet_of(request)
    changed: dict[str, Any] = {}
    if request.gpus:
        changed["gpus"] = asked.facts.gpus
    if request.driver is not None:
        changed["driver"] = asked.facts.driver
    if request.os is not None or request.arch is not None or sheet.facts.host is None:
        changed["host"] = asked.facts.host
    if request.python is not None:
        changed["python"] = asked.facts.python
    roots = tuple(changed)
    kept = [entry for entry in sheet.unknown if not entry.fact.startswith(roots)] if roots else (
        list(sheet.unknown)
    )  # fmt: skip
    new = [entry for entry in asked.unknown if roots and entry.fact.startswith(roots)]
    return FactSheet(replace(sheet.facts, **changed), (*kept, *new), sheet.sources)


def options_of(request: PlanRequest) -> Options:
    """How a request wants its prescription."""
    return Options(
        tool=request.tool,
        torch_spec=request.torch,
        channel=request.channel,
        index_url=request.index_url,
        from_source=request.from_source,
        fixed_python=request.python is not None,
    )


def _with_driver_note(prescription: Prescription, request: PlanRequest) -> Prescription:
    """The prescription with the driver that it needs said, where none was stated."""
    cuda = torch_releases.cuda_of_variant(prescription.variant or "")
    if request.driver is not None or cuda is None or prescription.torch is None:
        return prescription
    system = {"windows": "windows", "wsl": "wsl"}.get(request.os or "", "linux")
    floor = kb_cuda.floor(numbers(cuda)[0], system)
    if floor is None:
        return prescription
    gpus = _kept(prescription, sheet_of(request))
    known_from, _ = first_branch(gpus)
    older = _for_older_driver(request, cuda, floor)
    if known_from > numbers(floor)[0]:
        floor, older = str(known_from), ()  # the driver has to know the GPU first
    last = common_branches(tuple(map(str, gpus)))
    upto = (
        f" or newer, and of branch {last[1]} at the latest"
        if last is not None and last[1]
        else " or newer"
    )
    text = f"It needs NVIDIA driver {floor}{upto}."
    note = said("needs-driver", text, driver=floor, last=last[1] if last else None)
    return replace(
        prescription,
        notes=(*prescription.notes, note),
        alternatives=prescription.alternatives + older,
    )


def _kept(prescription: Prescription, sheet: FactSheet) -> tuple[ComputeCapability, ...]:
    """The GPUs that a plan is for: those that its build has code for, where others are masked."""
    gpus = target_of(sheet).gpus
    build = torch_releases.build(
        prescription.torch or "", prescription.variant or "", target_of(sheet).platform or ""
    )
    if build is None or not any(step.kind == "mask-gpus" for step in prescription.steps):
        return gpus
    return tuple(gpu for gpu in gpus if native(build.sass, gpu))


def _for_older_driver(request: PlanRequest, cuda: str, floor: str) -> tuple[Alternative, ...]:
    """What to install where the driver is older than the plan needs."""
    major = numbers(cuda)[0] - 1
    system = {"windows": "windows", "wsl": "wsl"}.get(request.os or "", "linux")
    lower = kb_cuda.floor(major, system)
    if lower is None:
        return ()
    known_from, _ = first_branch(target_of(sheet_of(request)).gpus, ())
    if known_from > numbers(lower)[0]:
        lower = str(known_from)
    _, found = plan(replace(request, driver=lower))
    variant = torch_releases.cuda_of_variant(found.variant or "")
    if found.status != "resolved" or variant is None or numbers(variant)[0] != major:
        return ()
    if any(step.kind in ("driver", "mask-gpus") for step in found.steps):
        return ()
    return (
        Alternative(
            why=said(
                "for-older-driver",
                f"With a driver from {lower} on and below {floor}: "
                f"torch {found.torch}+{found.variant}.",
                driver=lower,
            ),
            steps=found.steps,
            torch=found.torch,
            variant=found.variant,
            index_url=found.index_url,
            packages=found.packages,
            risk="low",
        ),
    )


def nothing_fits(prescription: Prescription) -> Finding:
    """The finding that no plan is possible, for the report."""
    return finding("nonexistent-wheel", prescription.why.rstrip("."), clears_with=("manual",))


def considered(sheet: FactSheet, torch: str | None = None) -> dict[str, tuple[str, ...]]:
    """Every build for the platform, newest first, with what speaks against it as sentences.

    `torch`: what `--torch` demands.
    """
    pins = (Pin(specifier=specifier_of(torch), why="--torch"),) if torch else ()
    target = target_of(sheet, pins)
    kind = "cuda" if target.gpus else "rocm" if target.gfx else "xpu" if target.intel else "cpu"
    found = explain(target, kind)
    return {label: tuple(reason.text for reason in found[label]) for label in reversed(list(found))}

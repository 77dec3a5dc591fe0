"""What is said about installing a build: why, what to know beside it, on what evidence."""

from __future__ import annotations

from functools import lru_cache

from gpudoctor.compat.architecture import Architecture, ComputeCapability, runs_natively
from gpudoctor.kb import info as kb_info
from gpudoctor.kb.software import packages as kb_packages
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.prescription import Claim
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.version import numbers, public_version
from gpudoctor.model.value import replace
from gpudoctor.prescribe.build.candidates import (
    driver_serves_in_full,
)
from gpudoctor.prescribe.build.companion_changes import Along, Broken
from gpudoctor.prescribe.build.solver import ended, feasible
from gpudoctor.prescribe.build.standing import standing
from gpudoctor.prescribe.commands.install_commands import Place
from gpudoctor.prescribe.request.target import Target

_SURE = {
    "pypi": "the file is on PyPI",
    "head-checked": "the index answered for the file",
    "lockfile-seen": "the file stands in public lock files",
    "user-seen": "users report having installed it",
    "documented": "PyTorch lists it for that release",
}


def why(sheet: FactSheet, build: Build, target: Target) -> str:
    """What decided for a build, as one sentence; `target`: what it was chosen for."""
    label = f"torch {build.torch}+{build.variant}"
    if build.nightly:
        label = f"The nightly of torch for {build.variant}"
    if build.platform == "macos_arm64":
        return f"torch {build.torch} runs on Apple's GPU (MPS), and there is no CUDA for macOS."
    if build.kind == "cpu":
        return f"{label} runs on the processor."
    if build.kind in ("rocm", "xpu"):
        gpus = ", ".join(target.gfx) or "this Intel GPU"
        return f"{label} serves {gpus}."
    native = [gpu.sm for gpu in target.gpus if _is_native(build, gpu)]
    compiled = [gpu.sm for gpu in target.gpus if not _is_native(build, gpu)]
    has = [f"code for {', '.join(native)}"] if native else []
    if compiled:
        has.append(f"PTX that the driver compiles for {', '.join(compiled)} at first use")
    planned = sheet.facts.driver is not None and sheet.facts.driver.source == "prediction"
    driver = f" and runs on driver {target.driver}" if target.driver and not planned else ""
    installed = sheet.facts.torch
    version = (installed.version or "") if installed is not None else ""
    same = public_version(version) == build.torch
    exact = version == f"{build.torch}+{build.variant}"
    change = "; it is the installed release in another variant" if same and not exact else ""
    newest = "" if same or build.nightly else standing(build, target).text
    return f"{label} has {' and '.join(has)}{driver}{change}{newest}."


def _is_native(build: Build, gpu: ComputeCapability) -> bool:
    return _runs(build.sass, gpu)


@lru_cache(maxsize=1024)
def _runs(sass: tuple[str, ...], gpu: ComputeCapability) -> bool:
    return any(runs_natively(Architecture.parse(name), gpu) for name in sass)


def notes(
    build: Build | None, beside: Along, place: Place, target: Target | None = None
) -> tuple[str, ...]:
    """What the reader should know beside it; `target`: what the build was chosen for."""
    notes = []
    if build is not None and not build.nightly and (line := _ended_here(build, target)):
        notes.append(
            f"The wheels with {build.variant} have ended: torch {line[0]} is the last release that "
            f"has them for this platform, and the newest release is {line[1]}."
        )
    if build is not None and build.off_matrix:
        notes.append(
            f"{build.variant} is outside the official matrix of torch {build.torch}; the file is "
            f"there, as far as is known ({_SURE.get(build.published, build.published)})."
        )
    for entry in beside.broken:
        name = f"{entry.package.name} {entry.package.version or ''}".strip()
        notes.append(f"{name} {_breaks(entry)}; {_after(entry)}.")
    notes += [
        f"{name} has no wheel for this Python and is taken away: the one that is there belongs to "
        "another torch."
        for name in beside.missing
    ]
    notes += [f"{kept}, so it stays." for kept in beside.kept_libraries]
    if place.why and place.tool != "pip":
        notes.append(f"{place.tool} is used, because {place.why}.")
    return tuple(notes)


def _ended_here(build: Build, target: Target | None) -> tuple[str, str] | None:
    """The last release of the build's variant and the newest of all.

    Nothing where that last release does not run there: its number would help nobody.
    """
    line = ended(build)
    if line is None or target is None or line[0] == build.torch:
        return line
    free = replace(target, python=None, pins=())
    here = {(o.build.torch, o.build.variant) for o in feasible(free, build.kind)}
    return line if (line[0], build.variant) in here else None


def _breaks(entry: Broken) -> str:
    if entry.excluded is not None:
        return f"demands torch{entry.excluded} and breaks with this one"
    if entry.foreign:
        return "was built for another torch and breaks with this one"
    return "does not run on these GPUs as it is"


def _after(entry: Broken) -> str:
    if entry.fitting:
        return f"{entry.fitting} fits"
    if entry.excluded is None and kb_packages.has_source(entry.package.name, entry.package.version):
        return "it has to be rebuilt"
    return "no release that fits is known"


def claims(build: Build, target: Target) -> tuple[Claim, ...]:
    """What the choice rests on, with sources."""
    date = kb_info.date()
    claims = [
        Claim(
            claim=f"torch {build.torch}+{build.variant} exists for {build.platform}: "
            f"{_SURE.get(build.published, build.published)}",
            source="; ".join(build.evidence) or "knowledge base",
            date=date,
        )
    ]
    if build.sass:
        claims.append(
            Claim(
                claim=f"it has code for {', '.join(build.sass)} (known from: {build.confidence})",
                source="; ".join(build.evidence) or "knowledge base",
                date=date,
            )
        )
    if build.cuda and target.driver and driver_serves_in_full(numbers(build.cuda), target) is False:
        claims.append(
            Claim(
                claim=f"driver {target.driver} runs CUDA {build.cuda} by minor version",
                source="https://docs.nvidia.com/deploy/cuda-compatibility/",
                date=date,
            )
        )
    if build.note:
        claims.append(Claim(claim=build.note.rstrip("."), source="knowledge base", date=date))
    return tuple(claims)


def size(build: Build, *, alone: bool = False) -> str:
    """The size of the download where it is known, as text; else nothing.

    Args:
        build: what is installed.
        alone: whether torch comes without what it requires.
    """
    if build.wheel_bytes is None or build.download_bytes is None:
        return ""
    if build.requires_bytes is not None and not alone:
        return f"a download of {build.download_bytes / 1e9:.1f} GB at most, with what it requires"
    more = (
        ", and the CUDA libraries that it requires come on top"
        if build.kind == "cuda" and build.platform.startswith("linux") and not alone
        else ""
    )
    return f"a download of {build.wheel_bytes / 1e9:.1f} GB for torch itself{more}"

"""What is said about installing a build: why, what to know beside it, on what evidence."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from gpudoctor.compat.architecture import Architecture, ComputeCapability, runs_natively
from gpudoctor.kb import info as kb_info
from gpudoctor.kb.hardware.apple_gpus import mps_floor, mps_serves
from gpudoctor.kb.software import packages as kb_packages
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.prescription import Claim
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.sentence import Sentence, said, together
from gpudoctor.model.terms.version import numbers, public_version
from gpudoctor.model.value import replace
from gpudoctor.prescribe.build.candidates import (
    driver_serves_in_full,
)
from gpudoctor.prescribe.build.companion_changes import Along, Broken
from gpudoctor.prescribe.build.extension_steps import served_by
from gpudoctor.prescribe.build.feasible import feasible
from gpudoctor.prescribe.build.solver import ended
from gpudoctor.prescribe.build.standing import standing
from gpudoctor.prescribe.commands.install_commands import ChangedEnvironment
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
        text = f"torch {build.torch} runs on Apple's GPU (MPS), and there is no CUDA for macOS."
        if not mps_serves(build.torch, target.macos):
            text = (
                f"torch {build.torch} runs on the processor: its kernels for Apple's GPU (MPS) "
                f"need macOS {mps_floor(build.torch)}, and this is {target.macos}."
            )
        return said("on-apple", text, torch=build.torch, macos=target.macos)
    if build.kind == "cpu":
        return said("on-processor", f"{label} runs on the processor.")
    if build.kind in ("rocm", "xpu"):
        gpus = ", ".join(target.gfx) or "this Intel GPU"
        return said("serves-vendor", f"{label} serves {gpus}.", torch=build.torch)
    native = [gpu.sm for gpu in target.gpus if _is_native(build, gpu)]
    compiled = [gpu.sm for gpu in target.gpus if not _is_native(build, gpu)]
    named = {"torch": build.torch, "variant": build.variant, "platform": build.platform}
    has: list[str] = []
    if native:
        has.append(said("has-code", f"code for {', '.join(native)}", gpus=native, **named))
    if compiled:
        text = f"PTX that the driver compiles for {', '.join(compiled)} at first use"
        has += [" and "] * bool(has) + [said("has-ptx", text, gpus=compiled, **named)]
    return together(f"{label} has ", *has, *_besides(sheet, build, target), ".")


def _besides(sheet: FactSheet, build: Build, target: Target) -> Iterator[str]:
    """What speaks for a build beside its code: the driver, what is installed, how new it is."""
    planned = sheet.facts.driver is not None and sheet.facts.driver.source == "prediction"
    if target.driver and not planned:
        text = f" and runs on driver {target.driver}"
        yield said("runs-on-driver", text, cuda=build.cuda, driver=target.driver)
    installed = sheet.facts.torch
    version = (installed.version or "") if installed is not None else ""
    same = public_version(version) == build.torch
    if same and version != f"{build.torch}+{build.variant}":
        text = "; it is the installed release in another variant"
        yield said("same-release", text, torch=build.torch, variant=build.variant)
    if not same and not build.nightly:
        yield standing(build, target).of(build)


def _is_native(build: Build, gpu: ComputeCapability) -> bool:
    return _runs(build.sass, gpu)


@lru_cache(maxsize=1024)
def _runs(sass: tuple[str, ...], gpu: ComputeCapability) -> bool:
    return any(runs_natively(Architecture.parse(name), gpu) for name in sass)


def notes(
    build: Build | None,
    beside: Along,
    place: ChangedEnvironment,
    target: Target | None = None,
    gpus: tuple[ComputeCapability, ...] = (),
) -> tuple[str, ...]:
    """What the reader should know beside it; `target`, `gpus`: what the build was chosen for."""
    notes: list[str] = []
    if build is not None and not build.nightly and (line := _ended_here(build, target)):
        text = (
            f"The wheels with {build.variant} have ended: torch {line[0]} is the last release that "
            f"has them for this platform, and the newest release is {line[1]}."
        )
        notes.append(said("line-ended", text, variant=build.variant, last=line[0], newest=line[1]))
    if build is not None and build.off_matrix:
        text = (
            f"{build.variant} is outside the official matrix of torch {build.torch}; the file is "
            f"there, as far as is known ({_SURE.get(build.published, build.published)})."
        )
        notes.append(said("off-matrix", text, torch=build.torch, variant=build.variant))
    for entry in beside.broken:
        name = f"{entry.package.name} {entry.package.version or ''}".strip()
        notes.append(together(f"{name} ", _breaks(entry), "; ", _after(entry, gpus), "."))
    for name in beside.missing:
        text = (
            f"{name} has no wheel for this Python and is taken away: the one that is there belongs "
            "to another torch."
        )
        notes.append(said("no-wheel-for-python", text, package=name))
    notes += [said("library-stays", f"{kept}, so it stays.") for kept in beside.kept_libraries]
    if place.why and place.tool not in ("pip", "conda"):
        text = f"{place.tool} is used, because {place.why}."
        notes.append(said("tool-owns", text, tool=place.tool))
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


def _breaks(entry: Broken) -> Sentence:
    package = entry.package
    if entry.excluded is not None:
        text = f"demands torch{entry.excluded} and breaks with this one"
        return said("demands-other-torch", text, package=package, demand=entry.excluded)
    if entry.foreign:
        text = "was built for another torch and breaks with this one"
        return said("built-for-other-torch", text, package=package)
    return said(
        "does-not-run", "does not work with this torch and these GPUs as it is", package=package
    )


def _after(entry: Broken, gpus: tuple[ComputeCapability, ...]) -> Sentence:
    package = entry.package
    if gpus and not served_by(package, gpus):
        text = f"no build of it runs on {', '.join(gpu.sm for gpu in gpus)}"
        return said("serves-none-of-these", text, package=package)
    if entry.fitting:
        return said("fits", f"{entry.fitting} fits", package=package, release=entry.fitting)
    if entry.excluded is None and kb_packages.has_source(package.name, package.version):
        return said("to-be-rebuilt", "it has to be rebuilt", package=package)
    return said("none-fits", "no release that fits is known", package=package)


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

"""One build installed: its steps, what it leads to, and what the reader should know."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.kb import info as kb_info
from gpudoctor.kb import torch_releases
from gpudoctor.kb.torch_releases import Build
from gpudoctor.model.facts import Facts, Package
from gpudoctor.model.finding import Finding
from gpudoctor.model.prescription import Claim, Risk, Step
from gpudoctor.model.sheet import FactSheet
from gpudoctor.prescribe import predict
from gpudoctor.prescribe.candidates import driver_serves_in_full, version_key
from gpudoctor.prescribe.commands import Change, Place, _install, steps
from gpudoctor.prescribe.companions import Along, Broken, along, requirements_of
from gpudoctor.prescribe.mirror import index_for
from gpudoctor.prescribe.quoting import command_step
from gpudoctor.prescribe.solver import ended
from gpudoctor.prescribe.source_build import extension_recipe
from gpudoctor.prescribe.target import target_of

_SURE = {
    "pypi": "the file is on PyPI",
    "head-checked": "the index answered for the file",
    "lockfile-seen": "the file stands in public lock files",
    "user-seen": "users report having installed it",
    "documented": "PyTorch lists it for that release",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What installing a build takes and gives."""

    why: str
    steps: tuple[Step, ...]
    sheet: FactSheet
    risk: Risk = "low"
    build: Build | None = None
    index_url: str | None = None
    packages: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()


def install(
    sheet: FactSheet,
    build: Build,
    place: Place,
    mirror: str | None,
    gpus: tuple[ComputeCapability, ...],
) -> Installation:
    """Everything about installing `build` where `sheet` is."""
    facts = sheet.facts
    beside = along(facts, build)
    change = _change(facts, build, beside, mirror)
    extensions = _extension_steps(beside.broken, gpus, facts, place)
    listed = change.packages + change.forced + change.plain
    return Installation(
        why=_why(sheet, build),
        steps=steps(change, place) + extensions,
        sheet=predict.with_build(sheet, build, beside),
        risk="medium" if beside.broken else "low",
        build=build,
        index_url=change.index.shown,
        packages=listed,
        notes=_notes(build, beside, place),
        claims=_claims(sheet, build),
    )


def _change(facts: Facts, build: Build, beside: Along, mirror: str | None) -> Change:
    packages: tuple[str, ...] = ()
    forced: tuple[str, ...] = ()
    removals = beside.removals
    if build.nightly:
        # A dated nightly may be gone tomorrow: the newest is asked for, and the old torch is
        # taken away first, or a stable release would count as newer than a pre-release.
        packages = ("torch", *beside.packages)
        have = {package.name for package in facts.packages}
        names = [name for name in ("torch", "torchvision", "torchaudio") if name in have]
        removals = tuple(dict.fromkeys((*removals, *names)))
    elif _satisfied(facts, build):
        forced = (build.requirement,)
        packages = beside.packages
    else:
        packages = (build.requirement, *beside.packages)
    return Change(
        index=index_for(build.index_url or None, mirror),
        packages=packages,
        forced=forced + beside.forced,
        plain=beside.plain,
        removals=removals,
        pre=build.nightly,
        size=_size(build),
    )


def _satisfied(facts: Facts, build: Build) -> bool:
    """Whether an installer would say that the requirement is satisfied already."""
    package = next((p for p in facts.packages if p.name == "torch"), None)
    version = package.version if package else None
    if facts.torch is not None:
        version = facts.torch.distribution_version or version or facts.torch.version
    if version is None:
        return False
    if build.local is None:
        return version.split("+", 1)[0] == build.torch
    return version == f"{build.torch}+{build.local}"


def repair(
    sheet: FactSheet, findings: tuple[Finding, ...], place: Place, mirror: str | None
) -> Installation | None:
    """What cures the findings while torch stays; `None` if nothing beside it is to be changed."""
    facts = sheet.facts
    torch = facts.torch
    build = _installed_build(sheet)
    if torch is None:
        return None
    names = {finding.name for finding in findings}
    if "torch-library-damaged" in names and build is not None:
        return _again(sheet, build, place, mirror)
    beside = along(facts, build) if build is not None else Along(versions={})
    index = index_for(build.index_url if build else None, mirror)
    exact = tuple(
        f"{entry.name}{entry.specifier}"
        for entry in torch.requires
        if entry.specifier.startswith("==")
        and entry.installed != entry.specifier[2:]
        and entry.name.startswith(("nvidia-", "triton", "cuda-", "pytorch-triton"))
    )
    change = Change(
        index=index,
        packages=beside.packages + exact,
        forced=beside.forced,
        plain=beside.plain,
        removals=beside.removals,
    )
    gpus = target_of(sheet).gpus
    extensions = _extension_steps(beside.broken, gpus, facts, place)
    if not (change.packages or change.forced or change.plain or change.removals or extensions):
        return None
    shared = _shared_with_removed(facts, change.removals)
    if shared:
        change = replace(change, forced=(*change.forced, *shared))
    listed = change.packages + change.forced + change.plain
    what = listed or tuple(entry.package.name for entry in beside.broken) or change.removals
    return Installation(
        why=f"torch {torch.version} stays; what does not belong to it is put right "
        f"({', '.join(what)}).",
        steps=steps(change, place) + extensions,
        sheet=predict.with_repair(sheet, beside, exact),
        risk="medium" if extensions else "low",
        index_url=index.shown,
        packages=listed,
        notes=_notes(None, beside, place),
    )


def _again(sheet: FactSheet, build: Build, place: Place, mirror: str | None) -> Installation:
    """The same wheel once more, and nothing else."""
    index = index_for(build.index_url or None, mirror)
    change = Change(index=index, packages=(), forced=(build.requirement,), size=_size(build))
    return Installation(
        why=f"The files of torch {build.torch}+{build.variant} are damaged; the same wheel is "
        "installed again.",
        steps=steps(change, place),
        sheet=predict.with_build(sheet, build, Along(versions={})),
        build=build,
        index_url=index.shown,
        packages=change.forced,
        claims=_claims(sheet, build),
    )


def _shared_with_removed(facts: Facts, removals: tuple[str, ...]) -> tuple[str, ...]:
    """Requirements to reinstall because removed distributions owned the same files.

    cuDNN, NCCL and some others unpack into one folder for CUDA 12 and 13 alike.
    """
    from gpudoctor.kb import packages as kb_packages

    gone = {kb_packages.library_of(name) for name in removals} - {None}
    return tuple(
        f"{package.name}=={package.version}"
        for package in facts.packages
        if package.name not in removals
        and package.version
        and kb_packages.library_of(package.name) in gone
    )


def _installed_build(sheet: FactSheet) -> Build | None:
    """The known build that is installed."""
    torch = sheet.facts.torch
    platform = target_of(sheet).platform
    if torch is None or not torch.version or platform is None:
        return None
    label = torch.version.partition("+")[2]
    if not label and torch.cuda:
        label = "cu" + "".join(torch.cuda.split(".")[:2])
    return torch_releases.build(torch.version, label or "cpu", platform)


def _extension_steps(
    broken: tuple[Broken, ...],
    gpus: tuple[ComputeCapability, ...],
    facts: Facts,
    place: Place,
) -> tuple[Step, ...]:
    result = []
    for entry in broken:
        if entry.fitting is None:
            result.append(extension_recipe(entry.package, gpus, facts.host, place.python))
            continue
        wanted = f"{entry.package.name}=={entry.fitting}"
        options = ("--no-build-isolation",) if _is_compiled(entry.package) else ()
        result.append(
            command_step(
                "install",
                f"Install {wanted}, the release of {entry.package.name} that fits the new torch "
                f"({entry.package.version} was built for another).",
                (*_install(place), "--no-deps", *options, wanted),
                risk="medium",
                executable=not place.locked,
            )
        )
    return tuple(result)


def _is_compiled(package: Package) -> bool:
    """Whether an installer may have to compile it, and then needs the torch that is there."""
    return any(name == "torch" for name, _ in requirements_of(package)) or bool(package.build)


def _why(sheet: FactSheet, build: Build) -> str:
    target = target_of(sheet)
    label = f"torch {build.torch}+{build.variant}"
    if build.nightly:
        label = f"The nightly of torch for {build.variant}"
    if build.kind == "cpu":
        return f"{label} runs on the processor."
    if build.kind in ("rocm", "xpu"):
        gpus = ", ".join(target.gfx) or "this Intel GPU"
        return f"{label} serves {gpus}."
    gpus = ", ".join(gpu.sm for gpu in target.gpus)
    planned = sheet.facts.driver is not None and sheet.facts.driver.source == "prediction"
    driver = f" and runs on driver {target.driver}" if target.driver and not planned else ""
    installed = sheet.facts.torch
    same = installed is not None and (installed.version or "").split("+")[0] == build.torch
    change = "; it is the installed release in another variant" if same else ""
    newest = "; it is the newest release that does" if not same and not build.nightly else ""
    if target.pins:
        newest = ""
    return f"{label} has code for {gpus}{driver}{change}{newest}."


def _notes(build: Build | None, beside: Along, place: Place) -> tuple[str, ...]:
    notes = []
    if build is not None and not build.nightly and (line := ended(build)):
        notes.append(
            f"The wheels with {build.variant} have ended: torch {line[0]} is the last release that "
            f"has them for this platform, and the newest release is {line[1]}."
        )
    if build is not None and build.off_matrix:
        notes.append(
            f"{build.variant} is outside the official matrix of torch {build.torch}; the file is "
            f"there, as far as is known ({_SURE.get(build.published, build.published)})."
        )
    if build is not None and build.note:
        notes.append(build.note)
    for entry in beside.broken:
        name = f"{entry.package.name} {entry.package.version or ''}".strip()
        after = f"{entry.fitting} fits" if entry.fitting else "it has to be rebuilt"
        notes.append(f"{name} was built for another torch and breaks with this one; {after}.")
    notes += [f"{kept}, so it stays." for kept in beside.kept_libraries]
    if place.why and place.tool != "pip":
        notes.append(f"{place.tool} is used, because {place.why}.")
    return tuple(notes)


def _claims(sheet: FactSheet, build: Build) -> tuple[Claim, ...]:
    date = kb_info.date()
    target = target_of(sheet)
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
    if (
        build.cuda
        and target.driver
        and driver_serves_in_full(version_key(build.cuda), target) is False
    ):
        claims.append(
            Claim(
                claim=f"driver {target.driver} runs CUDA {build.cuda} by minor version",
                source="https://docs.nvidia.com/deploy/cuda-compatibility/",
                date=date,
            )
        )
    return tuple(claims)


def _size(build: Build) -> str:
    if build.wheel_bytes is None:
        return ""
    more = (
        ", and the CUDA libraries that it requires come on top"
        if build.kind == "cuda" and build.platform.startswith("linux")
        else ""
    )
    return f"a download of {build.wheel_bytes / 1e9:.1f} GB for torch itself{more}"

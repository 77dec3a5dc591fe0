"""One build installed: its steps, what it leads to, and what the reader should know."""

from __future__ import annotations

from collections.abc import Collection

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.kb.findings import catalogue
from gpudoctor.kb.software import packages as kb_packages
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.facts import Facts
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.prescription import Claim, Risk, Step
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.sentence import said
from gpudoctor.model.terms.shell import environment_step
from gpudoctor.model.terms.version import public_version
from gpudoctor.model.value import dataclass, replace
from gpudoctor.prescribe.build import gaps
from gpudoctor.prescribe.build import prediction as predict
from gpudoctor.prescribe.build import reasons as words
from gpudoctor.prescribe.build.companion_changes import Along, along
from gpudoctor.prescribe.build.extension_steps import extension_steps, is_kept
from gpudoctor.prescribe.build.vendor_notes import vendor_notes
from gpudoctor.prescribe.commands.install_commands import (
    ChangedEnvironment,
    EnvironmentChange,
    steps,
)
from gpudoctor.prescribe.commands.mirror import index_for
from gpudoctor.prescribe.commands.new_environment import interpreter_in, new_environment
from gpudoctor.prescribe.request.target import python_of, target_of


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildInstallation:
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
    lost: tuple[str, ...] = ()
    """Extensions that work no more afterwards: no release and no rebuild is known that would."""


def install(
    sheet: FactSheet,
    build: Build,
    place: ChangedEnvironment,
    mirror: str | None,
    gpus: tuple[ComputeCapability, ...],
    named: Collection[str] = (),
) -> BuildInstallation:
    """Everything about installing `build` where `sheet` is; `named`: packages called broken."""
    if place.constraint is not None or place.managed:
        return _apart(sheet, build, place, mirror, gpus)
    facts = sheet.facts
    target = target_of(sheet)
    beside = along(facts, build, named)
    change = _change(facts, build, beside, mirror)
    extensions = extension_steps(beside.broken, gpus, facts, place)
    listed = change.packages + change.forced + change.plain
    return BuildInstallation(
        why=words.why(sheet, build, target),
        steps=steps(change, place) + extensions,
        sheet=predict.with_build(sheet, build, beside),
        risk="medium" if beside.broken else "low",
        build=build,
        index_url=change.index.shown,
        packages=listed,
        notes=(
            *words.notes(build, beside, place, target, gpus),
            *gaps.sentences(build, gpus),
            *vendor_notes(sheet, target, build),
        ),
        claims=words.claims(build, target),
        lost=lost(beside, gpus),
    )


_OTHER_IMAGE = (
    "Another image whose release notes name this GPU and driver is a way too; the torch of the "
    "image itself stays as it is."
)


_OF_THE_SYSTEM = (
    "The system keeps this Python for its own packages (EXTERNALLY-MANAGED), and pip refuses. On "
    "Debian and Ubuntu `sudo apt install python3-venv` may have to come first."
)


def _apart(
    sheet: FactSheet,
    build: Build,
    place: ChangedEnvironment,
    mirror: str | None,
    gpus: tuple[ComputeCapability, ...],
) -> BuildInstallation:
    """In an environment of its own: where a constraint or the system keeps this one as it is.

    The containers of NVIDIA's catalogue (NGC) set PIP_CONSTRAINT, and pip refuses every other
    torch under it (docs.nvidia.com, PyTorch release notes); under PEP 668 it refuses everything.
    """
    python = python_of(sheet.facts.python)
    folder = "torch-env"
    windows = sheet.facts.host is not None and sheet.facts.host.os == "windows"
    inside = ChangedEnvironment(tool=place.tool, python=interpreter_in(folder, windows=windows))
    fresh = predict.with_python(sheet, python) if python else sheet
    found = install(fresh, build, inside, mirror, gpus)
    before: tuple[Step, ...] = ()
    note = said("managed-python", _OF_THE_SYSTEM)
    if place.constraint is not None:
        unset = environment_step(
            f"Take PIP_CONSTRAINT away for this shell: {place.constraint} pins the torch of the "
            "image, and pip would refuse another.",
            {"PIP_CONSTRAINT": None},
            "environment",
        )
        before, note = (unset,), said("ready-image", _OTHER_IMAGE)
    make = new_environment(python, folder, windows=windows)
    return replace(
        found,
        # The interpreter does not exist yet: these are for the person who makes it.
        steps=(*before, make, *(replace(step, argv=()) for step in found.steps)),
        risk="medium",
        notes=(*found.notes, note),
    )


def lost(beside: Along, gpus: tuple[ComputeCapability, ...]) -> tuple[str, ...]:
    """Names of the extensions that no command keeps working."""
    return tuple(entry.package.name for entry in beside.broken if not is_kept(entry, gpus))


def _change(facts: Facts, build: Build, beside: Along, mirror: str | None) -> EnvironmentChange:
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
    return EnvironmentChange(
        index=index_for(_index_of(build), mirror),
        packages=packages,
        forced=forced + beside.forced,
        plain=beside.plain,
        removals=removals,
        pre=build.nightly,
        size=words.size(build),
    )


def _index_of(build: Build) -> str | None:
    """The index of a build; `None`, the ordinary one, where that is the build for macOS."""
    return None if build.platform.startswith("macos") else build.index_url or None


def _satisfied(facts: Facts, build: Build) -> bool:
    """Whether an installer would say that the requirement is satisfied already."""
    package = next((p for p in facts.packages if p.name == "torch"), None)
    version = package.version if package else None
    if facts.torch is not None:
        version = facts.torch.distribution_version or version or facts.torch.version
    if version is None:
        return False
    if build.local is None:
        return public_version(version) == build.torch
    return version == f"{build.torch}+{build.local}"


def named_packages(findings: tuple[Finding, ...], facts: Facts) -> frozenset[str]:
    """Extensions that errors call broken: those of libraries that an installation clears."""
    owners = {f"libraries.{library.path}": library.distribution for library in facts.libraries}
    named = {
        owners.get(entry.fact) or entry.fact.removeprefix("packages.")
        for finding in findings
        if finding.severity is Severity.ERROR
        and catalogue.area(finding.code) == "libraries"
        and "install" in finding.clears_with
        for entry in finding.evidence
        if entry.fact.startswith(("packages.", "libraries."))
    }
    return frozenset(name for name in named if kb_packages.library_of(name) is None)

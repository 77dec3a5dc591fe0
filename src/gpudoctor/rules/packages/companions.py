"""torchvision and torchaudio, which are compiled against one release of torch each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from gpudoctor.kb.software import torch_releases
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Package
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.terms.version import local_label, satisfies, split_label
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding

COMPANIONS = ("torchvision", "torchaudio")
_DEMAND = late_pattern(r"torch(?![\w.-])\s*\(?\s*([^;)]*)", re.ASCII)
_PIN = late_pattern(r"={2,3}\s*([0-9][^,\s]*)\Z", re.ASCII)


@cache
def demanded_torch(requires: tuple[str, ...]) -> str | None:
    """What a package's metadata demand of torch: `torch>=2.14.0` → `>=2.14.0`; `` for any.

    `None` where they do not name torch, or name it for an extra alone.
    """
    lines = (line.strip() for line in requires if "extra" not in line.partition(";")[2])
    found = (_DEMAND.match(line) for line in lines)
    return next((match[1].strip() for match in found if match), None)


@cache
def pinned_torch(requires: tuple[str, ...]) -> str | None:
    """The one torch that a package's metadata demand: `torch==2.6.0` → `2.6.0`."""
    return _pinned(demanded_torch(requires) or "")


def _pinned(demand: str) -> str | None:
    match = _PIN.match(demand)
    return match[1] if match and not match[1].endswith("*") else None


@cache
def known_demand(name: str, version: str) -> str | None:
    """What a companion's release demands of torch by the knowledge base; `None`: not known."""
    bare = split_label(version)[0]
    for release in torch_releases.releases():
        companion = release.companions.get(name)
        if companion is not None and companion.version == bare and companion.pin:
            return companion.pin
    return None


def meets(torch: str, demand: str) -> bool:
    """Whether an installed torch is what a package demands; what cannot be read, it is."""
    pin = _pinned(demand)
    return same_release(pin, torch) if pin else satisfies(torch, demand) is not False


def evidence_of(case: Case, package: Package, value: str | None = None) -> Evidence:
    """The version of a package, or another thing it states."""
    source = package.location or case.sheet.source("packages")
    shown = package.version if value is None else value
    return Evidence(fact=f"packages.{package.name}", value=shown or "unknown", source=source)


@rule(
    "torchvision-torchaudio-version-mismatch",
    needs=("torch.version", "packages"),
    follows=("wrong-torch-copy-imported",),
)
def torchvision_torchaudio_version_mismatch(case: Case) -> Iterator[Finding | Unknown]:
    """The companion is that of another torch release, or of a build for another kind of GPU."""
    torch = case.facts.torch
    if torch is None or not torch.version:
        return
    have = torch.version
    for name in COMPANIONS:
        package = case.packages.get(name)
        if package is None or not package.version:
            continue
        # What the installed metadata say decides; the table stands in where they say nothing.
        demand = demanded_torch(package.requires)
        if demand is None:
            demand = known_demand(name, package.version) or ""
        if not meets(have, demand):
            pin = _pinned(demand)
            near = pin is not None and knowledge.numbers(pin)[:2] == knowledge.numbers(have)[:2]
            needs = f"belongs to torch {pin}" if pin else f"needs torch{demand}"
            yield finding(
                "torchvision-torchaudio-version-mismatch",
                f"{name} {package.version} {needs}, and torch {have} is installed",
                (
                    f"{name} is compiled against one release of torch. With another one"
                    if pin
                    else f"{name} is compiled for certain releases of torch. With others"
                )
                + " it fails on import, or its operators are missing (`operator torchvision::nms "
                "does not exist`).",
                # Patch releases keep their binary interface; it usually works.
                severity=Severity.WARNING if near else Severity.ERROR,
                evidence=[evidence_of(case, package), case.evidence("torch.version")],
                clears_with=("install",),
            )
        elif kinds := _different_kinds(package.version, have):
            yield finding(
                "torchvision-torchaudio-version-mismatch",
                f"{name} {package.version} and torch {have} are builds for different kinds of GPU",
                f"They came from different indexes: one is built for {kinds[0]}, the other for "
                f"{kinds[1]}. Operators of {name} then have no code for the GPU.",
                severity=Severity.ERROR if "cpu" in kinds else Severity.WARNING,
                evidence=[evidence_of(case, package), case.evidence("torch.version")],
                clears_with=("install",),
            )


def same_release(wanted: str, have: str) -> bool:
    """Whether a pin names the installed torch; a label that the pin leaves out is ignored."""
    base, label = split_label(wanted.strip().lower())
    installed, installed_label = split_label(have.strip().lower())
    if label and installed_label and label != installed_label:
        return False
    return base == installed or (
        "dev" not in base and "dev" not in installed and _three(base) == _three(installed)
    )


def _three(version: str) -> tuple[int, ...]:
    return (*knowledge.numbers(version), 0, 0, 0)[:3]


def _different_kinds(companion: str, torch: str) -> tuple[str, str] | None:
    """The labels of two builds that cannot go together: cpu and CUDA, or two CUDA majors."""
    one, other = local_label(companion), local_label(torch)
    if not one or not other or one == other:
        return None
    first, second = _kind(one), _kind(other)
    return (one, other) if first and second and first != second else None


def _kind(label: str) -> str | None:
    if label.startswith("cu") and label[2:].isdigit():
        return label[:4]
    return next((kind for kind in ("cpu", "rocm", "xpu") if label.startswith(kind)), None)

"""torchvision and torchaudio, which are compiled against one release of torch each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from gpudoctor.kb import torch_releases
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Package
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.rules.engine import knowledge_queries as book
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.registry import rule
from gpudoctor.rules.engine.wording import finding

COMPANIONS = ("torchvision", "torchaudio")
_PIN = re.compile(r"torch\s*\(?\s*={2,3}\s*([0-9][^;,\s)]*)", re.ASCII)


@cache
def pinned_torch(requires: tuple[str, ...]) -> str | None:
    """The one torch that a package's metadata demands: `torch==2.6.0` → `2.6.0`."""
    found = (_PIN.match(line.strip()) for line in requires)
    return next((match[1] for match in found if match and not match[1].endswith("*")), None)


@cache
def known_torch(name: str, version: str) -> str | None:
    """The torch of a companion's release by the knowledge base, where it must be that one."""
    bare = version.partition("+")[0]
    for release in torch_releases.releases():
        companion = release.companions.get(name)
        if companion is not None and companion.version == bare and companion.pin:
            return release.version
    return None


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
        wanted = pinned_torch(package.requires) or known_torch(name, package.version)
        if wanted is not None and not same_release(wanted, have):
            near = book.numbers(wanted)[:2] == book.numbers(have)[:2]
            yield finding(
                "torchvision-torchaudio-version-mismatch",
                f"{name} {package.version} belongs to torch {wanted}, and torch {have} is "
                "installed",
                f"{name} is compiled against one release of torch. With another one it fails on "
                "import, or its operators are missing (`operator torchvision::nms does not "
                "exist`).",
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
    base, _, label = wanted.strip().lower().partition("+")
    installed, _, installed_label = have.strip().lower().partition("+")
    if label and installed_label and label != installed_label:
        return False
    return base == installed or (
        "dev" not in base and "dev" not in installed and _three(base) == _three(installed)
    )


def _three(version: str) -> tuple[int, ...]:
    return (*book.numbers(version), 0, 0, 0)[:3]


def _different_kinds(companion: str, torch: str) -> tuple[str, str] | None:
    """The labels of two builds that cannot go together: cpu and CUDA, or two CUDA majors."""
    one, other = companion.partition("+")[2], torch.partition("+")[2]
    if not one or not other or one == other:
        return None
    first, second = _kind(one), _kind(other)
    return (one, other) if first and second and first != second else None


def _kind(label: str) -> str | None:
    if label.startswith("cu") and label[2:].isdigit():
        return label[:4]
    return next((kind for kind in ("cpu", "rocm", "xpu") if label.startswith(kind)), None)

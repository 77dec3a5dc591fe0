"""Does what the files install run on those GPUs? The choice becomes facts, and the rules judge."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpudoctor.kb.findings import catalogue
from gpudoctor.kb.software import torch_releases
from gpudoctor.manifests import formats
from gpudoctor.manifests.choice import Choice, InstallOutcome
from gpudoctor.manifests.containers.container_findings import of_container
from gpudoctor.manifests.mixed_indexes import from_elsewhere
from gpudoctor.manifests.project import Installation, installations
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.manifests.universe import TORCH, demand
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Package, Torch
from gpudoctor.model.finding import FileAt, Finding, Severity
from gpudoctor.model.requirements.requirement_line import normal
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.version import public_version
from gpudoctor.model.value import dataclass, replace
from gpudoctor.prescribe.build import prediction
from gpudoctor.prescribe.build.companion_changes import Along
from gpudoctor.prescribe.request.target import target_of
from gpudoctor.rules import judge as judge_sheet
from gpudoctor.rules.engine.wording import finding

_USUAL = "linux_x86_64"
_EXACT = re.compile(r"===?\s*\d[^,*]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the files install on a machine, and what is wrong with it."""

    sheet: FactSheet
    findings: tuple[Finding, ...]
    not_judged: tuple[Unknown, ...] = ()
    notes: tuple[str, ...] = ()
    installation: Installation
    """The one that decides: of several the worst."""
    scene: Scene | None = None
    """Where it was installed; of several Pythons the first."""

    @property
    def pin(self) -> tuple[str, FileAt] | None:
        """The one version of torch that the file asks for, itself or through another pin."""
        return demanded(self.installation)


def judge(
    sheet: FactSheet,
    paths: Sequence[str | SourceFile],
    *,
    tool: str | None = None,
    extras: Sequence[str] = (),
    groups: Sequence[str] = (),
) -> Judged:
    """Judge what files install on the machine of a sheet.

    Raises:
        UsageError: a file cannot be read, or is not of its format.
    """
    target = target_of(sheet)
    sources = formats.sources(tuple(paths))
    # Those of today, wherever it is installed: some platforms have no newest release.
    pythons = (target.python,) if target.python else torch_releases.pythons_of_newest(_USUAL)
    scenes = [
        Scene(
            target.platform or _USUAL,
            python,
            tuple(map(normal, extras)),
            tuple(map(normal, groups)),
            target.glibc,
            None if tool in (None, "auto") else tool,
        )
        for python in pythons
    ]
    found = [installations(sources, scene) for scene in scenes]
    rows = [_agreed(row, scenes) for row in zip(*found, strict=True)]
    # Beside a file that installs torch, one that says nothing of it decides nothing.
    speaking = [row for row in rows if not row.outcome.silent]
    answers = [judged(sheet, row) for row in speaking or rows[:1]]
    worst = replace(min(answers, key=_rank), scene=scenes[0])
    if len(answers) == 1:
        return worst
    others = [note for row in answers if row.installation is not worst.installation
              for note in row.notes]  # fmt: skip
    return replace(worst, notes=(*worst.notes, *others))


def demanded(row: Installation) -> tuple[str, FileAt] | None:
    """`==2.8.0`, and the line that demands it; `None`: the file leaves the version open."""
    wishes = row.document.wishes
    for wish in wishes:
        if wish.name == TORCH and _EXACT.match(wish.specifier):
            return public_version(wish.specifier), wish.at
    for wish in wishes:
        if _EXACT.match(wish.specifier) and wish.name != TORCH:
            torch = demand(wish.name, wish.specifier.lstrip("="))
            if torch.startswith("=="):
                return torch, wish.at
    return None


def _rank(judged: Judged) -> int:
    """Errors before what is open before what is well."""
    if any(f.severity is Severity.ERROR for f in judged.findings):
        return 0
    return 1 if judged.installation.outcome.status in ("open", "nothing") else 2


def _agreed(rows: Sequence[Installation], scenes: Sequence[Scene]) -> Installation:
    """One answer for every Python that may be meant; where they differ, the cases."""
    first = rows[0]
    # A Python without a wheel is not the one that is meant where others have one.
    meant = [pair for pair in zip(rows, scenes, strict=True) if pair[0].outcome.reason != "python"]
    if meant:
        first = meant[0][0]
    cases: dict[tuple[object, ...], list[str]] = {}
    for row, scene in meant or zip(rows, scenes, strict=True):
        torch = row.outcome.choice(TORCH)
        key = (row.outcome.status, torch.version if torch else row.outcome.reason)
        cases.setdefault(key, []).append(scene.python)
    if len(cases) == 1:
        return first
    said = [f"{key[0]} {key[1]} with Python {', '.join(p)}" for key, p in cases.items()]
    why = f"{first.document.path} depends on the Python, which is not stated: {'; '.join(said)}"
    return replace(
        first,
        outcome=InstallOutcome(
            status="open",
            tool=first.outcome.tool,
            assumption=first.outcome.assumption,
            why=why,
            files=(FileAt(first.document.path),),
        ),
    )


def _bare(sheet: FactSheet) -> FactSheet:
    """The machine without what is installed on it now."""
    facts = replace(sheet.facts, torch=None, packages=(), libraries=(), loader=())
    roots = ("torch", "packages", "libraries")
    unknown = tuple(e for e in sheet.unknown if not e.fact.startswith(roots))
    return FactSheet(facts, unknown, sheet.sources)


def judged(sheet: FactSheet, row: Installation) -> Judged:
    """What the rules say of one installation on the machine of a sheet."""
    sheet = _bare(sheet)
    outcome = row.outcome
    path = row.document.path
    torch = outcome.choice(TORCH)
    notes: tuple[str, ...]
    if outcome.status == "installs" and torch is not None:
        after = _after(sheet, outcome, torch)
        judgement = judge_sheet(after)
        files = _files(outcome)
        elsewhere = (*from_elsewhere(outcome), *of_container(outcome, sheet))
        findings = tuple(
            _placed(found, files)
            for found in judgement.findings
            if not _says_the_same(found, elsewhere)
        )
        findings = tuple(sorted((*findings, *elsewhere), key=lambda found: found.severity.rank))
        notes = (_says(path, outcome, torch), *outcome.notes)
        return Judged(
            sheet=after,
            findings=findings,
            not_judged=judgement.not_judged,
            notes=notes,
            installation=row,
        )
    unknown = Unknown(TORCH, outcome.why, path, "not-stated")
    open_sheet = replace(sheet, unknown=(*sheet.unknown, unknown))
    judgement = judge_sheet(open_sheet)
    findings = judgement.findings
    if outcome.status == "fails":
        findings = (_failure(outcome), *findings)
    return Judged(
        sheet=open_sheet,
        findings=findings,
        not_judged=judgement.not_judged,
        notes=(f"{path}, {outcome.assumption}: {outcome.why}.", *outcome.notes),
        installation=row,
    )


def _failure(outcome: InstallOutcome) -> Finding:
    """The finding that the tool would end with an error."""
    names = {
        "python": "python-unsupported",
        "conflict": "requirements-conflict",
        "platform": "no-wheel-for-platform",
        "missing": "nonexistent-wheel",
        "managed": "image-python-is-managed",
    }
    # The name of a package or of a file keeps its letters.
    sentence = outcome.why.startswith("the ")
    made = finding(
        names[outcome.reason],
        outcome.why[:1].upper() + outcome.why[1:] if sentence else outcome.why,
        f"{outcome.tool} ends with an error, and nothing is installed.",
        clears_with=("install",),
    )
    return replace(made, files=outcome.files)


def _after(sheet: FactSheet, outcome: InstallOutcome, torch: Choice) -> FactSheet:
    """The machine after the installation."""
    packages = tuple(
        Package(name=choice.name, version=choice.version)
        for choice in outcome.choices
        if choice.name != TORCH
    )
    facts = replace(sheet.facts, packages=packages)
    before = FactSheet(facts, sheet.unknown, {**sheet.sources, "torch": torch.at.path})
    if torch.build is not None:
        after = prediction.with_build(before, torch.build, Along(versions={}))
        conda = torch.index is not None and "://" not in torch.index
        if (conda or torch.build.platform.startswith("macos")) and after.facts.torch is not None:
            # A conda package carries no label, and a wheel for macOS neither.
            plain = replace(after.facts.torch, version=torch.release, distribution_version=None)
            after = replace(after, facts=replace(after.facts, torch=plain))
        have = {package.name for package in after.facts.packages}
        rest = tuple(package for package in packages if package.name not in have)
        return replace(after, facts=replace(after.facts, packages=after.facts.packages + rest))
    return _unheard_of(before, torch)


def _unheard_of(sheet: FactSheet, torch: Choice) -> FactSheet:
    """The machine with a build that the knowledge base does not have."""
    variant = torch.variant or ""
    version = torch.version if "+" in torch.version or not variant else f"{torch.release}+{variant}"
    facts = Torch(
        version=version,
        cuda=torch_releases.cuda_of_variant(variant),
        hip=variant.removeprefix("rocm") if variant.startswith("rocm") else None,
        xpu=variant if variant == "xpu" else None,
        arch_source="knowledge",
    )
    why = f"torch {version} is no build that this knowledge base has"
    paths = ["torch.sass", "torch.ptx"]
    if not variant:
        paths += ["torch.cuda", "torch.hip", "torch.xpu"]
    unknown = tuple(Unknown(path, why, torch.at.path, "not-stated") for path in paths)
    packages = (Package(name=TORCH, version=version), *sheet.facts.packages)
    return FactSheet(
        replace(sheet.facts, torch=facts, packages=packages),
        (*sheet.unknown, *unknown),
        sheet.sources,
    )


def _says_the_same(found: Finding, elsewhere: tuple[Finding, ...]) -> bool:
    """Whether a finding about a companion is told better by the one with both lines."""
    if found.name != "torchvision-torchaudio-version-mismatch":
        return False
    facts = {entry.fact for entry in found.evidence if entry.fact != "torch.version"}
    return any(facts & {entry.fact for entry in other.evidence} for other in elsewhere)


def _files(outcome: InstallOutcome) -> dict[str, FileAt]:
    return {choice.name: choice.at for choice in outcome.choices}


_OF_WHAT_IS_INSTALLED = ("build", "environment", "libraries", "vendor")


def _placed(found: Finding, files: dict[str, FileAt]) -> Finding:
    """A finding about what is installed, with the lines that install it."""
    if found.files or catalogue.area(found.code) not in _OF_WHAT_IS_INSTALLED:
        return found
    names = [name for name in files if name != TORCH and name in found.title]
    places = [files[name] for name in (TORCH, *names) if name in files]
    return replace(found, files=tuple(dict.fromkeys(places)))


def _says(path: str, outcome: InstallOutcome, torch: Choice) -> str:
    """What the file installs, under which assumption."""
    where = f" ({torch.at.path}:{torch.at.line})" if torch.at.line else ""
    label = torch.version if "+" in torch.version else (
        f"{torch.version} ({torch.variant})" if torch.variant else torch.version
    )  # fmt: skip
    said = outcome.assumption[:1].upper() + outcome.assumption[1:]
    return f"{said}: {path} installs torch {label}{where}."

"""The answer where there are warnings alone."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.prescription import Alternative, Prescription, Step
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.sentence import said, together
from gpudoctor.model.terms.version import public_version
from gpudoctor.model.value import replace
from gpudoctor.prescribe.answers.cure import alternative
from gpudoctor.prescribe.answers.errors_to_cure import errors_of
from gpudoctor.prescribe.answers.remedies import remedies
from gpudoctor.prescribe.build.install import install
from gpudoctor.prescribe.options.question import Question, Way
from gpudoctor.prescribe.options.repair import installed_build
from gpudoctor.prescribe.options.shadowing import shadow_of
from gpudoctor.prescribe.options.ways import complete_ways, demanded_ways, repair_way
from gpudoctor.prescribe.request.request import Options
from gpudoctor.rules import findings_of

_BY_ANOTHER_BUILD = ("partial-kernel-coverage", "torch-lacks-arch-new-gpu")
"""Warnings about code that a build lacks, and that another one may have."""


def beside(sheet: FactSheet, findings: tuple[Finding, ...], options: Options) -> Prescription:
    """The answer where there is no error: nothing, or what clears the warnings at low risk."""
    warnings = tuple(f for f in findings if f.severity is Severity.WARNING)
    if not warnings:
        why = said("nothing-wrong", "Nothing needs to be changed.")
        return Prescription(status="not-needed", why=why)
    question = Question(sheet, findings, options)
    cure: Way | None = None
    left = {f.name for f in warnings}
    if any({"install", "uninstall"} & set(f.clears_with) for f in warnings):
        for way in _cures(question):
            after = {f.name for f in findings_of(way.sheet, Severity.WARNING)}
            if after < left:
                cure = way
                left &= after
                break
    others = _unshadowed(question, left) + remedies(
        (f for f in warnings if f.name in left and f.remedies), sheet
    )
    if cure is None and not others:
        none = any(finding.name == "no-gpu-found" for finding in warnings)
        start = (
            said("accepted-without-gpu", "PyTorch runs on the processor, as is allowed")
            if none
            else said("warnings-alone", "No error was found")
        )
        why = together(start, "; the warnings need no change of torch.")
        return Prescription(status="not-needed", why=why)
    if cure is None:
        doubtful = any(finding.name == "gpu-newer-than-knowledge" for finding in warnings)
        start = (
            said("unproved-gpu", "Whether the GPUs work, kernels show")
            if doubtful
            else said("warnings-alone", "No error was found")
        )
        why = together(start, "; these steps clear the warnings.")
        return Prescription(status="resolved", why=why, steps=others)
    return Prescription(
        status="resolved",
        why=cure.why,
        torch=cure.build.torch if cure.build else None,
        variant=cure.build.variant if cure.build else None,
        index_url=cure.index_url,
        packages=cure.packages,
        steps=cure.steps + others,
        alternatives=tuple(_demanded_too(question, cure)),
        evidence=cure.claims,
        notes=cure.notes,
        download_bytes=cure.build.download_bytes if cure.build else None,
    )


def _unshadowed(question: Question, left: set[str]) -> tuple[Step, ...]:
    """What keeps the user site out where it stands in for the environment's own torch."""
    shadow = shadow_of(question.sheet) if "user-site-leak" in left else None
    if shadow is None:
        return ()
    lifted = shadow.lifted(question.sheet)
    if lifted is not None and not errors_of(lifted):
        return (shadow.step,)
    build = installed_build(question.sheet)
    if build is None:
        return ()
    gpus = question.target.gpus
    alone = replace(question.sheet.facts, torch=None, packages=())
    sheet = FactSheet(alone, question.sheet.unknown, question.sheet.sources)
    found = install(sheet, build, question.place, question.options.index_url, gpus)
    return (shadow.step, *found.steps)


def _demanded_too(question: Question, cure: Way) -> Iterator[Alternative]:
    """Beside another release of a package, the torch that the installed one demands."""
    if cure.kind != "repair":
        return
    installed = public_version(question.installed or "")
    warned = {f.name for f in question.findings if f.severity is Severity.WARNING}
    for option in demanded_ways(question):
        way = option.make()
        after = {f.name for f in findings_of(way.sheet, Severity.WARNING)}
        other = way.build is not None and way.build.torch != installed
        if other and after < warned:
            yield alternative(way)


def _cures(question: Question) -> Iterator[Way]:
    """What may clear warnings: another torch only where a package would be given up else."""
    repair = repair_way(question)
    if repair is not None and repair.lost:
        yield from (option.make() for option in demanded_ways(question))
    if repair is not None:
        yield repair
    if any(finding.name in _BY_ANOTHER_BUILD for finding in question.findings):
        yield from (option.make() for option in complete_ways(question))

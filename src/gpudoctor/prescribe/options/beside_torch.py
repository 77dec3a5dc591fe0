"""What is called broken beside torch, put right within whatever way out is taken."""

from __future__ import annotations

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import replace
from gpudoctor.prescribe.build.install import BuildInstallation, install, named_packages
from gpudoctor.prescribe.options.question import Question, Way
from gpudoctor.prescribe.options.repair import repair


def installing(
    question: Question, sheet: FactSheet, build: Build, gpus: tuple[ComputeCapability, ...]
) -> BuildInstallation:
    """What installing a build takes where `sheet` is, broken extensions included."""
    return install(
        sheet,
        build,
        question.place,
        question.options.index_url,
        gpus,
        named_packages(question.findings, sheet.facts),
    )


def with_repairs(question: Question, way: Way) -> Way:
    """A way that keeps torch, and the steps for the extensions that errors call broken."""
    if not named_packages(question.findings, way.sheet.facts):
        return way
    beside = repair(way.sheet, question.findings, question.place, question.options.index_url)
    if beside is None:
        return way
    return replace(
        way,
        steps=way.steps + beside.steps,
        sheet=beside.sheet,
        index_url=beside.index_url,
        packages=beside.packages,
        notes=(*way.notes, *beside.notes),
        claims=(*way.claims, *beside.claims),
        lost=beside.lost,
    )

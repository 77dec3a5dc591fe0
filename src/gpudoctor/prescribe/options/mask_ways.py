"""Ways out that leave GPUs out, with the torch that is there or with the best one for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice

from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.sentence import lowered, said, together
from gpudoctor.model.terms.version import numbers
from gpudoctor.model.value import replace
from gpudoctor.prescribe.build import prediction as predict
from gpudoctor.prescribe.build.solver import best
from gpudoctor.prescribe.driver.branches import DriverPlan, driver_for
from gpudoctor.prescribe.driver.driver_steps import claim as driver_claim
from gpudoctor.prescribe.driver.driver_steps import driver_steps
from gpudoctor.prescribe.options import mask
from gpudoctor.prescribe.options.beside_torch import installing, with_repairs
from gpudoctor.prescribe.options.question import Option, Question, Way, way_of
from gpudoctor.prescribe.request.target import served, target_of

_MOST = 40
"""Groups of GPUs that are tried; five kinds of GPU have 30."""


def mask_ways(question: Question) -> Iterator[Option]:
    """Fewer GPUs, the best group first; without a download where the installed torch serves it."""
    for visible in islice(mask.groups(question.sheet), _MOST):
        if (
            question.sheet.facts.torch is not None
            and not question.asked
            and mask.torch_serves(question.sheet, visible) is not False
        ):
            yield Option("mask", partial(_without_download, question, visible))
        sheet = predict.with_mask(question.sheet, visible)
        build = best(target_of(sheet, question.asked), installed=question.installed)
        if build is not None:
            yield Option("mask", partial(_with_build, question, visible, build), build)


def driver_and_mask_ways(question: Question) -> Iterator[Option]:
    """Fewer GPUs under another driver: where neither alone is enough."""
    target = question.target
    if target.driver is None or target.os == "macos":
        return
    linux = target.os == "linux" and not target.wsl
    for visible in islice(mask.groups(question.sheet, keep_torch=False), _MOST):
        masked = predict.with_mask(question.sheet, visible)
        some = target_of(masked, question.asked).without_driver()
        later = best(some, installed=question.installed)
        if later is None or any(gpu.is_tegra for gpu in some.gpus):
            continue
        names = tuple(gpu.name or "" for _, gpu in served(masked))
        for major in (numbers(later.cuda or "")[0], None):
            plan = driver_for(some.gpus, cuda_major=major, names=names, linux=linux)
            if not isinstance(plan, DriverPlan):
                continue
            sheet = predict.with_driver(masked, plan)
            build = best(target_of(sheet, question.asked), installed=question.installed)
            if build is not None:
                make = partial(_with_driver, question, visible, plan, sheet, build)
                yield Option("mask", make, build)


def _with_driver(
    question: Question, visible: tuple[int, ...], plan: DriverPlan, sheet: FactSheet, build: Build
) -> Way:
    found = installing(question, sheet, build, target_of(sheet).gpus)
    way = way_of("mask", found)
    return replace(
        way,
        why=together(
            f"Without {_left(question, visible)}, and with driver branch {plan.branch} "
            f"({plan.why}), ",
            lowered(way.why),
        ),
        steps=(
            *driver_steps(plan, question.host),
            *way.steps,
            mask.mask_step(question.sheet, visible),
        ),
        risk="high",
        claims=(driver_claim(question.host), *way.claims),
    )


def _without_download(question: Question, visible: tuple[int, ...]) -> Way:
    alone = Way(
        kind="mask",
        why=said(
            "installed-serves",
            f"Without {_left(question, visible)}, the installed torch serves "
            f"{_kept(question, visible)}.",
            kept=visible,
        ),
        steps=(mask.mask_step(question.sheet, visible),),
        sheet=predict.with_mask(question.sheet, visible),
        risk="medium",
    )
    return with_repairs(question, alone)


def _with_build(question: Question, visible: tuple[int, ...], build: Build) -> Way:
    sheet = predict.with_mask(question.sheet, visible)
    alone = ""
    if question.no_common_build:
        alone = _no_common_build(question)
    found = installing(question, sheet, build, target_of(sheet).gpus)
    way = way_of("mask", found)
    return replace(
        way,
        why=together(
            alone,
            f"Without {_left(question, visible)}{_planned_driver(question)}, ",
            lowered(way.why),
        ),
        steps=(*way.steps, mask.mask_step(question.sheet, visible)),
        risk="medium",
    )


def _planned_driver(question: Question) -> str:
    """The driver that is installed first, where the ways begin from one that is not there yet."""
    driver = question.sheet.facts.driver
    if driver is None or driver.source != "prediction" or not driver.version:
        return ""
    return f" and with driver branch {driver.version.partition('.')[0]}"


def _no_common_build(question: Question) -> str:
    """What keeps one build from serving all GPUs: their code, or only what else is asked for."""
    if question.no_common_build_at_all:
        return said("no-common-build", "No build serves all of these GPUs. ")
    target = question.target
    asked = [f"Python {target.python}"] if target.python else []
    asked += [f"torch{pin.specifier} ({pin.why})" for pin in target.pins]
    text = f"No build for {' and '.join(asked) or 'this system'} serves all of these GPUs. "
    return said("no-common-build-here", text)


def _kept(question: Question, visible: tuple[int, ...]) -> str:
    return mask.names([question.sheet.facts.gpus[position] for position in visible])


def _left(question: Question, visible: tuple[int, ...]) -> str:
    return mask.names([gpu for p, gpu in served(question.sheet) if p not in visible])

"""Ways out that change the driver: printed steps, and the torch that is then right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.sentence import lowered, said, together
from gpudoctor.model.terms.version import numbers
from gpudoctor.model.value import replace
from gpudoctor.prescribe.build import prediction as predict
from gpudoctor.prescribe.build.feasible import feasible
from gpudoctor.prescribe.build.solver import best
from gpudoctor.prescribe.driver.branches import DriverPlan, driver_for
from gpudoctor.prescribe.driver.driver_steps import claim as driver_claim
from gpudoctor.prescribe.driver.driver_steps import driver_steps
from gpudoctor.prescribe.options.beside_torch import installing, with_repairs
from gpudoctor.prescribe.options.question import Option, Question, Way, way_of
from gpudoctor.prescribe.request.target import served, target_of


def driver_ways(question: Question, proved: Sequence[Way] = ()) -> Iterator[Option]:
    """Another driver: with the torch that is there, and with the one that is then best.

    Beside a wheel that holds (the first of `proved`), a driver is looked for only where a newer
    release may come of it.
    """
    target = question.target
    if not target.gpus or target.os == "macos" or target.driver is None:
        return
    if any(gpu.is_tegra for gpu in target.gpus):
        return
    free = target.without_driver()
    later = best(free, kind="cuda", installed=question.installed)
    if proved and "driver-too-old" not in question.names and not _gains(later, proved[0]):
        return
    torch = question.sheet.facts.torch
    majors = []
    if torch is not None and numbers(torch.cuda or ""):
        majors.append((numbers(torch.cuda or "")[0], True))
    if later is not None:
        majors.append((numbers(later.cuda or "")[0], False))
    for major, keep in dict.fromkeys(majors):
        plan = driver_for(
            target.gpus,
            cuda_major=major,
            names=tuple(gpu.name or "" for _, gpu in served(question.sheet)),
            linux=target.os == "linux" and not target.wsl,
        )
        if isinstance(plan, DriverPlan) and not _has(question, plan):
            yield from _with_driver(question, plan, keep=keep)
    if later is not None and majors:
        # The newest build may ask for more than the last driver that serves the GPUs.
        plan = driver_for(target.gpus, linux=target.os == "linux" and not target.wsl)
        if isinstance(plan, DriverPlan) and not _has(question, plan):
            yield from _with_driver(question, plan, keep=False)


def _gains(later: Build | None, main: Way) -> bool:
    """Whether the best build for any driver is a newer release than a way gives."""
    if main.kind != "wheel" or main.build is None:
        return True
    return later is not None and predict.is_newer(later.torch, main.build.torch)


def _has(question: Question, plan: DriverPlan) -> bool:
    """Whether the present driver is of that branch or newer, and all that the plan would give."""
    driver = question.target.driver
    if driver is None or question.unknown_to_driver:
        return False
    if "open-kernel-module-required" in question.names:
        return False
    if "driver-too-old" in question.names or numbers(driver)[0] < plan.branch:
        return False
    # A bare branch (`580`) stands for any driver of it.
    bare = len(numbers(driver)) < 2
    return plan.at_least is None or bare or numbers(driver) >= numbers(plan.at_least)


def _with_driver(question: Question, plan: DriverPlan, *, keep: bool) -> Iterator[Option]:
    sheet = predict.with_driver(question.sheet, plan)
    if keep and not question.asked:
        yield Option("driver", partial(_keeping_torch, question, plan, sheet))
        return
    build = best(target_of(sheet, question.asked), installed=question.installed)
    if build is not None and not _runs_already(question, build):
        yield Option("driver", partial(_with_build, question, plan, sheet, build), build)


def _runs_already(question: Question, build: Build) -> bool:
    """Whether the present driver serves the GPUs and the build: another one would give nothing."""
    if question.unknown_to_driver or "open-kernel-module-required" in question.names:
        return False
    return any(offer.build == build for offer in feasible(question.target))


def _keeping_torch(question: Question, plan: DriverPlan, sheet: FactSheet) -> Way:
    alone = Way(
        kind="driver",
        why=said(
            "installed-torch-driver",
            f"{_called(plan)} serves {question.gpu_names} and the installed torch "
            f"{question.installed}; {plan.why}.",
            driver=plan.version,
        ),
        steps=driver_steps(plan, question.host),
        sheet=sheet,
        risk="high",
        claims=(driver_claim(question.host),),
    )
    return with_repairs(question, alone)


def _with_build(question: Question, plan: DriverPlan, sheet: FactSheet, build: Build) -> Way:
    found = installing(question, sheet, build, question.target.gpus)
    way = way_of("driver", found)
    return replace(
        way,
        why=together(f"With {lowered(_called(plan))} ({plan.why}), ", lowered(way.why)),
        steps=driver_steps(plan, question.host) + way.steps,
        risk="high",
        claims=(driver_claim(question.host), *way.claims),
    )


def _called(plan: DriverPlan) -> str:
    said = plan.at_least is None or plan.why_names_it
    return f"Driver branch {plan.branch}" + ("" if said else f" from {plan.at_least} on")

"""Leaving AMD cards out, where torch serves some of them and no build serves all."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from itertools import combinations

from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.facts import Gpu
from gpudoctor.model.prescription import Step
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.sentence import lowered, said, together
from gpudoctor.model.terms.shell import environment_step
from gpudoctor.model.value import replace
from gpudoctor.prescribe.build.install import install
from gpudoctor.prescribe.build.solver import best
from gpudoctor.prescribe.options.mask import names
from gpudoctor.prescribe.options.other_ways import amd_ways
from gpudoctor.prescribe.options.question import Option, Question, Way, way_of
from gpudoctor.prescribe.request.target import served, target_of


def amd_mask_ways(question: Question) -> Iterator[Option]:
    """Fewer AMD cards, more memory first: with the installed torch, else with the best for them."""
    if question.kind != "rocm":
        return
    for visible in _groups(question.sheet):
        if question.sheet.facts.torch is not None and not question.asked:
            yield Option("mask", partial(_without_download, question, visible))
    for visible in _groups(question.sheet):
        build = best(
            target_of(_masked(question.sheet, visible), question.asked),
            kind="rocm",
            installed=question.installed,
        )
        if build is not None:
            yield Option("mask", partial(_with_build, question, visible, build), build)


def amd_index_and_mask_ways(question: Question) -> Iterator[Option]:
    """Fewer AMD cards with AMD's own index, where that serves some of them alone."""
    if question.kind != "rocm":
        return
    for visible in _groups(question.sheet):
        masked = Question(
            _masked(question.sheet, visible), question.findings, question.options, question.names
        )
        for option in amd_ways(masked):
            yield Option("mask", partial(_of_amd, question, visible, option))


def _of_amd(question: Question, visible: tuple[int, ...], option: Option) -> Way:
    way = option.make()
    return replace(
        way,
        kind="mask",
        why=together(f"Without {_left(question.sheet, visible)}: ", way.why),
        steps=(*way.steps, _step(question.sheet, visible)),
    )


def _groups(sheet: FactSheet) -> list[tuple[int, ...]]:
    """Positions of cards to keep, fewer than all; those of one instruction set stay together."""
    kinds: dict[str, list[int]] = {}
    for position, gpu in _cards(sheet):
        kinds.setdefault(gpu.gfx or "", []).append(position)
    if not 1 < len(kinds) < 6:
        return []
    groups = (
        tuple(sorted(position for gfx in kept for position in kinds[gfx]))
        for size in range(len(kinds) - 1, 0, -1)
        for kept in combinations(sorted(kinds), size)
    )
    gpus = sheet.facts.gpus
    return sorted(groups, key=lambda group: -sum(gpus[at].memory_bytes or 1 for at in group))


def _cards(sheet: FactSheet) -> list[tuple[int, Gpu]]:
    found = [(p, gpu) for p, gpu in served(sheet) if gpu.vendor == "amd" and gpu.gfx]
    return [(p, gpu) for p, gpu in found if not gpu.integrated] or found


def _masked(sheet: FactSheet, visible: Collection[int]) -> FactSheet:
    environment = {**sheet.facts.environment, **_variable(sheet, visible)}
    gpus = tuple(
        replace(gpu, visible=position in visible) if gpu.vendor == "amd" else gpu
        for position, gpu in enumerate(sheet.facts.gpus)
    )
    return FactSheet(
        replace(sheet.facts, gpus=gpus, environment=environment), sheet.unknown, sheet.sources
    )


def _variable(sheet: FactSheet, visible: Collection[int]) -> dict[str, str]:
    """By UUID where all are known, which ROCr alone reads surely; else by number, for HIP."""
    kept = [sheet.facts.gpus[position] for position in sorted(visible)]
    uuids = [gpu.uuid for gpu in kept if gpu.uuid]
    linux = sheet.facts.host is not None and sheet.facts.host.os == "linux"
    if linux and len(uuids) == len(kept):
        return {"ROCR_VISIBLE_DEVICES": ",".join(uuids)}
    amd = [position for position, gpu in enumerate(sheet.facts.gpus) if gpu.vendor == "amd"]
    return {"HIP_VISIBLE_DEVICES": ",".join(str(amd.index(at)) for at in sorted(visible))}


def _step(sheet: FactSheet, visible: Collection[int]) -> Step:
    hidden = _left(sheet, visible)
    variables = _variable(sheet, visible)
    order = (
        " GPUs are counted as `rocminfo` lists them." if "HIP_VISIBLE_DEVICES" in variables else ""
    )
    kept = names([sheet.facts.gpus[position] for position in sorted(visible)])
    return environment_step(
        f"Leave only {kept} to programs, without {hidden}. Put it where your programs start, so "
        f"that each sees it.{order}",
        dict(variables),
        "mask-gpus",
    )


def _left(sheet: FactSheet, visible: Collection[int]) -> str:
    return names([gpu for position, gpu in _cards(sheet) if position not in visible])


def _without_download(question: Question, visible: tuple[int, ...]) -> Way:
    kept = names([question.sheet.facts.gpus[position] for position in visible])
    return Way(
        kind="mask",
        why=said(
            "installed-serves",
            f"Without {_left(question.sheet, visible)}, the installed torch serves {kept}.",
            kept=visible,
        ),
        steps=(_step(question.sheet, visible),),
        sheet=_masked(question.sheet, visible),
        risk="medium",
    )


def _with_build(question: Question, visible: tuple[int, ...], build: Build) -> Way:
    sheet = _masked(question.sheet, visible)
    found = install(sheet, build, question.place, question.options.index_url, ())
    way = way_of("mask", found)
    return replace(
        way,
        why=together(f"Without {_left(question.sheet, visible)}, ", lowered(way.why)),
        steps=(*way.steps, _step(question.sheet, visible)),
        risk="medium",
    )

"""The ways out, each with its steps and the facts that it leads to, in order of preference.

Smallest change and smallest risk first: repair what is beside torch, another wheel, another
wheel that takes extensions along, another driver, fewer GPUs, a nightly, another Python, a build
from source. Where the driver does not know a GPU, the driver comes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from gpudoctor.kb import torch_releases
from gpudoctor.kb.torch_releases import Build
from gpudoctor.model.value import replace
from gpudoctor.prescribe.build import prediction as predict
from gpudoctor.prescribe.build.companion_changes import pins_of
from gpudoctor.prescribe.build.install import install, named_packages
from gpudoctor.prescribe.build.solver import best, ranked
from gpudoctor.prescribe.commands.install_commands import Change, steps
from gpudoctor.prescribe.commands.mirror import OFFICIAL_ROOT, index_for
from gpudoctor.prescribe.driver.driver_ways import driver_ways
from gpudoctor.prescribe.options import mask
from gpudoctor.prescribe.request.question import Question, Way, WayKind, way_of
from gpudoctor.prescribe.request.target import served, target_of

_TRIES = 4


def ways(question: Question, proved: Sequence[Way] = ()) -> Iterator[Way]:
    """Every way out that can be thought of, the preferred ones first; none is proved yet.

    `proved` is where the caller collects those that hold: with one of them there, what is not
    worth being an alternative is not worked out.
    """
    if question.options.from_source:
        from gpudoctor.prescribe.options.other_ways import source_ways

        yield from source_ways(question)
        return
    if question.bad_nightly:
        yield from wheel_ways(question, "stable", proved)
        yield from earlier_nightly(question)
        return
    driver_first = question.unknown_to_driver or "open-kernel-module-required" in question.names
    yield from repair_ways(question)
    if driver_first:
        yield from driver_ways(question)
    channel = question.options.channel
    yield from wheel_ways(question, channel, proved)
    if not driver_first:
        yield from driver_ways(question)
    yield from mask_ways(question)
    if proved:
        return
    if channel == "stable":
        yield from wheel_ways(question, "nightly")
    # Rarely needed, and loaded only then.
    from gpudoctor.prescribe.options.other_ways import (
        amd_ways,
        jetson_ways,
        python_ways,
        source_ways,
    )

    yield from jetson_ways(question)
    yield from amd_ways(question)
    if not question.options.fixed_python:
        yield from python_ways(question)
    yield from source_ways(question)


def repair_ways(question: Question) -> Iterator[Way]:
    """Torch stays: companions, extensions and libraries beside it change."""
    if (
        question.asked
        or question.options.channel == "nightly"
        or question.sheet.facts.torch is None
    ):
        return
    from gpudoctor.prescribe.options.repair import repair

    found = repair(question.sheet, question.findings, question.place, question.options.index_url)
    if found is not None:
        yield way_of("repair", found)


def earlier_nightly(question: Question) -> Iterator[Way]:
    """The nightly of the day before, where the installed one says its day."""
    from datetime import date, timedelta

    version, _, label = (question.installed or "").partition("+")
    base, _, day = version.partition(".dev")
    channel = torch_releases.cuda_of_variant(label)
    if len(day) != 8 or not day.isdigit() or channel is None:
        return
    try:
        before = date(int(day[:4]), int(day[4:6]), int(day[6:])) - timedelta(days=1)
    except ValueError:
        return
    wanted = f"torch=={base}.dev{before:%Y%m%d}+{label}"
    index = index_for(f"{OFFICIAL_ROOT}/nightly/{label}", question.options.index_url)
    change = Change(index=index, packages=(wanted,), pre=True)
    yield Way(
        kind="nightly",
        why=f"The nightly of the day before, {wanted}, if the index still has it: nightlies are "
        "kept for some weeks.",
        steps=steps(change, question.place),
        sheet=question.sheet,
        risk="medium",
        index_url=index.shown,
        packages=(wanted,),
    )


def wheel_ways(question: Question, channel: str, proved: Sequence[Way] = ()) -> Iterator[Way]:
    """Another wheel for the present driver, first with every extension in its place."""
    target = question.target
    if question.no_module:
        return
    keep = question.installed if channel == "stable" else None
    hard = replace(target, pins=target.pins + pins_of(question.sheet.facts.packages))
    seen = set()
    named = named_packages(question.findings, question.sheet.facts)
    kind: WayKind = (
        "wheel" if channel == "stable" or question.options.channel == channel else "nightly"
    )
    for wanted in (hard, target):
        builds = ranked(wanted, kind=question.kind, channel=channel, installed=keep)
        for build in islice(builds, _TRIES):
            if build in seen or any(_settles(way, build) for way in proved):
                continue
            seen.add(build)
            found = install(
                question.sheet,
                build,
                question.place,
                question.options.index_url,
                target.gpus,
                named,
            )
            yield way_of(kind, found)


def _settles(way: Way, build: Build) -> bool:
    """Whether `build` adds nothing to a way: only a build of the official matrix adds to others."""
    return way.kind == "wheel" and (
        build.off_matrix or way.build is None or not way.build.off_matrix
    )


def mask_ways(question: Question) -> Iterator[Way]:
    """Fewer GPUs: with the torch that is there, else with the best one for those that stay."""
    apart = question.sheet.facts.torch is None and best(question.target) is None
    alone = "No build serves all of these GPUs. Without" if apart else "Without"
    for visible in islice(mask.groups(question.sheet), 3):
        sheet = predict.with_mask(question.sheet, visible)
        step = mask.mask_step(question.sheet, visible)
        kept = mask.names([question.sheet.facts.gpus[position] for position in visible])
        left = mask.names([gpu for p, gpu in served(question.sheet) if p not in visible])
        if question.sheet.facts.torch is not None and not question.asked:
            yield Way(
                kind="mask",
                why=f"Without {left}, the installed torch serves {kept}.",
                steps=(step,),
                sheet=sheet,
                risk="medium",
            )
        build = best(target_of(sheet, question.asked), installed=question.installed)
        if build is None:
            continue
        gpus = target_of(sheet).gpus
        found = install(sheet, build, question.place, question.options.index_url, gpus)
        way = way_of("mask", found)
        yield replace(
            way,
            why=f"{alone} {left}, {way.why[:1].lower()}{way.why[1:]}",
            steps=(*way.steps, step),
            risk="medium",
        )

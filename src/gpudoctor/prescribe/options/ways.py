"""The ways out, each with its steps and the facts that it leads to, in order of preference.

Smallest change and smallest risk first: repair what is beside torch, another wheel, another
wheel that takes extensions along, another driver, fewer GPUs, a nightly, another Python, a build
from source. Where the driver does not know a GPU, the driver comes first; where no build serves
all GPUs, fewer of them do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from gpudoctor.binaries.judgement.published import gaps
from gpudoctor.kb.software import torch_releases
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.lazy import later
from gpudoctor.model.terms.sentence import said
from gpudoctor.model.terms.version import numbers, split_label
from gpudoctor.model.value import replace
from gpudoctor.prescribe.build.companion_changes import can_follow, pins_of
from gpudoctor.prescribe.build.solver import ranked
from gpudoctor.prescribe.commands.install_commands import EnvironmentChange, steps
from gpudoctor.prescribe.commands.mirror import OFFICIAL_ROOT, index_for
from gpudoctor.prescribe.options.beside_torch import installing
from gpudoctor.prescribe.options.driver_ways import driver_ways
from gpudoctor.prescribe.options.mask_ways import driver_and_mask_ways, mask_ways
from gpudoctor.prescribe.options.question import Option, Question, Way, WayKind, way_of

if TYPE_CHECKING:
    import datetime

    from gpudoctor.prescribe.options import amd_mask, jetson_ways, other_ways
    from gpudoctor.prescribe.options import repair as repairs
else:  # each is rarely needed
    amd_mask = later("gpudoctor.prescribe.options.amd_mask")
    datetime = later("datetime")
    jetson_ways = later("gpudoctor.prescribe.options.jetson_ways")
    other_ways = later("gpudoctor.prescribe.options.other_ways")
    repairs = later("gpudoctor.prescribe.options.repair")

_TRIES = 4


def ways(question: Question, proved: Sequence[Way] = ()) -> Iterator[Option]:
    """Every way out that can be thought of, the preferred ones first; none is proved yet.

    `proved` is where the caller collects those that hold: with one of them there, what is not
    worth being an alternative is left out.
    """
    if question.options.from_source:
        yield from other_ways.source_ways(question)
        return
    if question.bad_nightly:
        yield from wheel_ways(question, "stable", proved)
        yield from earlier_nightly(question)
        return
    repair = repair_way(question)
    if repair is not None and repair.lost:
        # Another torch, and all that is installed works, before one of the packages is given up.
        yield from demanded_ways(question)
    if repair is not None:
        yield Option("repair", lambda: repair)
    if proved:
        yield from demanded_ways(question)
        return
    driver_first = question.unknown_to_driver or "open-kernel-module-required" in question.names
    if driver_first:
        yield from driver_ways(question)
    channel = question.options.channel
    # Nobody trains on the card of a screen: to hide it needs no download.
    mask_first = question.no_common_build or question.lacks_display_cards_alone
    if mask_first:
        yield from mask_ways(question)
    yield from wheel_ways(question, channel, proved)
    if not driver_first:
        yield from driver_ways(question, proved)
    if not mask_first:
        yield from mask_ways(question)
    if proved:
        return
    if channel == "stable":
        yield from wheel_ways(question, "nightly")
    yield from driver_and_mask_ways(question)
    yield from jetson_ways.jetson_ways(question)
    yield from other_ways.amd_ways(question)
    if question.kind == "rocm":
        yield from amd_mask.amd_mask_ways(question)
        yield from amd_mask.amd_index_and_mask_ways(question)
    if not question.options.fixed_python:
        yield from other_ways.python_ways(question)
    yield from other_ways.source_ways(question)


def repair_way(question: Question) -> Way | None:
    """Torch stays: companions, extensions and libraries beside it change."""
    if (
        question.asked
        or question.options.channel == "nightly"
        or question.sheet.facts.torch is None
    ):
        return None
    mirror = question.options.index_url
    found = repairs.repair(question.sheet, question.findings, question.place, mirror)
    return None if found is None else way_of("repair", found)


def demanded_ways(question: Question) -> Iterator[Option]:
    """The torch that installed packages demand in their metadata, where it runs on these GPUs."""
    pins = pins_of(question.sheet.facts.packages)
    if not pins or question.asked:
        return
    wanted = replace(question.target, pins=pins)
    for build in islice(ranked(wanted, kind=question.kind, installed=question.installed), 1):
        yield Option("demanded", partial(_installed, question, build, "demanded"), build)


def complete_ways(question: Question) -> Iterator[Option]:
    """The build to prefer of those whose libraries all serve all of these GPUs."""
    builds = ranked(question.target, kind=question.kind, installed=question.installed)
    for build in builds[:1]:
        if not gaps(build, question.target.gpus):
            yield Option("wheel", partial(_installed, question, build, "wheel"), build)


def untried_nightly(question: Question) -> Iterator[Way]:
    """For a GPU newer than every table: the nightly of the newest CUDA, which nobody has tried."""
    if not question.beyond_tables or question.options.channel != "stable" or question.asked:
        return
    builds = [
        build
        for build in torch_releases.nightlies()
        if build.kind == "cuda" and build.exists and build.platform == question.target.platform
    ]
    if not builds:
        return
    build = max(builds, key=lambda build: numbers(build.cuda or ""))
    sms = ", ".join(gpu.sm for gpu in question.target.gpus)
    yield replace(
        _installed(question, build, "nightly"),
        why=said(
            "unproved-gpu",
            f"The nightly of torch for {build.variant} may have code for {sms} before any release "
            "has; nobody here knows whether it does.",
        ),
        risk="medium",
    )


def earlier_nightly(question: Question) -> Iterator[Option]:
    """The nightly of the day before, where the installed one says its day."""
    version, label = split_label(question.installed or "")
    base, _, day = version.partition(".dev")
    channel = torch_releases.cuda_of_variant(label)
    if len(day) != 8 or not day.isdigit() or channel is None:
        return
    try:
        that_day = datetime.date(int(day[:4]), int(day[4:6]), int(day[6:]))
        before = that_day - datetime.timedelta(days=1)
    except (OverflowError, ValueError):
        return
    wanted = f"torch=={base}.dev{before:%Y%m%d}+{label}"
    index = index_for(f"{OFFICIAL_ROOT}/nightly/{label}", question.options.index_url)
    change = EnvironmentChange(index=index, packages=(wanted,), pre=True)
    way = Way(
        kind="nightly",
        why=said(
            "earlier-nightly",
            f"The nightly of the day before, {wanted}, if the index still has it: nightlies are "
            "kept for some weeks.",
            wanted=wanted,
        ),
        steps=steps(change, question.place),
        sheet=question.sheet,
        risk="medium",
        index_url=index.shown,
        packages=(wanted,),
    )
    yield Option("nightly", lambda: way)


def wheel_ways(question: Question, channel: str, proved: Sequence[Way] = ()) -> Iterator[Option]:
    """Another wheel for the present driver, first with every extension in its place."""
    target = question.target
    if question.no_module:
        return
    keep = question.installed if channel == "stable" else None
    pins = pins_of(question.sheet.facts.packages)
    every = ranked(target, kind=question.kind, channel=channel, installed=keep)
    wanted = [every]
    if pins:
        pinned = replace(target, pins=target.pins + pins)
        # First what nothing has to follow, then what all can follow, each in another release.
        wanted = [
            ranked(pinned, kind=question.kind, channel=channel, installed=keep),
            [build for build in every if can_follow(question.sheet.facts.packages, build)],
            every,
        ]
    seen = set()
    kind: WayKind = (
        "wheel" if channel == "stable" or question.options.channel == channel else "nightly"
    )
    for builds in wanted:
        for build in islice(builds, _TRIES):
            if build in seen or any(_settles(way, build) for way in proved):
                continue
            seen.add(build)
            yield Option(kind, partial(_installed, question, build, kind), build)


def _installed(question: Question, build: Build, kind: WayKind) -> Way:
    found = installing(question, question.sheet, build, question.target.gpus)
    return way_of(kind, found)


def _settles(way: Way, build: Build) -> bool:
    """Whether `build` adds nothing to a way: only a build of the official matrix adds to others."""
    return way.kind == "wheel" and (
        build.off_matrix or way.build is None or not way.build.off_matrix
    )

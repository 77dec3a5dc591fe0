"""The solver: of the builds that exist, the one to install, in a fixed order of preference.

Preference: a release whose torchvision and torchaudio exist for this Python, where they are
installed; a build all of whose libraries serve all GPUs; the installed release in another variant
(the smallest change), else the newest release; a build with machine code for every GPU before one
that must be compiled at first use; the official matrix before what lies outside; a CUDA that the
driver serves in full before one that it serves by minor-version compatibility; the variant that
the release is made for; the newest CUDA, or the one nearest to the driver where none is served in
full.
"""

from __future__ import annotations

from functools import cache, lru_cache, partial
from typing import NamedTuple

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.kb.hardware.apple_gpus import mps_serves
from gpudoctor.kb.software.torch_releases import Build, minimum_macos
from gpudoctor.model.terms.version import numbers
from gpudoctor.model.value import dataclass
from gpudoctor.prescribe.build.candidates import (
    BuildFit,
    Constraint,
    DropReason,
    Offer,
    companion_wheels,
    newest_on,
    objections,
    offers,
)
from gpudoctor.prescribe.build.feasible import (
    Table,
    by_minor_version,
    failing_alone,
    feasible_set,
    members,
)
from gpudoctor.prescribe.request.target import Target


@dataclass(frozen=True, slots=True)
class Relaxation:
    """What would have to be given up for a build to exist, and which build that is."""

    constraint: Constraint
    build: Build
    objections: tuple[DropReason, ...]


def ranked(
    target: Target,
    *,
    kind: str = "cuda",
    channel: str = "stable",
    installed: str | None = None,
) -> list[Build]:
    """Every build that runs on the target, the one to prefer first.

    `installed` is the torch version that is there (`2.6.0+cu124`): its release is preferred.
    """
    if target.platform is None:
        return []
    table = (kind, target.platform, channel)
    chosen = feasible_set(target, table)
    wishes = _wishes(target, installed)
    return list(_ranked(table, chosen, by_minor_version(target, table) & chosen, wishes))


@lru_cache(maxsize=8192)
def _ranked(table: Table, chosen: int, late: int, wishes: Wishes) -> tuple[Build, ...]:
    newer = frozenset(members(table, late))
    found = sorted(
        (offer.fit(wishes.gpus) for offer in members(table, chosen)),
        key=lambda fit: _preference(fit, wishes, full=fit.offer not in newer),
    )
    return tuple(fit.offer.build for fit in found)


def best(
    target: Target, *, kind: str = "cuda", channel: str = "stable", installed: str | None = None
) -> Build | None:
    """The build to prefer; `None` if none runs on the target."""
    found = ranked(target, kind=kind, channel=channel, installed=installed)
    return found[0] if found else None


class Wishes(NamedTuple):
    """What decides between builds that all run on a machine."""

    gpus: tuple[ComputeCapability, ...]
    keep: tuple[int, ...] | None
    """The release that is installed."""
    companions: tuple[str, ...]
    python: str | None
    """The Python that companions are needed for."""
    macos: str | None


def _wishes(target: Target, installed: str | None) -> Wishes:
    keep = numbers(installed) if installed and "dev" not in installed else None
    python = target.python if target.companions else None
    return Wishes(target.gpus, keep, target.companions, python, target.macos)


def _preference(fit: BuildFit, wishes: Wishes, *, full: bool) -> tuple[object, ...]:
    """What is preferred sorts first; `full`: whether the driver is as new as the build's CUDA."""
    offer = fit.offer
    beside = bool(wishes.companions)
    off_matrix = offer.build.off_matrix
    return (
        beside and not companion_wheels(offer, wishes.companions, wishes.python),
        not fit.complete,
        offer.build.platform == "macos_arm64" and not mps_serves(offer.build.torch, wishes.macos),
        offer.order != wishes.keep,
        # Builds outside the matrix were made for torch; whether their companions exist is not
        # known as surely.
        beside and off_matrix,
        offer.is_merely_listed,
        offer.newest_first,
        not fit.native,
        off_matrix,
        not full,
        not offer.is_default,
        # What few have seen comes after what a release names among its variants.
        offer.is_rarely_seen,
        offer.highest_first if full else offer.stack,
        offer.build.variant,
    )


def relaxations(target: Target, kind: str = "cuda") -> list[Relaxation]:
    """The nearest builds that one given-up constraint would allow, smallest sacrifice first.

    A build that fails on several constraints at once is listed under the first of them only if
    no build fails on that one alone.
    """
    if target.platform is None:
        return []
    alone = failing_alone(target, (kind, target.platform, "stable"))
    order: tuple[Constraint, ...] = ("driver", "python", "pin", "glibc", "macos", "code", "gfx")
    found = []
    for constraint in order:
        group = [(offer, tuple(objections(offer, target))) for offer in alone[constraint]]
        if group:
            fewest = min(len(reasons) for _, reasons in group)
            nearest = partial(_sacrifice, constraint, target)
            offer, reasons = min((e for e in group if len(e[1]) == fewest), key=nearest)
            found.append(Relaxation(constraint, offer.build, reasons))
    return found


def _sacrifice(
    constraint: Constraint, target: Target, item: tuple[Offer, tuple[DropReason, ...]]
) -> tuple[object, ...]:
    """Sorts what asks for less first: an older system before a newer release."""
    offer = item[0]
    preference = _preference(offer.fit(target.gpus), _wishes(target, None), full=True)
    if constraint == "macos":
        needed = minimum_macos(offer.build.torch, offer.build.platform, target.python)
        return (numbers(needed or ""), *preference)
    return preference


def explain(target: Target, kind: str = "cuda") -> dict[str, tuple[DropReason, ...]]:
    """Each build of the platform by its label, with the reasons against it (none: it runs)."""
    if target.platform is None:
        return {}
    return {
        offer.label: tuple(objections(offer, target)) for offer in offers(kind, target.platform)
    }


def ended(build: Build) -> tuple[str, str] | None:
    """The last release with this build's variant and the newest of all, if they differ."""
    return _ended(build.kind, build.platform, build.variant)


@cache
def _ended(kind: str, platform: str, variant: str) -> tuple[str, str] | None:
    newest = newest_on(kind, platform)
    last = max((o.order for o in offers(kind, platform) if o.build.variant == variant), default=())
    if not last or last >= newest:
        return None
    return ".".join(map(str, last)), ".".join(map(str, newest))

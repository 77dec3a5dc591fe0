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

from gpudoctor.kb.hardware.apple_gpus import mps_serves
from gpudoctor.kb.software.torch_releases import Build, minimum_macos
from gpudoctor.model.terms.version import numbers
from gpudoctor.model.value import dataclass, replace
from gpudoctor.prescribe.build import candidates
from gpudoctor.prescribe.build.candidates import (
    BuildFit,
    Constraint,
    DropReason,
    Offer,
    companion_wheels,
    driver_serves_in_full,
    newest_on,
    objections,
    offers,
)
from gpudoctor.prescribe.request.target import Target


@dataclass(frozen=True, slots=True)
class Relaxation:
    """What would have to be given up for a build to exist, and which build that is."""

    constraint: Constraint
    build: Build
    objections: tuple[DropReason, ...]


@lru_cache(maxsize=2048)
def feasible(target: Target, kind: str = "cuda", channel: str = "stable") -> tuple[Offer, ...]:
    """Every build that runs on the target, in no particular order."""
    return tuple(fit.offer for fit in candidates.feasible(target, kind, channel))


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
    keep = numbers(installed) if installed and "dev" not in installed else None
    return [offer.build for offer in _ranked(target, kind, channel, keep)]


@lru_cache(maxsize=2048)
def _ranked(
    target: Target, kind: str, channel: str, keep: tuple[int, ...] | None
) -> tuple[Offer, ...]:
    found = candidates.feasible(target, kind, channel)
    return tuple(fit.offer for fit in sorted(found, key=lambda fit: _preference(fit, target, keep)))


def best(
    target: Target, *, kind: str = "cuda", channel: str = "stable", installed: str | None = None
) -> Build | None:
    """The build to prefer; `None` if none runs on the target."""
    found = ranked(target, kind=kind, channel=channel, installed=installed)
    return found[0] if found else None


def _preference(fit: BuildFit, target: Target, keep: tuple[int, ...] | None) -> tuple[object, ...]:
    offer = fit.offer
    full = driver_serves_in_full(offer.cuda, target)
    beside = bool(target.companions)
    off_matrix = offer.build.off_matrix
    return (
        beside and not companion_wheels(offer, target),
        not fit.complete,
        offer.build.platform == "macos_arm64" and not mps_serves(offer.build.torch, target.macos),
        offer.order != keep,
        # Builds outside the matrix were made for torch; whether their companions exist is not
        # known as surely.
        beside and off_matrix,
        offer.is_merely_listed,
        offer.newest_first,
        not fit.native,
        off_matrix,
        full is False,
        not offer.is_default,
        # What few have seen comes after what a release names among its variants.
        offer.is_rarely_seen,
        offer.stack if full is False else offer.highest_first,
        offer.build.variant,
    )


def relaxations(target: Target, kind: str = "cuda") -> list[Relaxation]:
    """The nearest builds that one given-up constraint would allow, smallest sacrifice first.

    A build that fails on several constraints at once is listed under the first of them only if
    no build fails on that one alone.
    """
    if target.platform is None:
        return []
    by_constraint: dict[frozenset[Constraint], list[tuple[Offer, tuple[DropReason, ...]]]] = {}
    for offer in offers(kind, target.platform):
        reasons = tuple(objections(offer, target))
        kinds = frozenset(reason.constraint for reason in reasons)
        by_constraint.setdefault(kinds, []).append((offer, reasons))
    order: tuple[Constraint, ...] = ("driver", "python", "pin", "glibc", "macos", "code", "gfx")
    found = []
    for constraint in order:
        group = by_constraint.get(frozenset({constraint}), [])
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
    free = replace(target, driver=None, driver_cuda=None)
    if constraint == "macos":
        needed = minimum_macos(offer.build.torch, offer.build.platform, target.python)
        return (numbers(needed or ""), *_preference(offer.fit(free.gpus), free, None))
    return _preference(offer.fit(free.gpus), free, None)


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

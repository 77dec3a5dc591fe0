"""Which builds nothing speaks against: those without objections, found by intersecting sets.

A set of builds is an integer with a bit for each offer of a table. Each constraint asks for a few
facts of a machine alone, and the set that meets it is kept for the next machine that has the same;
what runs on a machine is where all sets overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache, reduce
from operator import and_

from gpudoctor.compat.amd_target import build_serves
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.model.terms.version import numbers
from gpudoctor.prescribe.build.candidates import (
    Constraint,
    Offer,
    needed_macos,
    no_interpreter,
    offers,
    satisfies,
    served_by_driver,
    too_old_for_wsl,
)
from gpudoctor.prescribe.request.target import Target

Table = tuple[str, str, str]
"""Kind, platform and channel of a table of offers."""
NONE, ALL = 0, -1


def meeting(target: Target, table: Table) -> Mapping[Constraint, int]:
    """The set of the offers that meet each constraint of a target."""
    musl = target.libc == "musl"
    glibc = target.glibc if target.os == "linux" else None
    driver = (target.driver, target.driver_cuda, target.floor_os)
    serves, in_full = _under_driver(table, driver)
    native, with_ptx = _with_code(table, target.gpus)
    return {
        "pin": reduce(and_, (_satisfying(table, pin.specifier) for pin in target.pins), ALL),
        "python": NONE if no_interpreter(target) else _for_python(table, target.python),
        "glibc": NONE if musl else _from_glibc(table, glibc) if glibc else ALL,
        "macos": _from_macos(table, target.macos, target.python) if target.macos else ALL,
        "code": native | (with_ptx & in_full),
        "driver": serves,
        "gfx": NONE if too_old_for_wsl(target) else _with_gfx(table, target.gfx),
    }


def feasible(target: Target, kind: str = "cuda", channel: str = "stable") -> tuple[Offer, ...]:
    """Every build that runs on the target, in no particular order."""
    if target.platform is None:
        return ()
    table = (kind, target.platform, channel)
    return _listed(table, feasible_set(target, table))


def feasible_set(target: Target, table: Table) -> int:
    """The same as a set, for a target whose platform is the table's."""
    return reduce(and_, meeting(target, table).values())


def failing_alone(target: Target, table: Table) -> Mapping[Constraint, tuple[Offer, ...]]:
    """For each constraint of a target, the offers that meet all but that one."""
    met = meeting(target, table)
    found = {}
    for constraint in met:
        others = (offers_ for name, offers_ in met.items() if name != constraint)
        missed = _everything(table) & ~met[constraint]
        found[constraint] = _listed(table, reduce(and_, others, missed))
    return found


def by_minor_version(target: Target, table: Table) -> int:
    """The set of the offers whose CUDA is newer than the target's driver."""
    driver = (target.driver, target.driver_cuda, target.floor_os)
    return _everything(table) & ~_under_driver(table, driver)[1]


def _everything(table: Table) -> int:
    return (1 << len(offers(*table))) - 1


def members(table: Table, chosen: int) -> Iterator[Offer]:
    """The offers of a set."""
    every = offers(*table)
    while chosen:
        lowest = chosen & -chosen
        yield every[lowest.bit_length() - 1]
        chosen ^= lowest


@lru_cache(maxsize=4096)
def _listed(table: Table, chosen: int) -> tuple[Offer, ...]:
    return tuple(members(table, chosen))


def _set(which: Iterable[bool]) -> int:
    return sum(1 << place for place, inside in enumerate(which) if inside)


@lru_cache(maxsize=4096)
def _with_code(table: Table, gpus: tuple[ComputeCapability, ...]) -> tuple[int, int]:
    """The offers with machine code for all GPUs, and those that serve some through PTX alone."""
    covers = [{offer.coverage(gpu) for gpu in gpus} for offer in offers(*table)]
    native = _set(cover <= {"native"} for cover in covers)
    return native, _set("none" not in cover for cover in covers)


@lru_cache(maxsize=512)
def _with_gfx(table: Table, gfx: tuple[str, ...]) -> int:
    if not gfx:
        return ALL
    return _set(all(build_serves(o.build, name) for name in gfx) for o in offers(*table))


@lru_cache(maxsize=512)
def _for_python(table: Table, python: str | None) -> int:
    return ALL if python is None else _set(python in offer.pythons for offer in offers(*table))


@lru_cache(maxsize=512)
def _satisfying(table: Table, specifier: str) -> int:
    return _set(
        satisfies(offer.build.torch, offer.build.local, specifier) for offer in offers(*table)
    )


@lru_cache(maxsize=512)
def _from_glibc(table: Table, glibc: str) -> int:
    have = numbers(glibc)
    return _set(have >= offer.glibc for offer in offers(*table))


@lru_cache(maxsize=512)
def _from_macos(table: Table, macos: str, python: str | None) -> int:
    have = numbers(macos)[:2]
    needed = (needed_macos(offer, python) for offer in offers(*table))
    return _set(lowest is None or have >= numbers(lowest) for lowest in needed)


@lru_cache(maxsize=1024)
def _under_driver(table: Table, driver: tuple[str | None, str | None, str]) -> tuple[int, int]:
    """The offers whose CUDA a driver runs at all, and those whose PTX it may compile."""
    served = [served_by_driver(offer.cuda, *driver) for offer in offers(*table)]
    return (
        _set(at_all for at_all, _ in served),
        _set(in_full is not False for _, in_full in served),
    )

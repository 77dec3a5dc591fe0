"""Chooses torch and what belongs to it together, as a resolver of requirements does.

Every tool takes the best version of a package that its rules let it see, and goes back where two
demands exclude each other. What it sees, and in which order, is the tool's own; this is common.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gpudoctor.manifests.choice import Choice
from gpudoctor.manifests.install_file import UnreadPart, Wish
from gpudoctor.manifests.resolvers.library_pins import Pins
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.universe import TORCH, Candidate
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.specifier import allows
from gpudoctor.model.value import dataclass, field

_MAX_STEPS = 20_000

Pool = Callable[[str], Sequence[Candidate] | None]
"""The versions of a package that a tool sees, best first; `None`: that cannot be known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be resolved, and what to say of it."""

    tool: str
    assumption: str
    wishes: Mapping[str, Sequence[Wish]]
    pools: Callable[[Scene], Pool]
    """What the tool sees on a platform and Python."""
    scene: Scene
    path: str
    where: str
    """The indexes for a sentence: `PyPI and cu128`."""
    urls: tuple[str, ...] = ()
    """The same, where torch is looked for."""
    gaps: tuple[UnreadPart, ...] = ()
    installed: Mapping[str, Choice] = field(default_factory=dict)
    """What is there already, and stays where it satisfies."""
    pins: Pins = field(default_factory=dict)
    """Releases of NVIDIA's libraries that are asked for."""
    gone: tuple[tuple[str, FileAt], ...] = ()
    """Requirements from a folder that only the builder of a conda package had."""
    no_binary: str = ""
    """The packages that may not come as wheels, by commas: `torch`, or `all,-numpy`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """What is chosen, or what hinders it."""

    chosen: tuple[Candidate, ...] = ()
    missing: str | None = None
    """The package of which nothing fits its own requirements."""
    open: str | None = None
    """The package whose versions cannot be known."""
    conflict: tuple[str, ...] = ()
    """Packages whose requirements exclude each other."""


def solve(wishes: Mapping[str, Sequence[Wish]], pool: Pool) -> Solution:
    """The best versions that fit together of the packages that are wished for.

    Raises:
        ValueError: a specifier is none.
    """
    seen: dict[str, Sequence[Candidate]] = {}
    for name in _ordered(wishes):
        found = pool(name)
        if found is None:
            return Solution(open=name)
        fitting = [item for item in found if fits(item, wishes.get(name, ()))]
        if not fitting:
            return Solution(missing=name)
        seen[name] = fitting
    if TORCH not in seen and any(item.torch for row in seen.values() for item in row):
        found = pool(TORCH)
        if found is None:
            return Solution(open=TORCH)
        seen[TORCH] = [item for item in found if fits(item, wishes.get(TORCH, ()))]
    names = list(seen)
    steps = [0]

    def extend(chosen: list[Candidate]) -> list[Candidate] | None:
        if len(chosen) == len(names):
            return chosen
        for item in seen[names[len(chosen)]]:
            steps[0] += 1
            if steps[0] > _MAX_STEPS:
                return None
            if all(_together(item, other) for other in chosen):
                found = extend([*chosen, item])
                if found is not None:
                    return found
        return None

    chosen = extend([])
    if chosen is None:
        return Solution(conflict=tuple(names))
    return Solution(chosen=tuple(chosen))


def places(wishes: Mapping[str, Sequence[Wish]], names: Sequence[str]) -> tuple[FileAt, ...]:
    """Where packages are asked for."""
    return tuple(dict.fromkeys(wish.at for name in names for wish in wishes.get(name, ())))


def _ordered(wishes: Mapping[str, Sequence[Wish]]) -> list[str]:
    """What brings a package: pinned ones first, then as written."""
    brought = [name for name, rows in wishes.items() if any(not row.constraint for row in rows)]
    return sorted(brought, key=lambda name: not any(_pins(row) for row in wishes[name]))


def _pins(wish: Wish) -> bool:
    return "==" in wish.specifier and "*" not in wish.specifier


def fits(candidate: Candidate, wishes: Sequence[Wish]) -> bool:
    """Whether a version is one that every wish allows; a file named directly is."""
    return all(w.url or not w.specifier or allows(w.specifier, candidate.version) for w in wishes)


def _together(one: Candidate, other: Candidate) -> bool:
    return _accepts(one, other) and _accepts(other, one)


def _accepts(one: Candidate, other: Candidate) -> bool:
    wanted = one.torch if other.name == TORCH else one.triton if other.name == "triton" else ""
    return not wanted or allows(wanted, other.version)

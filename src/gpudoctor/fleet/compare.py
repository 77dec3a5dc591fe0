"""Machines side by side: those that are alike in one group, and what sets the others apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gpudoctor.errors import UsageError
from gpudoctor.fleet.machine import ASPECTS, Seen, Told, seen
from gpudoctor.fleet.sources import MachineDocument, Unreadable
from gpudoctor.model.report import GRAVITY, Verdict, gravest
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """An aspect in which a group is not like the others: what it has, and what they have."""

    aspect: str
    value: str
    expected: str

    def __str__(self) -> str:
        return f"{self.aspect} {self.value}, not {self.expected}"


@dataclass(frozen=True, slots=True)
class Group:
    """Machines that are alike."""

    machines: tuple[str, ...]
    seen: Seen
    differences: tuple[Difference, ...] = ()
    """From the largest group; none for that one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """All machines: the largest group first, then the others, gravest first."""

    groups: tuple[Group, ...] = ()
    missing: tuple[str, ...] = ()
    """Machines that should have reported and did not."""
    unreadable: tuple[Unreadable, ...] = ()
    fail_on: str = "error"

    @property
    def count(self) -> int:
        """How many machines reported."""
        return sum(len(group.machines) for group in self.groups)

    @property
    def verdict(self) -> Verdict:
        """The gravest of the machines'; unknown where one is silent or cannot be read."""
        found = {group.seen.verdict for group in self.groups}
        if self.missing or self.unreadable or not self.groups:
            found.add("unknown")
        return gravest(found)

    @property
    def exit_code(self) -> int:
        """1 with a finding at or above `fail_on` anywhere; else 3 if one could not be judged."""
        grave = {"error": ("error",), "warning": ("error", "warning"), "never": ()}[self.fail_on]
        if any(told.severity in grave for group in self.groups for told in group.seen.findings):
            return 1
        unknown = any(group.seen.verdict == "unknown" for group in self.groups)
        return 3 if unknown or self.missing or self.unreadable or not self.groups else 0

    def verdicts(self) -> dict[Verdict, int]:
        """How many machines have each verdict."""
        counts: dict[Verdict, int] = dict.fromkeys(reversed(GRAVITY), 0)
        for group in self.groups:
            counts[group.seen.verdict] += len(group.machines)
        return counts

    def findings(self) -> list[tuple[Told, tuple[str, ...]]]:
        """Every finding with the machines that have it, errors first, then the most frequent."""
        where: dict[str, tuple[Told, list[str]]] = {}
        for group in self.groups:
            for told in group.seen.findings:
                where.setdefault(told.code, (told, []))[1].extend(group.machines)
        rank = {"error": 0, "warning": 1, "info": 2}
        ordered = sorted(where.values(), key=lambda pair: (rank[pair[0].severity], -len(pair[1])))
        return [(told, tuple(dict.fromkeys(machines))) for told, machines in ordered]


def fleet_of(
    documents: Iterable[MachineDocument | Unreadable],
    expected: Sequence[str] = (),
    fail_on: str = "error",
) -> Fleet:
    """The documents compared; of a machine that reported twice the last word counts."""
    machines: dict[str, Seen] = {}
    known: dict[Seen, Seen] = {}
    broken: list[Unreadable] = []
    for entry in documents:
        if isinstance(entry, Unreadable):
            broken.append(entry)
            continue
        try:
            found = seen(entry.value)
        except UsageError as error:
            broken.append(Unreadable(entry.name, str(error)))
        else:
            machines[entry.name] = known.setdefault(found, found)
    groups: dict[Seen, list[str]] = {}
    for name, found in machines.items():
        groups.setdefault(found, []).append(name)
    return Fleet(
        groups=_compared(groups),
        missing=_silent(expected, machines),
        unreadable=tuple(broken),
        fail_on=fail_on,
    )


def _silent(expected: Sequence[str], machines: Iterable[str]) -> tuple[str, ...]:
    """Who did not report; a machine's file may be called after its host's short or full name."""
    names = set(machines)
    short = {name.split(".")[0] for name in names if "." in name}
    return tuple(
        name
        for name in expected
        if name not in names and name not in short and name.split(".")[0] not in names
    )


def _compared(groups: dict[Seen, list[str]]) -> tuple[Group, ...]:
    if not groups:
        return ()
    usual = max(groups, key=lambda each: (len(groups[each]), GRAVITY.index(each.verdict)))
    others = sorted(
        (each for each in groups if each is not usual),
        key=lambda each: (GRAVITY.index(each.verdict), -len(groups[each])),
    )
    return tuple(
        Group(tuple(groups[each]), each, _differences(each, usual)) for each in (usual, *others)
    )


def _differences(one: Seen, usual: Seen) -> tuple[Difference, ...]:
    found = []
    for aspect, value, expected in zip(ASPECTS, one.aspects, usual.aspects, strict=True):
        if value == expected:
            continue
        if aspect == "packages":
            mine, theirs = set(value.split(", ")), set(expected.split(", "))
            value, expected = ", ".join(sorted(mine - theirs)), ", ".join(sorted(theirs - mine))
        found.append(Difference(aspect, value or "none", expected or "none"))
    return tuple(found)

"""The registry: every rule by name, in an order that puts causes before consequences."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.value import dataclass
from gpudoctor.rules.engine import families
from gpudoctor.rules.engine.case import Case

Judge = Callable[[Case], Iterator[Finding | Unknown]]
"""What a rule is: a pure function of the case.

It yields findings, and an `Unknown` where it lacks a fact about one of several things (one GPU's
compute capability, say) while it can judge the others.
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule and what it stands in relation to."""

    name: str
    """Its name in the catalogue; a rule makes findings of this name alone."""
    judge: Judge
    needs: tuple[str, ...] = ()
    """Paths of facts without which it cannot run; with one of them unknown it is not judged."""
    uses: tuple[str, ...] = ()
    """Paths of facts that it looks at where they are known: silent without one of them, it is
    reported as not judged too. `gpus[*].name` stands for the field of every GPU."""
    unless: tuple[str, ...] = ()
    """Names of findings that say the same more precisely: with one of them made, it is silent."""
    follows: tuple[str, ...] = ()
    """Names of findings that would explain this one: it is then listed as their consequence."""
    where: str | None = None
    """The kind of sheet without which it finds nothing (`families.places`); `None`: any."""
    gravest: Severity | None = None
    """The gravest severity of what it finds; `None`: what the catalogue says."""


_REGISTRY: dict[str, Rule] = {}


def rule(
    name: str,
    *,
    needs: tuple[str, ...] = (),
    uses: tuple[str, ...] = (),
    unless: tuple[str, ...] = (),
    follows: tuple[str, ...] = (),
    where: str | None = None,
    gravest: Severity | None = None,
) -> Callable[[Judge], Judge]:
    """Register the function as the rule `name`; see `Rule` for the arguments."""

    def register(judge: Judge) -> Judge:
        if name in _REGISTRY:
            raise ValueError(f"two rules are called {name}")
        _REGISTRY[name] = Rule(name, judge, needs, uses, unless, follows, where, gravest)
        return judge

    return register


def rules() -> tuple[Rule, ...]:
    """All rules, family by family; each stands behind those whose findings it looks at.

    Whoever imported a family early changes nothing.
    """
    families.load()
    place = {f"gpudoctor.rules.{name}": number for number, name in enumerate(families.FAMILIES)}
    last = len(place)
    ordered = sorted(_REGISTRY.values(), key=lambda r: place.get(r.judge.__module__, last))
    return _in_order(tuple(ordered))


def _in_order(found: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """A stable topological order: the order of registration wherever relations leave it open."""
    by_name = {entry.name: entry for entry in found}
    ordered: dict[str, Rule] = {}
    waiting: set[str] = set()

    def place(entry: Rule) -> None:
        if entry.name in ordered:
            return
        if entry.name in waiting:
            raise ValueError(f"the rule {entry.name} stands behind itself")
        waiting.add(entry.name)
        for name in (*entry.unless, *entry.follows):
            if name in by_name:
                place(by_name[name])
        ordered[entry.name] = entry

    for entry in found:
        place(entry)
    return tuple(ordered.values())

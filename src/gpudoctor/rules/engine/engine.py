"""The engine: runs every rule on a fact sheet and puts the findings in order."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from gpudoctor.kb.findings import catalogue
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.identity import Identical
from gpudoctor.model.sheet import FactSheet, parents
from gpudoctor.model.terms.shell import sentence_step
from gpudoctor.model.value import dataclass, replace
from gpudoctor.rules.engine.all_rules import Rule, rules
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.families import ONLY_WHERE, places
from gpudoctor.rules.engine.wording import finding

CRASHED = "rule-crashed"
EACH_GPU = "gpus[*]."
"""A path that begins so stands for that field of every GPU."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say about one fact sheet."""

    findings: tuple[Finding, ...] = ()
    """Root cause first; what follows from a finding stands right behind it."""
    not_judged: tuple[Unknown, ...] = ()
    """Rules that could not run, or not on everything: `fact` is the rule's name, `reason` names
    the fact that is missing and why it is, `source` is the path of that fact."""


def judge(sheet: FactSheet) -> Judgement:
    """Run every rule on the sheet.

    Pure: no input or output, the same sheet gives the same judgement. A rule with an unknown
    fact among its needs does not run and stands in `not_judged`; a rule that raises becomes a
    finding of its own, and the others are judged all the same.
    """
    return judge_with(sheet, _prepared())


def findings_of(sheet: FactSheet, least: Severity = Severity.INFO) -> tuple[Finding, ...]:
    """The findings of `judge` that are as grave as `least`, in a fraction of its time.

    For those who judge many sheets in a row: why rules could not run is not worked out, and what
    is less grave is not named as a cause.
    """
    runnable = _runnable(Identical(sheet.unknown), places(sheet.facts), least)
    found = judge_with(sheet, runnable, explain=False).findings
    if least is Severity.INFO:
        return found
    return tuple(entry for entry in found if entry.severity.rank <= least.rank)


@functools.lru_cache(maxsize=1024)
def _runnable(
    unknown: Identical[tuple[Unknown, ...]], here: frozenset[str], least: Severity
) -> tuple[Prepared, ...]:
    """The rules that may find something so grave in such a place, with facts that are known."""
    paths = {entry.fact for entry in unknown.value}
    kinds = {entry.kind for entry in unknown.value}
    return tuple(
        entry
        for entry in _as_grave_as(least)
        if entry.blockers.isdisjoint(paths)
        and (entry.where is None or entry.where in here or entry.where in kinds)
    )


@functools.cache
def _as_grave_as(least: Severity) -> tuple[Prepared, ...]:
    """The rules that may find something so grave, and those that silence them."""
    if least is Severity.INFO:
        return _prepared()
    kept = {entry.rule.name for entry in _prepared() if _gravest_of(entry.rule).rank <= least.rank}
    for entry in reversed(_prepared()):  # what silences a rule stands before it
        if entry.rule.name in kept:
            kept.update(entry.rule.unless)
    return tuple(entry for entry in _prepared() if entry.rule.name in kept)


def _gravest_of(rule: Rule) -> Severity:
    return rule.gravest or Severity(catalogue.severities()[rule.name])


@dataclass(frozen=True, slots=True)
class Prepared:
    """A rule with the chains of paths that can make its needs unknown."""

    rule: Rule
    needs: tuple[tuple[str, frozenset[str]], ...]
    uses: tuple[tuple[str, frozenset[str]], ...]
    blockers: frozenset[str]
    """Unknown paths that keep it from running, those of single GPUs aside."""
    asks_gpus: bool
    """Whether it needs facts of single GPUs."""
    where: str | None = None
    """The kind of machine without which it finds nothing; `None`: it may find something on any."""


def prepare(found: Iterable[Rule]) -> tuple[Prepared, ...]:
    """Work out once what every judgement needs again."""
    return tuple(
        Prepared(
            entry,
            _chains(entry.needs),
            _chains(entry.uses),
            frozenset(
                step
                for path in entry.needs
                if not path.startswith(EACH_GPU)
                for step in parents(path)
            ),
            any(path.startswith(EACH_GPU) for path in entry.needs),
            entry.where or ONLY_WHERE.get(entry.judge.__module__.removeprefix("gpudoctor.rules.")),
        )
        for entry in found
    )


def _chains(paths: tuple[str, ...]) -> tuple[tuple[str, frozenset[str]], ...]:
    return tuple((path, frozenset(parents(path))) for path in paths)


@functools.cache
def _prepared() -> tuple[Prepared, ...]:
    return prepare(rules())


def judge_with(
    sheet: FactSheet, prepared: Sequence[Prepared], *, explain: bool = True
) -> Judgement:
    """`judge` with other rules than the registered ones, which tests use.

    With `explain=False` it does not say which rules could not run.
    """
    case = Case(sheet)
    made: dict[str, list[Finding]] = {}
    not_judged: list[Unknown] = []
    gaps = bool(case.unknown)
    for entry in prepared:
        rule = entry.rule
        if made and rule.unless and not made.keys().isdisjoint(rule.unless):
            continue
        asked = gaps and (explain or entry.asks_gpus)
        if asked and (missing := _missing(entry.needs, case)):
            not_judged.append(_not_judged(rule, *missing))
            continue
        try:
            said = list(rule.judge(case))
        except Exception as error:
            made.setdefault(CRASHED, []).append(_crash(rule, error))
            continue
        if gaps and explain and not said and (missing := _missing(entry.uses, case)):
            not_judged.append(_not_judged(rule, *missing))
        for item in said:
            if isinstance(item, Unknown):
                if explain:
                    not_judged.append(_not_judged(rule, item.fact, item))
            else:
                made.setdefault(item.name, []).append(_with_cause(item, rule, made))
    return Judgement(_in_order(made), tuple(dict.fromkeys(not_judged)))


def _missing(
    chains: tuple[tuple[str, frozenset[str]], ...], case: Case
) -> tuple[str, Unknown] | None:
    """The first of the paths that is unknown, and why it is."""
    for path, chain in chains:
        if path.startswith(EACH_GPU):
            if found := case.unknown_of_a_gpu(path.removeprefix(EACH_GPU)):
                return found
        elif not chain.isdisjoint(case.unknown):
            return path, next(case.unknown[step] for step in parents(path) if step in case.unknown)
    return None


def _not_judged(rule: Rule, path: str, unknown: Unknown) -> Unknown:
    return Unknown(rule.name, f"{path} is unknown: {unknown.reason}", path, unknown.kind)


def _crash(rule: Rule, error: Exception) -> Finding:
    return finding(
        CRASHED,
        f"The rule {rule.name} of gpudoctor failed",
        "This is a fault of gpudoctor, not of your machine. The other rules were judged all the "
        "same; whether this one would have found something is unknown.",
        severity=Severity.WARNING,
        evidence=(Evidence(fact=f"rules.{rule.name}", value=f"{type(error).__name__}: {error}"),),
        remedies=(
            sentence_step("manual", "Please report it with the output of `gpudoctor facts`."),
        ),
    )


def _with_cause(found: Finding, rule: Rule, made: dict[str, list[Finding]]) -> Finding:
    """The finding with the first of the rule's possible causes that was found for its GPUs."""
    if found.caused_by is not None:
        return found
    for name in rule.follows:
        if any(_same_gpus(found, cause) for cause in made.get(name, ())):
            return replace(found, caused_by=name)
    return found


def _same_gpus(one: Finding, other: Finding) -> bool:
    return not one.gpus or not other.gpus or not set(one.gpus).isdisjoint(other.gpus)


def _in_order(made: dict[str, list[Finding]]) -> tuple[Finding, ...]:
    """Roots by severity, each followed by what it causes; else the order of the rules."""
    found = [item for items in made.values() for item in items]
    children: dict[str, list[Finding]] = {}
    roots = []
    for item in found:
        if item.caused_by is not None and item.caused_by in made:
            children.setdefault(item.caused_by, []).append(item)
        else:
            roots.append(item)
    ordered: list[Finding] = []
    placed: set[str] = set()

    def place(item: Finding) -> None:
        ordered.append(item)
        if item.name in placed:
            return
        placed.add(item.name)
        for child in sorted(children.get(item.name, ()), key=lambda found: found.severity.rank):
            place(child)

    for root in sorted(roots, key=lambda root: _gravest(root, children)):
        place(root)
    return tuple(ordered)


def _gravest(item: Finding, children: dict[str, list[Finding]]) -> int:
    """The rank of the worst severity in the tree below a finding."""
    ranks = [_gravest(child, children) for child in children.get(item.name, ())]
    return min([item.severity.rank, *ranks])

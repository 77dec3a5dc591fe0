"""Puts the causes behind the messages and the findings of the rules in one order."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.kb.findings import catalogue, signatures
from gpudoctor.kb.findings.signatures import Cause
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.value import dataclass
from gpudoctor.triage.signatures.marks import Marks
from gpudoctor.triage.signatures.match import Hit

CERTAIN = 85
"""From here on the text names the cause."""
ENOUGH = 40
"""Below this nothing is said: other texts say the same without anything being wrong."""
LIKELY = 55
"""From here on a special case stands before the general cause of its message."""
_NEAR = 30
_NEAR_CERTAIN = 24
_MOST = 5

# What a rule found in the facts, where no message speaks of it, and where one does.
_RULE_ALONE = {Severity.ERROR: 64, Severity.WARNING: 46}
_RULE_CONFIRMS = 24
_MORE_HITS = 3
# A harmless warning stands behind whatever else the text complains of.
_HARMLESS = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedCause:
    """One cause with what speaks for it."""

    name: str
    score: int
    hits: tuple[Hit, ...] = ()
    finding: Finding | None = None
    """What a rule says of it, where one found it in the facts."""


def rank(found: Sequence[Hit], judged: Sequence[Finding], marks: Marks) -> tuple[RankedCause, ...]:
    """Candidates, likeliest first; what is too weak to be said is left out."""
    scores: dict[str, int] = {}
    support: dict[str, list[tuple[int, Hit]]] = {}
    for hit in found:
        for cause in hit.signature.causes:
            weight = cause.weight + sum(
                points for name, points in cause.when.items() if marks.holds(name)
            )
            weight -= _against(cause, marks)
            support.setdefault(cause.name, []).append((weight, hit))
    for name, weighed in support.items():
        best = max(weight for weight, _ in weighed)
        more = sum(1 for weight, _ in weighed if weight >= ENOUGH) - 1
        scores[name] = best + _MORE_HITS * max(0, min(2, more))
    rules = {item.name: item for item in reversed(judged) if item.severity is not Severity.INFO}
    for name, item in rules.items():
        alone = _RULE_ALONE[item.severity]
        scores[name] = max(scores[name], alone) + _RULE_CONFIRMS if name in scores else alone
    _yield_to_the_specific(scores)
    candidates = [
        RankedCause(
            name=name,
            score=score,
            hits=tuple(hit for _, hit in sorted(support.get(name, ()), key=lambda pair: -pair[0])),
            finding=rules.get(name),
        )
        for name, score in scores.items()
        if score >= ENOUGH - 6
    ]
    grave = any(c.score >= ENOUGH and _severity(c.name) != "info" for c in candidates)

    def order(candidate: RankedCause) -> int:
        demoted = _HARMLESS if grave and _severity(candidate.name) == "info" else 0
        return demoted - candidate.score

    return _cut(sorted(candidates, key=order))


def _against(cause: Cause, marks: Marks) -> int:
    """The points that the rest of the text takes off a cause whose message says nothing of it."""
    return sum(
        row.points
        for row in signatures.against()
        if cause.name in row.causes
        and row.mark not in cause.when
        and marks.holds(row.mark)
        and not marks.holds(row.unless)
    )


def _yield_to_the_specific(scores: dict[str, int]) -> None:
    """A general cause that a special one explains stands behind it."""
    for specific, general in signatures.precedence().items():
        own = scores.get(specific, 0)
        if own < LIKELY:
            continue
        for name in general & scores.keys():
            if scores[name] >= own:
                scores[specific] = max(scores[specific], min(scores[name], CERTAIN))
                scores[name] = scores[specific] - 1


def _severity(name: str) -> str:
    return catalogue.entry(name).severity


def _cut(ordered: list[RankedCause]) -> tuple[RankedCause, ...]:
    """The first if it is strong enough, with its rivals; further certain ones always."""
    if not ordered or ordered[0].score < ENOUGH:
        return ()
    best = ordered[0].score
    near = _NEAR if best < CERTAIN else _NEAR_CERTAIN
    kept = [
        candidate
        for position, candidate in enumerate(ordered)
        if candidate.score >= CERTAIN
        or candidate.finding is not None
        or (candidate.score >= best - near and position < _MOST)
    ]
    return tuple(kept)

"""What one collector hands over: a part of a fact sheet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Facts
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import dataclass, field, replace


@dataclass(frozen=True)
class Fragment:
    """Facts of one collector.

    `values` maps fields of `Facts` to their values; `unknown` names what could not be had, with
    full paths (`torch.sass`); `sources` maps paths to where they were read; `timings` maps the
    names of the collector's parts to milliseconds.
    """

    values: Mapping[str, object] = field(default_factory=dict)
    unknown: tuple[Unknown, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)


def merge(fragments: Iterable[Fragment]) -> FactSheet:
    """One fact sheet of all fragments; where two give the same field, the later one counts."""
    values: dict[str, object] = {}
    unknown: dict[str, Unknown] = {}
    sources: dict[str, str] = {}
    timings: dict[str, float] = {}
    for fragment in fragments:
        values |= fragment.values
        for entry in fragment.unknown:
            unknown.setdefault(entry.fact, entry)
        sources |= fragment.sources
        timings |= fragment.timings
    facts = replace(Facts(), **values)  # type: ignore[arg-type]  # names are checked by replace
    return FactSheet(facts, tuple(unknown.values()), sources, timings)

"""A fact sheet: facts, what is unknown of them and why, and where each was read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from gpudoctor.model.fact import Absent, Fact, Known, Unknown
from gpudoctor.model.facts import Facts
from gpudoctor.model.identity import Identical
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.value import cached_property, dataclass, field

_STEP = late_pattern(r"([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class FactSheet:
    """What is known of a machine.

    `unknown` names paths into `facts` (`driver.version`, `gpus[0].uuid`): a path that stands
    there, or whose parent does, is unknown, whatever the field's value. `sources` says where
    paths were read; a path without one of its own has its parent's.
    """

    facts: Facts = field(default_factory=Facts)
    unknown: tuple[Unknown, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    timings_ms: Mapping[str, float] = field(default_factory=dict)

    def why_unknown(self, path: str) -> Unknown | None:
        """The entry that makes `path` unknown, its own or a parent's; `None` if it is known."""
        if not self.unknown:
            return None
        known_not = self.unknown_by_path
        for step in parents(path):
            if step in known_not:
                return known_not[step]
        return None

    @cached_property
    def unknown_by_path(self) -> Mapping[str, Unknown]:
        """The first entry for each unknown path."""
        return by_path(Identical(self.unknown)) if self.unknown else {}

    def source(self, path: str) -> str:
        """Where `path` was read; empty if nobody said."""
        for step in parents(path):
            if step in self.sources:
                return self.sources[step]
        return ""

    def fact(self, path: str) -> Fact[Any]:
        """The fact at `path` (`torch.sass`, `gpus[1].name`), as known, absent or unknown.

        Raises:
            AttributeError: no such field; a mistake in the caller, never in the data.
        """
        if entry := self.why_unknown(path):
            return entry
        value: Any = self.facts
        for name, index in _STEP.findall(path):
            if value is None:
                break
            if index:
                value = value[int(index)] if int(index) < len(value) else None
            else:
                value = getattr(value, name)
        source = self.source(path)
        return Absent(source) if value is None else Known(value, source)


@lru_cache(maxsize=64)
def by_path(unknown: Identical[tuple[Unknown, ...]]) -> Mapping[str, Unknown]:
    """The first entry for each path."""
    found: dict[str, Unknown] = {}
    for entry in unknown.value:
        found.setdefault(entry.fact, entry)
    return found


@lru_cache(maxsize=2048)
def parents(path: str) -> tuple[str, ...]:
    """`gpus[0].uuid` → itself, `gpus[0]`, `gpus`."""
    result = [path]
    while (cut := max(path.rfind("."), path.rfind("["))) > 0:
        path = path[:cut]
        result.append(path)
    return tuple(result)

"""Fact sheets can come from anywhere: whatever stands in them, no rule crashes on it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gpudoctor import rules
from gpudoctor.model.sheet import FactSheet
from unit.rules.firing import FIRES, HEALTHY

SHEETS = [*FIRES.values(), *HEALTHY.values()]
ODD = [
    "",
    " ",
    "-1",
    "9" * 400,
    "sm_",
    "sm_90z",
    "lto_80",
    "12.x",
    "٣.٤",
    "+cu",
    "==",
    "gfx",
    "gfx1",
    "570..",
    "\x1b[31m",
    "None",
    "GPU-",
    ",,",
    "cu99torch9.99cxx11abiTRUE",
    "NVRM: Xid (PCI:: 79",
]
texts = st.one_of(st.sampled_from(ODD), st.text(max_size=20))
numbers = st.sampled_from([-1, 0, 1, 803, 10**18])


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every text, number and flag in a value, with the way to it."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from leaves(getattr(value, field.name), (*path, field.name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, (str, int)):
        yield path, value


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """The value with another leaf at the end of the path."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if dataclasses.is_dataclass(value):
        inner = put(getattr(value, step), rest, new)
        return dataclasses.replace(value, **{step: inner})  # type: ignore[type-var]
    if isinstance(value, tuple):
        return (*value[:step], put(value[step], rest, new), *value[step + 1 :])
    return {**value, step: put(value[step], rest, new)}


@given(st.data())
def test_no_rule_crashes_whatever_a_sheet_says(data: st.DataObject) -> None:
    sheet = data.draw(st.sampled_from(SHEETS))
    facts = sheet.facts
    for _ in range(data.draw(st.integers(1, 3))):
        path, old = data.draw(st.sampled_from(list(leaves(facts))))
        kind = (
            st.booleans() if isinstance(old, bool) else texts if isinstance(old, str) else numbers
        )
        facts = put(facts, path, data.draw(kind))
    judgement = rules.judge(FactSheet(facts, sheet.unknown))
    crashed = [f.evidence[0] for f in judgement.findings if f.name == "rule-crashed"]
    assert crashed == []


@given(st.data())
def test_no_rule_crashes_on_a_fact_that_is_not_there(data: st.DataObject) -> None:
    """Optional fields are `None` where nobody found anything."""
    sheet = data.draw(st.sampled_from(SHEETS))
    facts = sheet.facts
    paths = [path for path, _ in leaves(facts) if len(path) == 2 and isinstance(path[1], str)]
    section, name = data.draw(st.sampled_from([p for p in paths if p[0] != "environment"]))
    holder = getattr(facts, section)
    field = next(f for f in dataclasses.fields(holder) if f.name == name)
    if "None" in str(field.type):
        facts = put(facts, (section, name), None)
    judgement = rules.judge(FactSheet(facts, sheet.unknown))
    assert "rule-crashed" not in {f.name for f in judgement.findings}

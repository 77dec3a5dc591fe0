"""The short judgement leaves rules out that can find nothing: it finds what the long one does."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

import pytest

from gpudoctor.kb.findings import catalogue
from gpudoctor.model.finding import Severity
from gpudoctor.model.sheet import FactSheet
from gpudoctor.rules import findings_of, judge
from gpudoctor.rules.engine.all_rules import rules
from unit.rules.firing import FIRES, HEALTHY, TEMPTS

SHEETS = {
    **{f"{name} fires": sheet for name, sheet in FIRES.items()},
    **{f"{name}: {why}": sheet for name, why, sheet in TEMPTS},
    **{f"healthy: {name}": sheet for name, sheet in HEALTHY.items()},
}
LEVELS = {level.upper(): Severity(level) for level in ("error", "warning", "info")}


@pytest.mark.parametrize("name", SHEETS)
def test_short_and_long_judgement_find_the_same(name: str) -> None:
    sheet = SHEETS[name]
    assert findings_of(sheet) == judge(sheet).findings


@pytest.mark.parametrize("least", [Severity.ERROR, Severity.WARNING])
def test_what_is_less_grave_is_left_out_and_nothing_else(least: Severity) -> None:
    def said(sheet: FactSheet, short: bool) -> list[tuple[str, str, str]]:
        found = findings_of(sheet, least) if short else judge(sheet).findings
        grave = [f for f in found if f.severity.rank <= least.rank]
        return sorted((f.name, f.severity.value, f.title) for f in grave)

    differ = [name for name, sheet in SHEETS.items() if said(sheet, True) != said(sheet, False)]
    assert differ == []


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)
def test_no_rule_finds_anything_graver_than_it_says(rule) -> None:
    gravest = rule.gravest or Severity(catalogue.entry(rule.name).severity)
    graver = [level.value for level in _severities(rule) if level.rank < gravest.rank]
    assert graver == []


def _severities(rule) -> Iterator[Severity]:
    """The severities that the source of a rule's module writes into findings of its name."""
    tree = ast.parse(inspect.getsource(inspect.getmodule(rule.judge)))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        named = [arg.value for arg in call.args if isinstance(arg, ast.Constant)]
        if rule.name not in named:
            continue
        for given in (word.value for word in call.keywords if word.arg == "severity"):
            yield from (
                LEVELS[node.attr]
                for node in ast.walk(given)
                if isinstance(node, ast.Attribute) and node.attr in LEVELS
            )

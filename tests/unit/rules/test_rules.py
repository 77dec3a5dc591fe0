"""Each rule fires where it should, and not where it only looks so."""

from __future__ import annotations

import re

import pytest

from gpudoctor import rules
from gpudoctor.kb.findings import catalogue
from gpudoctor.model.finding import Severity
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.step import Step
from gpudoctor.prescribe import Options, prescribe
from gpudoctor.rules.engine.all_rules import rules as all_rules
from unit.rules.firing import FIRES, HEALTHY, TEMPTS
from unit.rules.make import judged, machine

NAMES = [rule.name for rule in all_rules()]


@pytest.mark.parametrize("name", FIRES)
def test_a_rule_fires_on_its_machine(name: str) -> None:
    assert name in judged(FIRES[name])


@pytest.mark.parametrize(
    ("name", "sheet"), [pytest.param(n, s, id=f"{n}: {why}") for n, why, s in TEMPTS]
)
def test_a_rule_is_silent_on_what_only_looks_like_it(name: str, sheet: FactSheet) -> None:
    assert name not in judged(sheet)


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_machine_gets_no_alarm(name: str) -> None:
    alarms = [f for f in judged(HEALTHY[name]).values() if f.severity is not Severity.INFO]
    assert alarms == []


def test_a_healthy_workstation_gets_no_finding_at_all() -> None:
    assert rules.judge(machine()) == rules.Judgement()


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_has_a_machine_on_which_it_fires_and_one_that_tempts_it(name: str) -> None:
    assert name in FIRES
    assert name in {tempted for tempted, _, _ in TEMPTS}


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_stands_in_the_catalogue(name: str) -> None:
    assert catalogue.find(name) is not None


def test_what_a_rule_is_related_to_stands_in_the_catalogue() -> None:
    related = {name for rule in all_rules() for name in (*rule.unless, *rule.follows)}
    assert {name for name in related if catalogue.find(name) is None} == set()


@pytest.mark.parametrize("name", FIRES)
def test_a_finding_says_what_is_wrong_and_how_it_knows(name: str) -> None:
    for found in rules.judge(FIRES[name]).findings:
        assert found.code == catalogue.code(found.name)
        assert found.title
        assert not found.title.endswith(".")
        assert "None" not in found.title + found.detail
        assert found.detail.endswith(".")
        assert found.evidence
        assert all(proof.fact and proof.value for proof in found.evidence)


@pytest.mark.parametrize("name", FIRES)
def test_a_cause_that_is_named_is_among_the_findings_and_stands_before(name: str) -> None:
    findings = rules.judge(FIRES[name]).findings
    for position, found in enumerate(findings):
        if found.caused_by is not None:
            assert found.caused_by in {earlier.name for earlier in findings[:position]}


# `sudo apt install …` at the head of a sentence would be a command that no program can find.
_COMMAND_WORDS = ("sudo ", "pip ", "conda ", "export ", "unset ", "docker ", "nvidia-smi ", "wsl ")


def _unlike_a_remedy(step: Step) -> str | None:
    if not step.text[:1].isupper() and not step.text.startswith("`"):
        return "opens like a command"
    if step.text.startswith(_COMMAND_WORDS) or not step.text.endswith((".", ":")):
        return "is no sentence"
    lines = [line for line in (step.posix, step.powershell, step.cmd) if line is not None]
    if any("…" in line or re.search(r"<\w+>", line) for line in lines):
        return "has a command that cannot be typed as it stands"
    if step.argv:
        return "would be executed by a fix, and only a prescription is"
    return None


@pytest.mark.parametrize("name", FIRES)
def test_a_remedy_is_a_sentence_with_its_command_apart(name: str) -> None:
    for found in rules.judge(FIRES[name]).findings:
        assert [s for s in found.remedies if _unlike_a_remedy(s)] == [], found.name


@pytest.mark.parametrize("entry", catalogue.entries(), ids=lambda entry: entry.code)
def test_a_cure_of_the_catalogue_is_a_sentence_with_its_command_apart(
    entry: catalogue.Entry,
) -> None:
    assert [s for s in catalogue.cures(entry.name) if _unlike_a_remedy(s)] == []


@pytest.mark.parametrize("name", FIRES)
def test_every_warning_has_a_next_step(name: str) -> None:
    sheet = FIRES[name]
    for found in rules.judge(sheet).findings:
        if found.severity is Severity.WARNING and not found.remedies and not found.next_look:
            assert prescribe(sheet, (found,), Options()).steps, found.name

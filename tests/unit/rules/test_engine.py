"""The engine: rules that lack a fact, rules that raise, causes before consequences."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gpudoctor.collect.reason import Reason
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.rules.engine.all_rules import Judge, Rule, rule, rules
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.engine import Judgement, judge_with, prepare
from gpudoctor.rules.engine.wording import finding
from unit.rules.make import machine

PROOF = (Evidence(fact="host.os", value="linux"),)


def says(name: str, severity: Severity | None = None, gpus: tuple[int, ...] = ()) -> Judge:
    """A rule's function that always makes one finding."""

    def judge(case: Case) -> Iterator[Finding | Unknown]:
        devices = [device for device in case.devices if device.index in gpus]
        yield finding(name, name, "It is so.", severity=severity, evidence=PROOF, gpus=devices)

    return judge


def run(*given: Rule, **machine_facts: object) -> Judgement:
    return judge_with(machine(**machine_facts), prepare(given))  # type: ignore[arg-type]


def names(judgement: Judgement) -> list[str]:
    return [found.name for found in judgement.findings]


def test_a_rule_with_an_unknown_need_does_not_run_and_says_why() -> None:
    late = Rule("driver-too-old", says("driver-too-old"), needs=("torch.cuda", "driver.version"))
    sheet = machine(unknown={"driver": Reason("late", "NVML hangs")})
    judgement = judge_with(sheet, prepare([late]))
    reason = "driver.version is unknown: NVML hangs"
    assert judgement.findings == ()
    assert judgement.not_judged == (Unknown("driver-too-old", reason, "driver.version", "late"),)


def test_a_silent_rule_says_which_fact_it_would_have_used() -> None:
    def silent(case: Case) -> Iterator[Finding | Unknown]:
        yield from ()

    sheet = machine(unknown={"log": "no permission"})
    judgement = judge_with(sheet, prepare([Rule("gpu-fell-off-bus", silent, uses=("log",))]))
    assert [entry.source for entry in judgement.not_judged] == ["log"]


def test_a_rule_that_found_something_does_not_ask_for_more() -> None:
    sheet = machine(unknown={"log": "no permission"})
    fired = Rule("gpu-fell-off-bus", says("gpu-fell-off-bus"), uses=("log",))
    assert judge_with(sheet, prepare([fired])).not_judged == ()


def test_a_rule_may_judge_one_gpu_and_leave_another_open() -> None:
    def halfway(case: Case) -> Iterator[Finding | Unknown]:
        yield Unknown("gpus[1].compute_capability", "the driver did not say")
        yield from says("unknown-gpu")(case)

    judgement = run(Rule("unknown-gpu", halfway))
    assert names(judgement) == ["unknown-gpu"]
    assert judgement.not_judged[0].fact == "unknown-gpu"
    assert "gpus[1].compute_capability" in judgement.not_judged[0].reason


def test_a_rule_that_raises_becomes_a_finding_and_the_others_go_on() -> None:
    def raises(case: Case) -> Iterator[Finding | Unknown]:
        yield from says("no-gpu-found")(case)
        raise RuntimeError("a mistake")

    judgement = run(Rule("no-gpu-found", raises), Rule("torch-missing", says("torch-missing")))
    assert names(judgement) == ["torch-missing", "rule-crashed"]
    crashed = judgement.findings[1]
    assert crashed.code == "GPU901"
    assert crashed.severity is Severity.WARNING
    assert crashed.evidence[0].value == "RuntimeError: a mistake"


def test_consequences_stand_behind_their_cause_whatever_their_severity() -> None:
    judgement = run(
        Rule("torch-missing", says("torch-missing")),
        Rule("python-unsupported", says("python-unsupported", Severity.WARNING)),
        Rule("cpu-only-torch", says("cpu-only-torch"), follows=("python-unsupported",)),
        Rule("unknown-gpu", says("unknown-gpu", Severity.INFO)),
    )
    assert names(judgement) == [
        "torch-missing",
        "python-unsupported",
        "cpu-only-torch",
        "unknown-gpu",
    ]
    assert judgement.findings[2].caused_by == "python-unsupported"


def test_a_finding_about_another_gpu_is_no_cause() -> None:
    from unit.rules.make import gpu

    judgement = run(
        Rule("gpu-fell-off-bus", says("gpu-fell-off-bus", gpus=(0,))),
        Rule("unknown-gpu", says("unknown-gpu", gpus=(1,)), follows=("gpu-fell-off-bus",)),
        gpus=(gpu(), gpu(index=1)),
    )
    assert [found.caused_by for found in judgement.findings] == [None, None]


def test_a_finer_finding_silences_a_coarser_one() -> None:
    coarse = Rule("driver-not-loaded", says("driver-not-loaded"), unless=("nouveau-owns-gpu",))
    fine = Rule("nouveau-owns-gpu", says("nouveau-owns-gpu"))
    assert names(run(fine, coarse)) == ["nouveau-owns-gpu"]
    assert names(run(coarse)) == ["driver-not-loaded"]


def test_rules_run_behind_those_that_they_look_at() -> None:
    position = {entry.name: number for number, entry in enumerate(rules())}
    for entry in rules():
        for other in (*entry.unless, *entry.follows):
            if other in position:
                assert position[other] < position[entry.name], (other, entry.name)


def test_two_rules_of_one_name_are_refused() -> None:
    rules()
    with pytest.raises(ValueError, match="two rules are called no-gpu-found"):
        rule("no-gpu-found")(says("no-gpu-found"))


def test_a_name_outside_the_catalogue_is_a_mistake_that_shows() -> None:
    with pytest.raises(KeyError):
        finding("no-such-finding", "title")


def test_what_the_solver_changes_is_judged_anew() -> None:
    """The same engine judges predictions: nothing of one sheet stays behind for the next."""
    from unit.rules.make import CU124, gpu, judged, torch

    broken = machine(
        gpus=(gpu("NVIDIA GeForce RTX 5090", "12.0"),),
        torch=torch("2.6.0+cu124", "12.4", sass=CU124),
    )
    cured = machine(gpus=(gpu("NVIDIA GeForce RTX 5090", "12.0"),))
    assert list(judged(broken)) == ["torch-lacks-arch-new-gpu"]
    assert judged(cured) == {}
    assert list(judged(broken)) == ["torch-lacks-arch-new-gpu"]

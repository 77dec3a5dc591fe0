"""What holds for every machine: determinism, and that not knowing never looks like health."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor import rules
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Facts
from gpudoctor.model.finding import Severity
from gpudoctor.model.sheet import FactSheet
from unit.rules.firing import FIRES, HEALTHY, TEMPTS
from unit.rules.make import CU124, CU126, CU128, CU130, amd, driver, gpu, intel, machine, torch

SHEETS = {**FIRES, **HEALTHY, **{f"{name}: {why}": sheet for name, why, sheet in TEMPTS}}

MODELS = (
    ("NVIDIA GeForce GTX 1080", "6.1"),
    ("Tesla V100-PCIE-16GB", "7.0"),
    ("Tesla T4", "7.5"),
    ("NVIDIA A100-SXM4-80GB", "8.0"),
    ("NVIDIA GeForce RTX 4090", "8.9"),
    ("NVIDIA H100 PCIe", "9.0"),
    ("NVIDIA GeForce RTX 5090", "12.0"),
    ("NVIDIA GB10", "12.1"),
)
TORCHES = (
    torch("2.6.0+cu124", "12.4", sass=CU124),
    torch("2.9.1+cu126", "12.6", sass=CU126),
    torch("2.9.1+cu128", "12.8", sass=CU128),
    torch("2.9.1+cu130", "13.0", sass=CU130),
    torch("2.9.1+cpu", None),
    None,
)
DRIVERS = (
    driver("470.256.02", "11.4"),
    driver("535.183.01", "12.2"),
    driver("570.172.08", "12.8"),
    driver("580.95.05", "13.0"),
    driver("595.58.03", "13.2"),
    None,
)
IRRELEVANT = (
    intel("Intel UHD Graphics 770", integrated=True),
    amd("AMD Radeon Graphics", "gfx1036", integrated=True),
    dataclasses.replace(gpu("NVIDIA GeForce GT 710", "3.5", index=9), cuda_index=None),
)

machines = st.builds(
    lambda models, installed, below: machine(
        gpus=tuple(gpu(name, cc, index=i) for i, (name, cc) in enumerate(models)),
        torch=installed,
        driver=below,
    ),
    st.lists(st.sampled_from(MODELS), min_size=1, max_size=4),
    st.sampled_from(TORCHES),
    st.sampled_from(DRIVERS),
)


def errors(sheet: FactSheet) -> set[str]:
    return {f.name for f in rules.judge(sheet).findings if f.severity is Severity.ERROR}


def alarms(judgement: rules.Judgement) -> set[str]:
    return {f.name for f in judgement.findings if f.severity is not Severity.INFO}


def paths(facts: Facts) -> list[str]:
    """Every section of the facts and every field of its sections."""
    found = []
    for section in dataclasses.fields(facts):
        value = getattr(facts, section.name)
        found.append(section.name)
        if dataclasses.is_dataclass(value):
            found += [f"{section.name}.{field.name}" for field in dataclasses.fields(value)]
        elif section.name == "gpus":
            found += (
                [f"gpus[0].{field.name}" for field in dataclasses.fields(value[0])] if value else []
            )
    return found


def blank(facts: Facts, path: str) -> Facts:
    """The facts with the field at `path` as it is when nobody has looked."""
    section, _, field = path.partition(".")
    if section == "gpus[0]":
        first = _without(facts.gpus[0], field)
        return dataclasses.replace(facts, gpus=(first, *facts.gpus[1:]))
    if not field:
        return _without(facts, section)
    return dataclasses.replace(facts, **{section: _without(getattr(facts, section), field)})


def _without(holder: object, name: str) -> object:
    field = next(f for f in dataclasses.fields(holder) if f.name == name)  # type: ignore[arg-type]
    if field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    else:
        value = field.default
    return dataclasses.replace(holder, **{name: value})  # type: ignore[type-var]


@pytest.mark.parametrize("name", SHEETS)
def test_no_rule_crashes(name: str) -> None:
    assert "rule-crashed" not in {f.name for f in rules.judge(SHEETS[name]).findings}


@pytest.mark.parametrize("name", SHEETS)
def test_a_finding_that_is_lost_with_a_fact_is_reported_as_not_judged(name: str) -> None:
    """Unless another finding takes its place, which keeps the machine from looking healthy."""
    sheet = SHEETS[name]
    before = alarms(rules.judge(sheet))
    for path in paths(sheet.facts):
        unknown = Unknown(path, "nobody looked", "test")
        dark = FactSheet(blank(sheet.facts, path), (*sheet.unknown, unknown), sheet.sources)
        judgement = rules.judge(dark)
        after = alarms(judgement)
        assert "rule-crashed" not in after, path
        if after - before:
            continue
        noted = {entry.fact for entry in judgement.not_judged}
        assert before - after <= noted, path


@given(machines)
def test_the_same_sheet_gives_the_same_judgement(sheet: FactSheet) -> None:
    assert rules.judge(sheet) == rules.judge(sheet)


@given(machines, st.sampled_from(IRRELEVANT))
def test_an_irrelevant_gpu_never_removes_an_error(sheet: FactSheet, extra: object) -> None:
    more = dataclasses.replace(
        sheet, facts=dataclasses.replace(sheet.facts, gpus=(*sheet.facts.gpus, extra))
    )
    assert errors(sheet) <= errors(more)


@given(machines)
def test_an_error_of_one_gpu_stays_when_an_equal_one_is_added(sheet: FactSheet) -> None:
    twin = dataclasses.replace(sheet.facts.gpus[0], index=9, cuda_index=9)
    more = dataclasses.replace(
        sheet, facts=dataclasses.replace(sheet.facts, gpus=(*sheet.facts.gpus, twin))
    )
    assert errors(more) == errors(sheet)


@given(machines)
def test_an_error_names_gpus_of_the_machine_and_is_proved(sheet: FactSheet) -> None:
    indices = {gpu.index for gpu in sheet.facts.gpus}
    for found in rules.judge(sheet).findings:
        assert set(found.gpus) <= indices
        assert found.evidence


@given(machines)
def test_hiding_the_only_cause_leaves_no_architecture_error(sheet: FactSheet) -> None:
    hidden = tuple(dataclasses.replace(item, visible=False) for item in sheet.facts.gpus)
    dark = dataclasses.replace(sheet, facts=dataclasses.replace(sheet.facts, gpus=hidden))
    assert not errors(dark) & {"torch-lacks-arch-new-gpu", "torch-dropped-arch-old-gpu"}

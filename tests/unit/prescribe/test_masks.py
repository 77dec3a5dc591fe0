"""Leaving GPUs out: which are kept, and when that comes before a download."""

from __future__ import annotations

from dataclasses import replace

from gpudoctor.model.sheet import FactSheet
from gpudoctor.prescribe.driver.branches import flavour_of
from gpudoctor.prescribe.options.mask import groups
from gpudoctor.prescribe.request.target import capability
from unit.prescribe.sheets import cure, sheet


def names(machine, positions):
    return [machine.facts.gpus[position].name for position in positions]


def with_memory(machine, *gib):
    cards = zip(machine.facts.gpus, gib, strict=True)
    gpus = tuple(replace(gpu, memory_bytes=size * 2**30) for gpu, size in cards)
    return FactSheet(replace(machine.facts, gpus=gpus))


def test_what_the_installed_torch_serves_is_kept_first():
    machine = sheet("GTX 1080", "GTX 1080", "RTX 5090", driver="570.172.08", torch="2.9.1+cu128")
    assert names(machine, next(groups(machine))) == ["NVIDIA GeForce RTX 5090"]


def test_then_the_better_gpus_are_kept_before_the_greater_number():
    machine = with_memory(sheet("GTX 1080", "GTX 1080", "H100", torch=None), 8, 8, 80)
    assert names(machine, next(groups(machine)))[0].startswith("NVIDIA H100")


def test_with_the_best_gpus_as_many_others_as_can_be():
    machine = with_memory(sheet("T4", "A100", "H100", torch=None), 16, 40, 80)
    first, second, third, *_ = groups(machine)
    assert (len(first), len(second), len(third)) == (2, 2, 1)
    assert capability(machine.facts.gpus[third[0]]).major == 9


def test_gpus_of_two_module_flavours_are_never_kept_together():
    machine = sheet("GTX 1080", "T4", "RTX 5090", torch="2.9.1+cu128")
    for positions in groups(machine):
        kept = tuple(capability(machine.facts.gpus[position]) for position in positions)
        assert flavour_of(kept) is not None


def test_of_three_kinds_single_ones_are_tried_too():
    machine = sheet("Tesla K80", "GTX 1080", "RTX 5090", torch=None)
    assert {len(group) for group in groups(machine)} >= {1}
    assert cure(machine).status == "resolved"


def test_a_display_card_is_hidden_without_a_download():
    machine = with_memory(
        sheet("GTX 1050", "RTX 5090", driver="572.83", os="windows", torch="2.9.1+cu128"), 2, 32
    )
    answer = cure(machine)
    assert [step.kind for step in answer.steps] == ["mask-gpus"]
    assert "RTX 5090" in answer.why
    assert answer.torch is None


def test_a_card_to_train_on_gets_a_build_for_both_and_the_mask_is_named():
    machine = with_memory(sheet("V100", "H100", torch="2.15.0+cu132"), 32, 80)
    answer = cure(machine)
    assert (answer.torch, answer.variant) == ("2.14.1", "cu126")
    hidden = [way for way in answer.alternatives if way.steps[-1].kind == "mask-gpus"]
    assert [way.torch for way in hidden] == [None]


def test_a_card_that_no_common_build_serves_is_hidden_whatever_it_is():
    answer = cure(sheet("Tesla K80", "RTX 5090", torch="2.15.0+cu132", os="windows"))
    assert not any(step.kind == "install" for step in answer.steps)

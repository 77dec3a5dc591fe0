"""Which steps a fix executes, and which stay with the person."""

from __future__ import annotations

import pytest

from gpudoctor.fix.ours import split
from gpudoctor.model.prescription import Step

REMOVE = Step(kind="uninstall", text="Remove.", argv=("pip", "uninstall"))
INSTALL = Step(kind="install", text="Install.", argv=("pip", "install"))
BY_HAND = Step(kind="manual", text="Edit the manifest.")
MASK = Step(kind="mask-gpus", text="Hide a GPU.", posix="export CUDA_VISIBLE_DEVICES=GPU-1")


def test_installations_are_executed_and_a_mask_stays_with_the_person():
    assert split((REMOVE, INSTALL, MASK)) == ((REMOVE, INSTALL), (MASK,))


def test_another_way_that_is_named_last_stops_nothing():
    assert split((REMOVE, INSTALL, BY_HAND)) == ((REMOVE, INSTALL), (BY_HAND,))


@pytest.mark.parametrize("kind", ["driver", "reboot", "source-build"])
def test_what_an_installation_needs_beside_it_stops_it_wherever_it_stands(kind):
    needed = Step(kind=kind, text="First this.")
    assert split((needed, INSTALL)) == ((), (needed, INSTALL))
    assert split((INSTALL, needed)) == ((), (INSTALL, needed))


def test_what_must_come_first_by_hand_stops_it():
    assert split((BY_HAND, INSTALL)) == ((), (BY_HAND, INSTALL))
    assert split((REMOVE, BY_HAND, INSTALL)) == ((), (REMOVE, BY_HAND, INSTALL))


def test_steps_that_are_none_of_ours_stay():
    assert split((BY_HAND, MASK)) == ((), (BY_HAND, MASK))

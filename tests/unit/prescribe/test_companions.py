"""torchvision and torchaudio: in the release, the variant and for the Python that torch has."""

from __future__ import annotations

import pytest

from gpudoctor.kb.software import packages as kb_packages
from gpudoctor.model.facts import Package
from unit.prescribe.sheets import cure, errors, line, sheet


def vision(version):
    return Package(name="torchvision", version=version)


def audio(version):
    return Package(name="torchaudio", version=version)


def test_a_release_whose_companions_have_no_wheel_for_this_python_is_not_chosen():
    assert not kb_packages.has_wheel("torchvision", "0.20.1", "3.13")
    machine = sheet("4090", python="3.13.1", torch="2.5.1+cpu", packages=(vision("0.20.1+cpu"),))
    answer = cure(machine)
    assert answer.torch != "2.5.1"
    assert any(package.startswith("torchvision==") for package in answer.packages)


def test_a_companion_without_any_wheel_for_this_python_goes_and_that_is_said():
    machine = sheet("4090", python="3.15.0", torch="2.15.0+cpu", packages=(audio("2.11.0+cpu"),))
    answer = cure(machine)
    assert answer.torch is not None
    assert not any("torchaudio" in package for package in answer.packages)
    assert "uninstall --yes torchaudio" in line(answer)
    assert any("torchaudio 2.11.0 has no wheel for this Python" in note for note in answer.notes)


@pytest.mark.parametrize("label", ["cu126", "cpu", "cu128"])
def test_a_companion_without_a_pin_changes_its_variant_with_torch(label):
    machine = sheet("5090", torch="2.15.0+cu132", packages=(audio(f"2.11.0+{label}"),))
    answer = cure(machine)
    assert answer.status == "resolved"
    assert "torchaudio" in line(answer)
    assert answer.torch is None


def test_a_companion_of_the_same_variant_stays():
    machine = sheet("4090", torch="2.12.1+cu126", packages=(audio("2.11.0+cu126"),))
    assert not errors(machine)
    assert cure(machine).status == "not-needed"

"""What settings require and what `gpudoctor.require` asks for are judged alike."""

from __future__ import annotations

import pytest

from gpudoctor.examine.settings.policy_file import of_mapping
from gpudoctor.model.facts import Facts, Gpu, Torch
from gpudoctor.model.sheet import FactSheet
from gpudoctor.triage.requirement import judge, wanted

CARD = Gpu(index=0, name="T4", compute_capability="7.5", memory_bytes=16 * 10**9, visible=True)


def both(version="2.8.1+cu128", **asked):
    """Whether a machine meets a requirement: by the settings, and by the function."""
    sheet = FactSheet(Facts(gpus=(CARD,), torch=Torch(version=version)))
    unmet, _ = of_mapping({"require": {"gpus": 1, **asked}}).require.judge(sheet)
    return not unmet, judge(sheet, (), wanted(**asked)) is None


@pytest.mark.parametrize(
    ("torch", "met"),
    [
        ("2.8", True),
        ("==2.8", True),
        ("2.8.1", True),
        ("2.8.0", False),
        ("==2.8.*", True),
        (">=2.6,<2.9", True),
        (">2.8", True),
        ("<=2.8", False),
        ("~=2.8.0", True),
        ("2.9", False),
    ],
)
def test_a_version_of_torch(torch, met):
    assert both(torch=torch) == (met, met)


def test_a_nightly_is_one_of_its_release():
    assert both("2.9.0.dev20250901+cu128", torch=">=2.8") == (True, True)


@pytest.mark.parametrize(("capability", "met"), [("7.5", True), ("8.0", False), ("10.0", False)])
def test_a_compute_capability(capability, met):
    assert both(capability=capability) == (met, met)


@pytest.mark.parametrize(("memory_gb", "met"), [(16, True), (15.5, True), (17, False)])
def test_memory(memory_gb, met):
    assert both(memory_gb=memory_gb) == (met, met)

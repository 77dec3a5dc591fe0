"""`smoke` on GPUs that torch reaches by another interface than `torch.cuda`."""

from __future__ import annotations

import sys

import pytest

from gpudoctor.examine import smoke_visit as visiting
from gpudoctor.examine.options import VisitOptions
from gpudoctor.examine.smoke_visit import smoke_visit
from gpudoctor.model.facts import Facts, Gpu, Host, Python, Torch
from gpudoctor.model.sheet import FactSheet

PYTHON = Python(executable=sys.executable, chosen_because="--python")
ARC = Facts(
    host=Host(os="linux", arch="x86_64"),
    python=PYTHON,
    torch=Torch(version="2.14.1+xpu", xpu="20250302"),
    gpus=(Gpu(index=0, name="Intel Arc B580", vendor="intel"),),
)
MAC = Facts(
    host=Host(os="macos", arch="arm64", distribution_version="15.5"),
    python=PYTHON,
    torch=Torch(version="2.15.0"),
)


@pytest.mark.parametrize("facts", [ARC, MAC])
def test_it_says_that_the_tests_are_not_made_there_and_judges_nothing(
    facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visiting, "collect", lambda *_, **__: FactSheet(facts=facts))
    report = smoke_visit(VisitOptions(python=sys.executable), "quick")
    assert (report.verdict, report.exit_code) == ("unknown", 3)
    assert any("torch.cuda" in note and "mps" in note for note in report.notes)

"""What torchvision and torchaudio demand of torch."""

from __future__ import annotations

import pytest

from gpudoctor.model.finding import Severity
from unit.rules.make import CU130, judged, machine, package, torch

MISMATCH = "torchvision-torchaudio-version-mismatch"


@pytest.mark.parametrize(
    ("demand", "installed", "severity"),
    [
        (("torch==2.14.0",), "2.14.1+cu130", Severity.WARNING),
        (("torch==2.13.0",), "2.14.1+cu130", Severity.ERROR),
        (("torch>=2.14.0",), "2.13.0+cu130", Severity.ERROR),
        (("torch>=2.14.0",), "2.14.0+cu130", None),
        (("torch>=2.14.0",), "2.16.0.dev20261009+cu130", None),
        (("torch (>=2.14.0,<2.15)",), "2.15.0+cu130", Severity.ERROR),
        (("torch; extra == 'all'",), "2.13.0+cu130", Severity.ERROR),
        (("torch",), "2.13.0+cu130", None),
    ],
)
def test_the_demand_is_held_to_the_torch_that_is_there(
    demand: tuple[str, ...], installed: str, severity: Severity | None
) -> None:
    sheet = machine(
        torch=torch(installed, "13.0", sass=CU130),
        packages=(package("torchvision", "0.29.2+cu130", *demand),),
    )
    found = judged(sheet).get(MISMATCH)
    assert (found.severity if found else None) is severity

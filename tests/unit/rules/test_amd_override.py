"""HSA_OVERRIDE_GFX_VERSION: needed, needless, harmful, without effect, or not readable."""

from __future__ import annotations

from typing import Any

import pytest

from gpudoctor.model.facts import Host
from gpudoctor.model.finding import Finding
from unit.rules.make import amd, judged, linux, machine, torch

ROCM_2_9 = torch("2.9.1+rocm6.4", None, hip="6.4.2")


def found(gfx: str, value: str, **more: Any) -> Finding | None:
    """What is said of the override on a machine with one card."""
    sheet = machine(
        **{
            "gpus": (amd("AMD Radeon card", gfx),),
            "driver": None,
            "kernel_module": None,
            "torch": ROCM_2_9,
            "environment": {"HSA_OVERRIDE_GFX_VERSION": value},
            **more,
        }
    )
    return judged(sheet).get("hsa-override-wrong")


@pytest.mark.parametrize(
    ("gfx", "value", "severity"),
    [
        ("gfx1031", "10.3.0", None),  # needed, and usually works
        ("gfx1100", "11.0.0", None),  # what it is anyway
        ("gfx1101", "11.0.0", "info"),  # this build has code for it itself
        ("gfx1100", "10.3.0", "warning"),  # another generation
        ("gfx1033", "10.3.0", "warning"),  # wrong results were reported
        ("gfx1031", "10.3.4", "error"),  # no code for that one either
        ("gfx1100", "1100", "error"),  # not of the form
    ],
)
def test_the_override_is_judged_against_gpu_claim_and_build(
    gfx: str, value: str, severity: str | None
) -> None:
    finding = found(gfx, value)
    assert (finding.severity.value if finding else None) == severity


def test_windows_does_not_read_it() -> None:
    assert found("gfx1100", "10.3.0", host=Host(os="windows", arch="x86_64")) is None


def test_the_build_itself_says_what_it_has_where_it_was_read() -> None:
    nightly = torch("2.16.0.dev20261101+rocm7.2", None, hip="7.2", gfx=("gfx1030", "gfx1031"))
    finding = found("gfx1031", "10.3.0", torch=nightly, host=linux())
    assert finding is not None
    assert "not needed" in finding.title


def test_a_generic_target_in_the_binary_is_enough() -> None:
    generic = torch("2.15.0+rocm7.14", None, hip="7.14", gfx=("gfx10-3-generic",))
    sheet = machine(
        gpus=(amd("AMD Radeon RX 6700 XT", "gfx1031"),),
        driver=None,
        kernel_module=None,
        torch=generic,
    )
    assert "rocm-torch-lacks-gfx" not in judged(sheet)


def test_a_gpu_that_claims_to_be_itself_lacks_what_it_lacks() -> None:
    sheet = machine(
        gpus=(amd("AMD Radeon RX 6700 XT", "gfx1031"),),
        driver=None,
        kernel_module=None,
        torch=ROCM_2_9,
        environment={"HSA_OVERRIDE_GFX_VERSION": "10.3.1"},
    )
    assert set(judged(sheet)) == {"rocm-torch-lacks-gfx"}


def test_the_files_of_rocblas_decide_where_they_were_seen() -> None:
    def found(**kernel_files: tuple[str, ...]) -> set[str]:
        build = torch(
            "2.14.1+rocm7.14",
            None,
            hip="7.14",
            gfx=("gfx906", "gfx1100"),
            kernel_files=kernel_files,
        )
        card = amd("AMD Radeon VII", "gfx906")
        return set(judged(machine(gpus=(card,), driver=None, kernel_module=None, torch=build)))

    assert found(gfx1100=("rocBLAS",)) == {"rocm-blas-lacks-gfx"}
    assert found(gfx1100=("rocBLAS",), gfx906=("rocBLAS", "MIOpen")) == set()

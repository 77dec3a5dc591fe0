"""What to install for AMD GPUs, by card and system."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gpudoctor.cli.main import main


def plan(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """The prescription of `gpudoctor plan`."""
    with pytest.raises(SystemExit):
        main(["plan", "--json", "--python", "3.12", *arguments])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)["prescription"]
    return found


def gpus(*names: str) -> list[str]:
    return [word for name in names for word in ("--gpu", name)]


def test_a_gpu_that_rocblas_has_dropped_gets_the_last_build_that_serves_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = plan(capsys, *gpus("gfx906"), "--os", "linux")
    assert found["packages"][0] == "torch==2.9.1+rocm6.3"
    assert any("rocBLAS" in note for note in found["notes"])


def test_the_graphics_inside_the_processor_are_passed_over_with_a_note(
    capsys: pytest.CaptureFixture[str],
) -> None:
    alone = plan(capsys, *gpus("RX 7900 XTX"), "--os", "linux")
    both = plan(capsys, *gpus("RX 7900 XTX", "gfx1036"), "--os", "linux")
    assert both["packages"] == alone["packages"]
    assert any("gfx1036" in note and "passed over" in note for note in both["notes"])


def test_cards_that_only_amds_index_serves_together_get_an_extra_each(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = plan(capsys, *gpus("RX 6700 XT", "RX 7900 XTX"), "--os", "linux")
    assert found["packages"] == ["torch[device-gfx1031,device-gfx1100]"]
    assert "repo.amd.com" in found["index_url"]


def test_windows_gets_amds_index(capsys: pytest.CaptureFixture[str]) -> None:
    found = plan(capsys, *gpus("RX 7900 XTX"), "--os", "windows")
    assert found["packages"] == ["torch[device-gfx1100]"]


def test_under_wsl_an_older_card_has_no_way_and_a_newer_one_is_told_what_it_needs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    old = plan(capsys, *gpus("RX 6800 XT"), "--os", "wsl")
    assert old["status"] == "impossible"
    assert "RDNA 3" in old["why"]
    new = plan(capsys, *gpus("RX 9070 XT"), "--os", "wsl")
    assert new["status"] == "resolved"
    assert any("librocdxg" in note for note in new["notes"])


def test_the_way_out_names_no_gpu_that_the_build_fails_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """torch for ROCm 7.2 carries gfx906, and its rocBLAS has nothing for it."""
    found = plan(capsys, *gpus("RX 580"), "--os", "linux")
    assert found["status"] == "impossible"
    assert "gfx1100" in found["why"]
    assert "gfx906" not in found["why"]

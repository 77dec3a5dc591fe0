"""`gpudoctor plan --os macos`, where there is one kind of GPU to name."""

from __future__ import annotations

import json

import pytest

from gpudoctor.cli.main import run


def test_it_needs_no_name_of_a_gpu(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["plan", "--os", "macos", "--arch", "arm64", "--python", "3.12", "--json"]
    assert run(arguments) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["prescription"]["status"] == "resolved"
    assert report["facts"]["gpus"][0]["vendor"] == "apple"
    assert "MPS" in report["prescription"]["why"]


def test_elsewhere_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "--os", "linux"]) == 2
    assert "plan needs a GPU" in capsys.readouterr().err

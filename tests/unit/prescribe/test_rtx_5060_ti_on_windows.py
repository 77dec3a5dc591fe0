"""The way of somebody with an RTX 5060 Ti on Windows, from the wrong index to a build from source.

Each stop is a saved machine that goes through the real command line. The page for people is
docs/rtx-5060-ti-windows.md, and every command that it shows is checked here.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest

from gpudoctor.cli.main import run
from gpudoctor.model.factfile import encode_sheet
from gpudoctor.model.facts import Package
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.sheet import FactSheet
from gpudoctor.prescribe import prescribe
from unit.prescribe.sheets import cure, sheet

PAGE = os.path.join(os.path.dirname(__file__), "..", "..", "..", "docs", "rtx-5060-ti-windows.md")
DRIVER_570 = "572.61"
DRIVER_580 = "581.42"


def machine(torch, driver=DRIVER_570, python="3.12.7", packages=()):
    return sheet(
        "RTX 5060 Ti", os="windows", driver=driver, python=python, torch=torch, packages=packages,
        executable=r"C:\venv\Scripts\python.exe",
    )  # fmt: skip


@pytest.fixture
def check(tmp_path, capsys):
    def judge_saved(found: FactSheet):
        path = tmp_path / "facts.json"
        path.write_text(json.dumps(encode_sheet(found)), encoding="utf-8")
        code = run(["check", "--facts", str(path), "--json"])
        report = json.loads(capsys.readouterr().out)
        assert report["exit_code"] == code
        return report

    return judge_saved


def commands(report):
    return [step["powershell"] for step in report["prescription"]["steps"] if step["powershell"]]


def test_torch_from_the_wrong_index(check):
    report = check(machine("2.6.0+cu124"))
    assert report["findings"][0]["name"] == "torch-lacks-arch-new-gpu"
    (command,) = commands(report)
    assert command.startswith(r"C:\venv\Scripts\python.exe -m pip install torch==2.11.0+cu128 ")
    assert command.endswith("--index-url https://download.pytorch.org/whl/cu128")


def test_a_python_without_wheels(capsys):
    asked = ["plan", "--gpu", "RTX 5060 Ti", "--driver", DRIVER_570, "--os", "windows"]
    assert run([*asked, "--python", "3.15", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert "Python 3.14" in report["prescription"]["why"]
    assert run([*asked, "--python", "3.14"]) == 0


def test_a_python_without_wheels_in_a_real_environment_gets_one_beside_it(check):
    report = check(machine(None, python="3.15.0"))
    first, last = commands(report)
    assert first == "py -3.14 -m venv torch-3.14"
    assert last.startswith(r"torch-3.14\Scripts\python.exe -m pip install torch==")


def test_the_processors_wheel_from_pypi_which_bears_no_label(check):
    found = machine("2.11.0+cpu")
    facts = replace(
        found.facts,
        torch=replace(found.facts.torch, distribution_version="2.11.0"),
        packages=(Package(name="torch", version="2.11.0"),),
    )
    report = check(FactSheet(facts))
    assert report["findings"][0]["name"] == "cpu-only-torch"
    assert "torch==2.11.0+cu128" in commands(report)[0]


def test_a_driver_too_old_has_two_ways_out_and_the_riskier_one_comes_second(check):
    report = check(machine("2.11.0+cu130"))
    assert report["findings"][0]["name"] == "driver-too-old"
    assert report["prescription"]["variant"] == "cu128"
    (other,) = report["prescription"]["alternatives"]
    assert other["steps"][0]["kind"] == "driver"
    assert "580" in other["steps"][0]["text"]
    assert other["risk"] == "high"


def nightly_machine():
    found = machine("2.14.1+cu130", driver=DRIVER_580)
    version = "2.16.0.dev20261008+cu134"
    torch = replace(found.facts.torch, version=version, cuda="13.4", distribution_version=version)
    packages = (Package(name="torch", version=version),)
    return FactSheet(replace(found.facts, torch=torch, packages=packages))


def test_a_nightly_that_misbehaves_goes_back_to_stable_or_to_the_day_before():
    wrong = Finding(
        code="GPU504", name="wrong-numbers", severity=Severity.ERROR, title="A result is wrong"
    )
    found = prescribe(nightly_machine(), (wrong,))
    assert (found.torch, found.variant) == ("2.14.1", "cu130")
    (before,) = found.alternatives
    assert before.packages == ("torch==2.16.0.dev20261007+cu134",)
    assert "nightly/cu134" in str(before.steps[0].powershell)


def test_a_build_from_source_is_the_last_way(capsys):
    asked = ["plan", "--gpu", "RTX 5060 Ti", "--driver", DRIVER_580, "--os", "windows"]
    assert run([*asked, "--python", "3.12", "--from-source"]) == 0
    text = capsys.readouterr().out
    assert "Visual Studio 2022" in text
    assert "$env:TORCH_CUDA_ARCH_LIST = '12.0+PTX'" in text


def test_after_the_cure_there_is_nothing_to_do(check):
    report = check(machine("2.11.0+cu128"))
    assert report["verdict"] == "healthy"
    assert report["prescription"]["status"] == "not-needed"


def test_the_page_shows_the_commands_that_the_program_gives():
    with open(PAGE, encoding="utf-8") as file:
        page = file.read()
    for found in (machine("2.6.0+cu124"), machine("2.11.0+cpu"), machine("2.11.0+cu130")):
        for package in cure(found).packages:
            assert package in page, package
    assert "py -3.14 -m venv" in page
    assert "--from-source" in page
    assert "/work" not in page

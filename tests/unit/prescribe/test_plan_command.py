"""`gpudoctor plan` as people and scripts call it."""

from __future__ import annotations

import json

import jsonschema
import pytest

from gpudoctor.cli.main import run
from gpudoctor.report.schema import report_schema

PLAN = ["plan", "--gpu", "RTX 5060 Ti", "--driver", "572.61", "--os", "windows", "--python", "3.12"]


def test_a_plan_exits_0_and_ends_with_what_to_type(capsys):
    assert run(PLAN) == 0
    out = capsys.readouterr().out
    assert "python -m pip install torch==2.11.0+cu128" in out
    assert "RTX 5060 Ti (sm_120)" in out


def test_an_impossible_plan_exits_1_and_says_the_nearest_way(capsys):
    assert run(["plan", "--gpu", "4090", "--python", "3.14", "--torch", "2.6.0"]) == 1
    assert "nearest way out" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--gpu", "sm_999"], "nearest"),
        (["--gpu", "RTX 6000"], "Ada"),
        (["--gpu", "bananas"], "no GPU"),
        ([], "needs a GPU"),
        (["--gpu", "4090", "--os", "beos"], "--os takes"),
        (["--gpu", "4090", "--format", "yaml"], "--format"),
        (["--gpu", "4090", "--requirements", "/nowhere/at/all.txt"], "cannot be read"),
    ],
)
def test_wrong_usage_exits_2_with_one_line(arguments, word, capsys):
    assert run(["plan", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert word in err


@pytest.mark.parametrize("extra", [[], ["--torch", "2.6.0", "--python", "3.15"]])
def test_json_is_the_report_of_the_contract(extra, capsys):
    run([*PLAN, *extra, "--json"])
    report = json.loads(capsys.readouterr().out)
    jsonschema.validate(report, report_schema())
    assert report["facts"]["driver"]["version"] == "572.61"
    assert report["facts"]["gpus"][0]["compute_capability"] == "12.0"
    assert {entry["fact"] for entry in report["unknown"]} >= {"kernel_module", "environment"}
    assert report["prescription"]["status"] in ("resolved", "impossible")


@pytest.mark.parametrize("name", ["markdown", "html", "github", "junit", "sarif"])
@pytest.mark.parametrize("extra", [[], ["--torch", "2.6.0", "--python", "3.15"]])
def test_every_format_renders(name, extra, capsys):
    assert run([*PLAN, *extra, "--format", name]) in (0, 1)
    assert capsys.readouterr().out.strip()


def test_a_requirements_file_is_judged_with_the_codes_of_check(tmp_path, capsys):
    file = tmp_path / "requirements.txt"
    file.write_text("-i https://download.pytorch.org/whl/cu126\ntorch==2.9.1\n")
    assert run([*PLAN, "--requirements", str(file), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["findings"][0]["name"] == "torch-lacks-arch-new-gpu"
    assert report["prescription"]["packages"] == ["torch==2.9.1+cu128"]
    file.write_text("-i https://download.pytorch.org/whl/cu128\ntorch==2.9.1\n")
    assert run([*PLAN, "--requirements", str(file)]) == 0


def test_quiet_says_less_and_verbose_says_on_what_evidence(capsys):
    run(PLAN)
    usual = capsys.readouterr().out
    run([*PLAN, "-q"])
    quiet = capsys.readouterr().out
    run([*PLAN, "-v"])
    verbose = capsys.readouterr().out
    assert len(quiet) < len(usual) < len(verbose)
    assert "because" in verbose


def test_credentials_of_a_mirror_are_shown_nowhere(capsys):
    run([*PLAN, "--index-url", "https://me:s3cr3t@mirror.example/whl", "--json"])
    captured = capsys.readouterr()
    assert "s3cr3t" not in captured.out + captured.err


def test_every_build_that_was_dropped_has_a_reason_that_can_be_printed(capsys):
    run([*PLAN, "-vv"])
    out = " ".join(capsys.readouterr().out.split())
    assert "torch 2.11.0+cu128 runs there" in out
    assert "torch 2.14.1+cu130 needs driver 580 or newer, and this one is 572.61" in out
    assert "torch 2.14.1+cu126 has no code for sm_120" in out

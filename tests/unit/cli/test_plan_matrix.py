"""`plan --requirements` in a project with a matrix: every cell in one call and one table."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

import pytest

from gpudoctor.cli.commands.plan import COMMAND
from gpudoctor.errors import UsageError
from gpudoctor.report import FORMATS

INDEX = "--extra-index-url https://download.pytorch.org/whl/cu126\n"
OLD = f"{INDEX}torch==2.6.0+cu126\n"
OPEN = "--index-url https://mirror.example/simple\ntorch==2.6.0\n"


@pytest.fixture
def project(monkeypatch, tmp_path):
    """A project folder; what is given stands in its files."""
    monkeypatch.chdir(tmp_path)

    def make(matrix, requirements=OLD, settings=""):
        (tmp_path / "gpudoctor.toml").write_text(f"{settings}\n[matrix]\n{matrix}\n")
        (tmp_path / "requirements.txt").write_text(requirements)
        return tmp_path

    return make


def judged(capsys, *arguments):
    """The exit code, and the cells as JSON."""
    code = COMMAND.plain(["--requirements", "requirements.txt", "--json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def test_every_combination_is_a_cell_and_the_worst_of_them_decides(project, capsys):
    project('gpu = ["T4", "5060 ti"]\npython = ["3.11", "3.12"]\ndriver = ["580.95.05"]')
    code, table = judged(capsys)
    assert code == table["exit_code"] == 1
    assert [(c["cell"]["gpu"], c["cell"]["python"], c["exit_code"]) for c in table["cells"]] == [
        ("T4", "3.11", 0),
        ("T4", "3.12", 0),
        ("5060 ti", "3.11", 1),
        ("5060 ti", "3.12", 1),
    ]


def test_where_every_cell_runs_the_exit_code_is_0(project, capsys):
    project('gpu = ["T4", "A100"]\npython = "3.11"\ndriver = "580.95.05"')
    assert judged(capsys)[0] == 0


def test_a_cell_that_the_files_leave_open_is_exit_code_3(project, capsys):
    project('gpu = ["T4"]\npython = ["3.11", "3.12"]\ndriver = "580.95.05"', OPEN)
    code, table = judged(capsys)
    assert code == 3
    assert {c["verdict"] for c in table["cells"]} == {"unknown"}


def test_a_broken_cell_goes_before_an_open_one(project, capsys):
    text = f'{INDEX}torch==2.6.0+cu126 ; python_version < "3.12"\n'
    project('gpu = "5060 ti"\npython = ["3.11", "3.12"]\ndriver = "580.95.05"', text)
    code, table = judged(capsys)
    assert [c["exit_code"] for c in table["cells"]] == [1, 3]
    assert code == 1


def test_the_system_decides_which_build_a_cell_gets(project, capsys):
    project('gpu = "T4"\nos = ["linux", "windows"]\npython = "3.12"\n', "torch==2.9.1\n")
    _, table = judged(capsys)
    assert [c["facts"]["torch"]["cuda"] for c in table["cells"]] == ["12.8", None]


def test_an_option_stands_for_its_whole_axis(project, capsys):
    project('gpu = ["T4"]\npython = ["3.11", "3.14"]\ndriver = "580.95.05"')
    code, table = judged(capsys, "--python", "3.11")
    assert (code, len(table["cells"])) == (0, 1)


def test_a_gpu_that_is_named_is_the_one_machine_that_is_judged(project, capsys):
    project('gpu = ["5060 ti"]')
    code, report = judged(
        capsys, "--gpu", "T4", "--driver", "580.95.05", "--python", "3.11", "--os", "linux"
    )
    assert code == 0
    assert "cells" not in report


def test_a_cell_may_have_several_cards(project, capsys):
    project('gpu = "8 x H100"\npython = "3.11"\ndriver = "580.95.05"')
    assert len(judged(capsys)[1]["cells"][0]["facts"]["gpus"]) == 8


def test_a_policy_that_is_named_brings_its_own_matrix(project, capsys, tmp_path):
    project('gpu = ["5060 ti"]')
    (tmp_path / "other.toml").write_text(
        '[matrix]\ngpu = "T4"\npython = "3.11"\ndriver = "580.95.05"\n'
    )
    assert judged(capsys, "--policy", "other.toml")[0] == 0


def test_what_the_settings_leave_out_is_left_out_of_the_cells(project, capsys):
    matrix = 'gpu = "5060 ti"\npython = "3.11"\ndriver = "580.95.05"'
    project(matrix, settings='ignore = { GPU201 = "the card is on order" }')
    code, table = judged(capsys)
    assert code == 0
    assert "GPU201" in [s["code"] for s in table["cells"][0]["suppressed"]]


def test_what_is_required_of_a_machine_is_not_asked_of_a_file(project, capsys):
    matrix = 'gpu = "T4"\npython = "3.11"\ndriver = "580.95.05"'
    project(matrix, settings="[require]\ngpus = 8\nmemory_gb = 80")
    assert judged(capsys)[0] == 0


def test_a_required_version_of_torch_is(project, capsys):
    matrix = 'gpu = "T4"\npython = "3.11"\ndriver = "580.95.05"'
    project(matrix, settings='[require]\ntorch = ">=2.8"')
    code, table = judged(capsys)
    assert code == 1
    assert "GPU905" in [f["code"] for f in table["cells"][0]["findings"]]


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_has_every_cell_or_its_finding(project, capsys, format_):
    project('gpu = ["T4", "5060 ti"]\npython = "3.11"\ndriver = "580.95.05"')
    assert COMMAND.plain(["--requirements", "requirements.txt", "--format", format_]) == 1
    said = capsys.readouterr().out
    assert "GPU201" in said
    if format_ in ("text", "markdown", "html", "json", "jsonl", "junit", "github"):
        assert "T4" in said
        assert "5060 ti" in said


def test_junit_has_a_case_a_cell(project, capsys):
    project('gpu = ["T4", "5060 ti"]\npython = "3.11"\ndriver = "580.95.05"')
    COMMAND.plain(["--requirements", "requirements.txt", "--format", "junit"])
    cases = list(ElementTree.fromstring(capsys.readouterr().out).iter("testcase"))
    assert [case.find("failure") is not None for case in cases] == [False, True]


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        ('python = ["3.12"]', "names no machine"),
        ("gpu = []", "names no machine"),
        ('gpu = ["Voodoo 5"]', "Voodoo 5"),
        ('gpu = ["T4"]\npython = ["three"]', "three"),
        (
            f"gpu = {[f'sm_{n}' for n in range(30)]}\npython = {[f'3.{n}' for n in range(30)]}",
            "900",
        ),
    ],
)
def test_a_matrix_that_cannot_be_is_wrong_usage_in_one_sentence(project, matrix, said):
    project(matrix)
    with pytest.raises(UsageError, match=said):
        COMMAND.plain(["--requirements", "requirements.txt"])


def test_without_a_matrix_a_gpu_must_be_named(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "requirements.txt").write_text(OLD)
    (tmp_path / "gpudoctor.toml").write_text("")
    with pytest.raises(UsageError, match=r"tool\.gpudoctor\.matrix"):
        COMMAND.plain(["--requirements", "requirements.txt"])


def test_a_policy_without_files_is_wrong_usage(project):
    project('gpu = "T4"')
    with pytest.raises(UsageError, match="--requirements"):
        COMMAND.plain(["--policy", "gpudoctor.toml"])

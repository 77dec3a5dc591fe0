"""`gpudoctor kb`, as the program answers it."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest

from gpudoctor.cli.main import run
from gpudoctor.kb import info, show


def test_the_summary_has_the_date_and_every_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["kb"]) == 0
    out = capsys.readouterr().out
    assert info.version() in out
    for name in show.names():
        assert re.search(rf"^{re.escape(name)}\s+\d+\s+20\d\d-\d\d-\d\d$", out, re.MULTILINE)


def test_the_summary_as_json_has_the_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["kb", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["version"] == info.version()
    assert all(table["sources"] for table in value["tables"])


@pytest.mark.parametrize("name", show.names())
def test_every_table_can_be_shown(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["kb", "show", name, "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["table"] == name
    assert value["rows"], name
    assert run(["kb", "show", name]) == 0
    assert capsys.readouterr().out.startswith(f"{name}, ")


def test_a_short_name_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["kb", "show", "toolkits"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("cuda.toolkits, ")
    assert "source: " in out


def test_quiet_leaves_the_sources_out_and_verbose_adds_notes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["kb", "show", "gpus", "-q"]) == 0
    assert "source: " not in capsys.readouterr().out
    assert run(["kb", "show", "gpus", "-v"]) == 0
    assert "note: " in capsys.readouterr().out


def test_markdown_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["kb", "show", "cuda.majors", "--format", "markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("| cuda | linux |")
    assert set(lines[3]) <= set("| -")


def test_a_name_of_two_tables_is_answered_with_both(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["kb", "show", "architectures"]) == 2
    error = capsys.readouterr().err
    assert "cuda.architectures" in error
    assert "gpus.architectures" in error


def test_an_unknown_table_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["kb", "show", "toolkit"]) == 2
    assert "cuda.toolkits" in capsys.readouterr().err


def test_an_unknown_format_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["kb", "--format", "sarif"]) == 2
    assert "text, markdown, json" in capsys.readouterr().err


def test_a_file_that_is_no_wheel_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "torch-2.9.1-cp312-cp312-manylinux_2_28_x86_64.whl"
    path.write_bytes(b"no wheel")
    assert run(["kb", "verify", "-q", str(path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert path.name in error


def test_a_file_whose_name_is_no_wheels_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "README.md"
    path.write_text("# nothing\n", encoding="utf-8")
    assert run(["kb", "verify", str(path)]) == 2
    assert "is no wheel" in capsys.readouterr().err


def test_a_wheel_that_says_something_else_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wheel of a known build without any device code differs from what is known of it."""
    path = tmp_path / "torch-2.9.1-cp312-cp312-manylinux_2_28_x86_64.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("torch/version.py", "__version__ = '2.9.1+cu128'\ncuda = '12.8'\n")
    assert run(["kb", "verify", "--json", str(path)]) == 0
    (row,) = json.loads(capsys.readouterr().out)["wheels"]
    assert row["status"] == "differs"
    assert "sm_120" in row["knowledge base has"]
    assert row["wheel has"] == []


def test_a_wheel_of_something_else_is_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "numpy-2.0.0-cp312-cp312-manylinux_2_28_x86_64.whl"
    path.write_bytes(b"")
    assert run(["kb", "verify", "--json", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["wheels"][0]["status"] == "unknown"

"""Nothing that a machine says becomes a command to whoever reads the output."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gpudoctor.cli.output import Output, progress
from gpudoctor.report import FORMATS, render
from gpudoctor.report.inert import inert
from gpudoctor.report.style import Style
from unit.report.reports import report

HOSTILE = "words ##[group]x\n \u00a0::stop-commands::y"


def commands(text: str) -> list[str]:
    """What GitHub's runner obeys in these lines."""
    return [line for line in text.splitlines() if line.strip().startswith("::") or "##[" in line]


@pytest.mark.parametrize("one_line", [True, False])
def test_no_line_of_a_text_is_a_command(one_line):
    assert commands(inert(HOSTILE, one_line=one_line)) == []
    assert commands(inert("  ::error::x", one_line=one_line)) == []
    assert inert("std::vector a::b", one_line=one_line) == "std::vector a::b"


def test_what_an_installer_says_is_no_command(capsys):
    progress("  ::add-mask::password")
    progress("Collecting torch ##[error]x")
    assert commands(capsys.readouterr().err) == []


@pytest.mark.parametrize("format_", [name for name in FORMATS if name != "github"])
def test_no_format_carries_a_command(format_, capsys):
    given = report()
    finding = replace(given.findings[0], title=HOSTILE, detail=HOSTILE)
    whole = replace(given, findings=(finding, *given.findings[1:]))
    style = Style(color=False, width=80)
    Output(style, format_).emit(lambda name, drawn: render(whole, name, drawn))
    said = capsys.readouterr().out
    assert said
    assert commands(said) == []
    if format_ == "json":
        assert json.loads(said)["findings"][0]["title"] == HOSTILE

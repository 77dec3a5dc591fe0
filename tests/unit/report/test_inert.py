"""Nothing that a machine says becomes a command to whoever reads the output."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from gpudoctor.cli.output import Output, progress
from gpudoctor.report import FORMATS, render
from gpudoctor.report.inert import inert, no_credentials
from gpudoctor.report.style import Style
from unit.report.reports import report

COMMAND = re.compile(r"##\w*\[")
RUNNERS = "##[group]x ##vso[task.setvariable variable=PATH]y ##teamcity[z]"
HOSTILE = f"words {RUNNERS}\n \u00a0::stop-commands::y"


def commands(text: str) -> list[str]:
    """What the runners of GitHub, Azure and TeamCity obey in these lines."""
    return [
        line for line in text.splitlines() if line.strip().startswith("::") or COMMAND.search(line)
    ]


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


URLS = (
    "https://u:s3cr3t@idx.example/simple",
    "https://s3cr3t@idx.example/",
    "see (http://bob:s3cr3t@proxy:3128)",
    "https://idx.example/simple?token=s3cr3t&x=1",
    "https://idx.example/w.whl?X-Amz-Signature=s3cr3t",
)


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("format_", FORMATS)
def test_no_credential_in_a_url_leaves_by_any_format(url, format_, capsys, tmp_path):
    given = report()
    whole = replace(given, findings=(replace(given.findings[0], title=url, detail=url),))
    file = tmp_path / "report"
    output = Output(Style(color=False, width=80), format_, ((format_, str(file)),))
    output.emit(lambda name, drawn: render(whole, name, drawn))
    progress(url)
    said = capsys.readouterr()
    assert "s3cr3t" not in said.out + said.err + file.read_text(encoding="utf-8")


def test_what_is_no_credential_stays():
    text = "pip install git+ssh://git@github.com/x/y see https://a.example/b?page=2 and a@b.example"
    assert no_credentials(text) == text

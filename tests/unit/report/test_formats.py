from __future__ import annotations

import dataclasses
import json
import xml.etree.ElementTree as ElementTree

import jsonschema
import pytest
from hypothesis import given, strategies

from gpudoctor.model.facts import Host
from gpudoctor.model.finding import Severity
from gpudoctor.model.prescription import Prescription, Step
from gpudoctor.report import FORMATS, render, schema
from gpudoctor.report.style import Style
from unit.report.reports import report

PLAIN = Style(color=False, width=80)
VERDICTS = ("healthy", "warning", "broken", "unknown")


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_tells_the_finding_and_the_command(format_):
    text = render(report(), format_, PLAIN)
    assert "GPU201" in text
    if format_ not in ("line", "prometheus"):  # which have no room for it
        assert "sm_120" in text
        assert "torchvision==0.24.1+cu128" in text


@pytest.mark.parametrize("format_", FORMATS)
def test_text_from_the_machine_is_inert_in_every_format(format_):
    text = render(report(hostile=True), format_, PLAIN)
    for control in ("\x1b", "\x07", "\x9b", "\u202e", "\r"):
        assert control not in text
    if format_ == "html":
        assert "<b>" not in text
    if format_ == "github":
        assert all(line.startswith("::") for line in text.splitlines())
        assert sum(line.startswith("::error") for line in text.splitlines()) == 1


def test_colours_paint_the_same_words():
    painted = render(report(hostile=True), "text", Style(color=True, width=80))
    assert "\x1b[" in painted
    assert "\x1b]0;" not in painted
    assert "[bold]x[/bold]" in painted


def test_prose_keeps_to_the_width_and_commands_stay_whole():
    text = render(report(), "text", Style(color=False, width=60))
    long_lines = [line for line in text.splitlines() if len(line) > 60]
    assert len(long_lines) == 1
    assert long_lines[0].strip().startswith("python -m pip install")


def test_marks_fall_back_to_ascii():
    text = render(report(), "text", Style(unicode=False))
    text.encode("ascii")


def on(system):
    given = report()
    facts = dataclasses.replace(given.sheet.facts, host=Host(os=system))
    return dataclasses.replace(given, sheet=dataclasses.replace(given.sheet, facts=facts))


@pytest.mark.parametrize("shell", ["posix", "powershell", "cmd"])
def test_the_command_is_one_for_the_machine_wherever_its_report_is_read(shell):
    there = {"posix": "& python", "powershell": "& python", "cmd": "python"}[shell]
    assert f"    {there} -m pip" in render(on("windows"), "text", Style(shell=shell))
    assert "    python -m pip" in render(on("linux"), "text", Style(shell=shell))


def test_a_step_does_not_repeat_the_title_of_its_finding():
    given = report()
    title = given.findings[0].title
    steps = (
        Step(kind="manual", text=f"{title}.", posix="sudo something"),
        Step(kind="manual", text=f"{title}. Then look."),
    )
    given = dataclasses.replace(
        given, prescription=Prescription(status="resolved", why="so", steps=steps)
    )
    text = render(given, "text", Style(width=200))
    assert "What to type\n  so\n    sudo something\n\n  Then look.\n" in text


def test_what_holds_no_command_is_not_said_to_be_typed():
    steps = (Step(kind="manual", text="Plug the card in."),)
    given = dataclasses.replace(
        report(),
        prescription=Prescription(status="resolved", why="so", steps=steps, notes=("Mind.",)),
    )
    text = render(given, "text", PLAIN)
    assert "What to do\n  so\n\n  Plug the card in.\n" in text
    assert text.endswith("note  Mind.\n")


def test_the_json_report_holds_to_the_published_schema():
    document = json.loads(render(report(hostile=True), "json", PLAIN))
    jsonschema.validate(document, schema.report_schema())
    assert document["findings"][0]["url"] == "docs/codes/GPU201.md"
    assert document["facts"]["gpus"][0]["uuid"] is None


def test_the_published_schemas_are_those_of_the_model():
    for name, content in schema.schemas().items():
        jsonschema.Draft202012Validator.check_schema(content)
        with open(f"{schema.FOLDER}/{name}", encoding="utf-8") as file:
            assert file.read() == schema.as_text(content), "run python -m gpudoctor.report.schema"


def test_the_schema_refuses_what_is_no_report():
    document = json.loads(render(report(), "json", PLAIN))
    document["verdict"] = "fine"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema.report_schema())


def test_junit_counts_failures_and_skips():
    suite = ElementTree.fromstring(render(report(hostile=True), "junit", PLAIN))
    assert suite.get("failures") == str(len(suite.findall(".//failure"))) == "2"
    assert suite.get("skipped") == str(len(suite.findall(".//skipped"))) == "2"
    assert suite.get("tests") == str(len(suite.findall(".//testcase")))


def test_sarif_names_rule_and_level():
    run = json.loads(render(report(), "sarif", PLAIN))["runs"][0]
    assert run["results"][0]["ruleId"] == "GPU201"
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == {"GPU201", "GPU305"}


@pytest.mark.parametrize("width", range(24, 60))
def test_no_break_of_a_line_makes_a_command_of_a_text(width):
    given = report()
    hostile = "words " * 3 + "::error file=x::gone ##[command]rm words ::set-output name=a::b"
    finding = dataclasses.replace(given.findings[0], detail=hostile)
    given = dataclasses.replace(given, findings=(finding, *given.findings[1:]))
    text = render(given, "text", Style(color=False, width=width))
    assert not [line for line in text.splitlines() if line.lstrip().startswith(("::", "##["))]


@given(title=strategies.text(), name=strategies.text(), verdict=strategies.sampled_from(VERDICTS))
def test_the_line_is_short_and_plain_whatever_the_machine_says(title, name, verdict):
    shown = report()
    severity = Severity.ERROR if verdict == "broken" else Severity.WARNING
    finding = dataclasses.replace(shown.findings[0], title=title, severity=severity)
    facts = dataclasses.replace(
        shown.sheet.facts, gpus=(dataclasses.replace(shown.sheet.facts.gpus[0], name=name),)
    )
    shown = dataclasses.replace(
        shown,
        findings=(finding,) if verdict in ("broken", "warning") else (),
        verdict=verdict,
        sheet=dataclasses.replace(shown.sheet, facts=facts),
    )
    line = render(shown, "line", PLAIN)
    assert len(line.encode("ascii")) <= 80
    assert line.endswith("\n")
    assert line[:-1].isprintable()
    code = line[:20].split()[0]
    assert code in ("gpudoctor:GPU201", "gpudoctor:OK", "gpudoctor:UNKNOWN")

"""The document: its order, what every format says of it, and the shell it speaks to."""

from __future__ import annotations

import dataclasses
import json
import re

import junitparser
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gpudoctor.kb import info
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Host
from gpudoctor.model.finding import FileAt, Finding, Severity
from gpudoctor.model.report import Suppressed
from gpudoctor.model.terms.shell import command_step
from gpudoctor.report import FORMATS, render
from gpudoctor.report.style import Style
from unit.report.reports import report

PLAIN = Style(width=200)
WITH_ROOM = [name for name in FORMATS if name not in ("line", "prometheus")]


def finding(code="GPU101", name="driver-not-loaded", severity="error", **more):
    return Finding(code=code, name=name, severity=Severity(severity), title=f"{name} it is", **more)


def full():
    """A report that has something to say in every place."""
    given = report()
    root = dataclasses.replace(given.findings[0], next_look="LOOK HERE")
    left_out = Suppressed(finding=finding(), reason="REASON OF THE POLICY")
    return dataclasses.replace(
        given,
        findings=(root, *given.findings[1:]),
        suppressed=(left_out,),
        notes=("NOTE OF THE REPORT",),
        prescription=dataclasses.replace(given.prescription, notes=("NOTE OF THE CURE",)),
    )


def on_windows(given):
    facts = dataclasses.replace(given.sheet.facts, host=Host(os="windows"))
    return dataclasses.replace(given, sheet=dataclasses.replace(given.sheet, facts=facts))


@pytest.mark.parametrize("format_", WITH_ROOM)
@pytest.mark.parametrize(
    "said",
    ["LOOK HERE", "REASON OF THE POLICY", "NOTE OF THE REPORT", "NOTE OF THE CURE", "driver 580"],
)
def test_every_format_says_what_the_terminal_says(format_, said):
    if format_ == "json" or format_ == "jsonl":
        assert said in json.dumps(json.loads(render(full(), format_, PLAIN)))
    else:
        assert said in render(full(), format_, PLAIN)


@pytest.mark.parametrize("format_", [n for n in WITH_ROOM if not n.startswith("json")])
def test_what_is_missing_for_an_answer_stands_in_every_format(format_):
    given = full()
    sheet = dataclasses.replace(given.sheet, unknown=(Unknown("gpus", "NOBODY ANSWERED"),))
    given = dataclasses.replace(given, sheet=sheet, verdict="unknown", findings=())
    assert "NOBODY ANSWERED" in render(given, format_, PLAIN)


def test_the_order_is_verdict_layers_root_cause_what_to_type_and_then_the_rest():
    text = render(full(), "text", PLAIN)
    marks = ("Broken:", "Host", "GPU201", "What to type", "GPU305", "or  ", "note  ", "left out  ")
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)


def test_quiet_is_the_verdict_and_the_commands():
    lines = render(full(), "text", Style(width=200, quiet=True)).splitlines()
    assert lines[0].startswith("Broken:")
    assert [line.split()[:3] for line in lines[1:] if line] == [["python", "-m", "pip"]]


@pytest.mark.parametrize("format_", ["markdown", "html", "github", "junit", "sarif", "text"])
def test_a_windows_machine_is_told_what_to_type_in_its_own_shells(format_):
    text = render(on_windows(report()), format_, PLAIN).replace("&amp;", "&")
    assert "& python -m pip" in text
    assert (re.search(r"(?<!& )python -m pip", text) is not None) == (format_ != "text")


def test_a_step_that_exists_for_another_shell_alone_says_which():
    step = dataclasses.replace(
        command_step("manual", "Restart WSL.", ["wsl", "--shutdown"]), posix=None
    )
    given = report()
    cure = dataclasses.replace(given.prescription, steps=(step,))
    text = render(dataclasses.replace(given, prescription=cure), "text", PLAIN)
    assert "(in PowerShell)\n    wsl --shutdown\n" in text


@pytest.mark.parametrize("format_", ["markdown", "html"])
def test_sentences_are_never_in_code_blocks(format_):
    remedy = dataclasses.replace(
        command_step("manual", "A sentence that explains.", ["nvidia-smi", "-q"])
    )
    given = dataclasses.replace(
        report(), prescription=None, findings=(finding(remedies=(remedy,)),)
    )
    text = render(given, format_, PLAIN)
    blocks = re.findall(r"```\w+\n(.*?)```|<pre>(.*?)</pre>", text, re.DOTALL)
    assert [(a or b).strip() for a, b in blocks] == ["nvidia-smi -q"]
    assert "A sentence that explains." in text


def test_a_page_is_linked_from_every_format_once_the_project_has_an_address(monkeypatch):
    monkeypatch.setattr(info, "documentation", lambda: "https://doctor.example/docs/")
    address = "https://doctor.example/docs/codes/GPU201.md"
    for format_ in ("json", "markdown", "html", "sarif", "github", "junit"):
        assert address in render(report(), format_, PLAIN), format_
    assert address in render(report(), "text", Style(color=True, links=True))
    assert address not in render(report(), "text", Style(color=True))
    run = json.loads(render(report(), "sarif", PLAIN))["runs"][0]
    assert address in [rule.get("helpUri") for rule in run["tool"]["driver"]["rules"]]


def test_without_an_address_no_link_is_printed_but_the_command_that_explains():
    for format_ in ("text", "markdown", "html", "github", "junit", "sarif"):
        shown = render(report(), format_, PLAIN)
        assert "codes/GPU201.md" not in shown
        assert "gpudoctor explain GPU201" in shown


def test_the_line_is_short_plain_and_begins_with_the_code():
    for hostile in (False, True):
        line = render(report(hostile=hostile), "line", PLAIN)
        assert line.startswith("gpudoctor:GPU201 ")
        assert line.count("\n") == 1
        assert len(line.encode()) <= 80
        assert line.isascii()
        assert line.strip().isprintable()
    healthy = dataclasses.replace(report(), findings=(), verdict="healthy", prescription=None)
    assert render(healthy, "line", PLAIN).startswith("gpudoctor:OK ")


def test_a_report_in_one_line_is_the_report():
    line = render(report(), "jsonl", PLAIN)
    assert line.count("\n") == 1
    assert json.loads(line) == json.loads(render(report(), "json", PLAIN))


def test_the_metrics_are_read_by_prometheus_and_hold_no_free_text():
    given = dataclasses.replace(full(), findings=(*full().findings, full().findings[0]))
    text = render(given, "prometheus", PLAIN)
    families = {f.name: f.samples for f in text_string_to_metric_families(text)}
    found = families["gpudoctor_finding"]
    assert {(s.labels["code"], s.value) for s in found} == {("GPU201", 2.0), ("GPU305", 1.0)}
    assert families["gpudoctor_exit_code"][0].value == 1
    assert families["gpudoctor_knowledge_timestamp_seconds"][0].value == 1795132800
    assert all(re.fullmatch(r"[\w-]+", v) for s in found for v in s.labels.values())
    assert "RTX" not in text


def test_github_shows_ten_of_a_kind_the_gravest_first_and_counts_the_rest():
    many = [finding("GPU102", "x", "warning") for _ in range(12)]
    many += [finding("GPU101", "y", "error") for _ in range(11)]
    many += [finding("GPU103", "z", "info") for _ in range(20)]
    lines = render(dataclasses.replace(full(), findings=tuple(many)), "github", PLAIN).splitlines()
    kinds = [line.split(" ")[0] for line in lines]
    assert kinds == ["::error"] * 10 + ["::warning"] * 10 + ["::notice"] * 10
    assert "1 of kind error, 2 of kind warning, " in lines[-1]


def test_a_place_in_a_file_is_a_place_in_every_format(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = finding(files=(FileAt(str(tmp_path / "a b" / "uv.lock"), 812),))
    given = dataclasses.replace(report(), findings=(found,))
    run = json.loads(render(given, "sarif", PLAIN))["runs"][0]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "a%20b/uv.lock"}, "region": {"startLine": 812}}
    assert "line=812" in render(given, "github", PLAIN)
    for format_ in ("text", "markdown", "html"):
        assert "uv.lock:812" in render(given, format_, PLAIN)


def test_fingerprints_stay_while_wording_changes_and_differ_between_results():
    def prints(*findings):
        given = dataclasses.replace(report(), findings=findings)
        run = json.loads(render(given, "sarif", PLAIN))["runs"][0]
        return [result["partialFingerprints"]["gpudoctor/v1"] for result in run["results"]]

    one = finding(gpus=(0,))
    assert prints(one) == prints(dataclasses.replace(one, title="worded otherwise"))
    assert len(set(prints(one, one, dataclasses.replace(one, gpus=(1,))))) == 3


def test_junit_has_a_suite_a_layer_and_a_case_a_rule():
    suites = junitparser.JUnitXml.fromstring(render(full(), "junit", PLAIN).encode())
    by_name = {suite.name: suite for suite in suites}
    assert {"host", "driver", "python", "torch"} <= set(by_name)
    cases = {case.name: case for suite in suites for case in suite}
    assert isinstance(cases["torch-lacks-arch-new-gpu"].result[0], junitparser.Failure)
    assert cases["nouveau-owns-gpu"].is_passed
    assert cases["mig-visibility"].is_skipped
    assert "driver-not-loaded" not in cases, "what the policy left out is not called passed"
    assert suites.tests == sum(1 for suite in suites for _ in suite)

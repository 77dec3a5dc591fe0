"""What gpudoctor wrote is read back: a fact sheet or report in an issue is judged anew."""

from __future__ import annotations

import json

import pytest

import gpudoctor
from gpudoctor.report import FORMATS, render
from gpudoctor.report.style import Style
from gpudoctor.triage.report_on_text import of_string

GPU = {
    "index": 0,
    "name": "NVIDIA GeForce RTX 5060 Ti",
    "vendor": "nvidia",
    "compute_capability": "12.0",
    "sm": "sm_120",
    "memory_bytes": 17103323136,
    "visible": True,
}
SHEET = {
    "schema_version": "1.0",
    "facts": {
        "host": {"os": "linux", "arch": "x86_64", "distribution": "Ubuntu 24.04.1 LTS"},
        "driver": {"version": "570.172.08", "cuda": "12.8"},
        "gpus": [GPU],
        "python": {"version": "3.12.7", "environment": "venv", "executable": "/v/bin/python"},
        "torch": {
            "version": "2.6.0+cu124",
            "cuda": "12.4",
            "sass": ["sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90"],
            "ptx": [],
            "arch_source": "binary",
        },
        "packages": [{"name": "torch", "version": "2.6.0+cu124"}],
    },
    "unknown": [],
}
WAYS = {
    "bare": lambda text: text,
    "in a fence": lambda text: f"Hello, this is my machine:\n\n```json\n{text}\n```\nThank you!",
    "quoted": lambda text: "\n".join(f"> {line}" for line in f"I see\n{text}\n".split("\n")),
}


def written(format_):
    report = gpudoctor.check(facts=SHEET)
    return render(report, format_, Style(width=90))


def same(report):
    assert [finding.code for finding in report.findings] == ["GPU201"]
    assert report.sheet.facts.torch.version == "2.6.0+cu124"
    assert report.sheet.facts.gpus[0].compute_capability == "12.0"
    assert report.sheet.facts.driver.version == "570.172.08"
    return True


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("format_", ["json", "text", "markdown", "html"])
def test_a_report_is_read_back(format_, way):
    assert same(of_string(WAYS[way](written(format_))))


@pytest.mark.parametrize("way", WAYS)
def test_a_fact_sheet_in_an_issue_is_judged_as_check_judges_it(way):
    issue = WAYS[way](json.dumps(SHEET, indent=1))
    triaged, checked = of_string(issue), gpudoctor.check(facts=SHEET)
    assert same(triaged)
    assert triaged.prescription == checked.prescription
    assert triaged.exit_code == 0


def test_check_finds_the_sheet_inside_an_issue(tmp_path):
    issue = tmp_path / "ISSUE.md"
    issue.write_text(WAYS["in a fence"](json.dumps(SHEET, indent=1)), encoding="utf-8")
    assert same(gpudoctor.check(facts=str(issue)))


def _changed(**facts):
    return {**SHEET, "facts": {**SHEET["facts"], **facts}}


SERVED = {"version": "2.9.1+cu128", "cuda": "12.8", "sass": ["sm_90", "sm_120"], "ptx": []}
RADEON = {"index": 0, "name": "AMD Radeon RX 6600", "vendor": "amd", "gfx": "gfx1032"}
PROCESSOR = {"version": "2.6.0+cpu", "cuda": None, "sass": [], "ptx": []}
MACHINES = {
    "GPU too new": SHEET,
    "healthy": _changed(torch=SERVED),
    "no torch": _changed(torch=None, packages=[]),
    "AMD": _changed(gpus=[RADEON], driver=None, torch=PROCESSOR),
    "no GPU": _changed(gpus=[], driver=None),
}


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_is_read_back_alone_and_in_a_log(format_, machine):
    report = gpudoctor.check(facts=MACHINES[machine])
    text = render(report, format_, Style(width=90))
    for pasted in (text, f"starting the job\n{text}\nthe job has ended"):
        names = [finding.name for finding in of_string(pasted).findings]
        assert names == [finding.name for finding in report.findings]


@pytest.mark.parametrize("format_", ["text", "markdown", "html", "github", "line"])
def test_what_a_plan_prescribes_is_not_installed(format_):
    plan = gpudoctor.plan(gpus=["5090"], driver="570", os="linux", python="3.12")
    report = of_string(render(plan, format_, Style(width=90)))
    assert report.findings == ()
    assert report.sheet.facts.torch is None


def test_a_traceback_below_a_healthy_report_is_read_too():
    healthy = json.loads(json.dumps(SHEET))
    healthy["facts"]["torch"].update(version="2.9.1+cu128", cuda="12.8", sass=["sm_90", "sm_120"])
    text = render(gpudoctor.check(facts=healthy), "text", Style(width=90))
    error = "Traceback (most recent call last):\nIndexError: Target 10 is out of bounds."
    report = of_string(f"{text}\n\n{error}")
    assert [finding.name for finding in report.findings] == ["label-out-of-range"]
    assert of_string(text).findings == ()


def test_a_damaged_sheet_is_a_text_like_others():
    assert of_string(json.dumps(SHEET)[:-40]).exit_code == 0
    assert of_string('{"facts": 3}').findings == ()

"""The page for maintainers: its template and workflow are sound, and hostile text stays text."""

from __future__ import annotations

import re

import yaml

from gpudoctor.report import render
from gpudoctor.report.style import Style
from gpudoctor.triage.report_on_text import of_string

with open("docs/maintainers.md", encoding="utf-8") as file:
    TEMPLATE, WORKFLOW = (
        yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", file.read(), re.S)
    )


def test_the_template_asks_for_the_facts():
    assert "gpudoctor facts" in TEMPLATE["body"][0]["attributes"]["description"]


def test_only_the_job_that_answers_may_write():
    assert WORKFLOW["permissions"] == {}
    assert WORKFLOW["jobs"]["triage"]["permissions"] == {"contents": "read"}
    assert WORKFLOW["jobs"]["answer"]["permissions"] == {"issues": "write"}


def test_the_text_of_an_issue_is_never_part_of_a_command():
    for job in WORKFLOW["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")


def test_what_an_answer_quotes_is_escaped():
    hostile = (
        "RuntimeError: No CUDA GPUs are available ![x](http://evil.example/x.png) <img src=x> "
        "[click](javascript:alert(1)) `rm -rf`"
    )
    answer = render(of_string(hostile), "markdown", Style())
    for raw in (r"!\[x\]\(", "<img", r"\[click\]\("):
        assert not re.search(rf"(?<!\\){raw}", answer), raw


def test_an_answer_is_complete():
    text = "AssertionError: Torch not compiled with CUDA enabled\nRTX 4090, Windows 11"
    answer = render(of_string(text), "markdown", Style())
    for part in ("GPU203", "proof", "### What to type", "```", "missing", "pip install"):
        assert part in answer, part

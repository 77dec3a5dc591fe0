"""Many machines: differences first, nobody forgotten, broken files named and the rest judged."""

from __future__ import annotations

import json
import subprocess
import sys

import junitparser
import pytest
from prometheus_client.parser import text_string_to_metric_families

import gpudoctor
from gpudoctor.errors import UsageError
from gpudoctor.fleet.hostlist import expand
from gpudoctor.fleet.render import render
from gpudoctor.report import FORMATS
from gpudoctor.report.style import Style

PLAIN = Style(width=100)
LACKS = {
    "code": "GPU201",
    "name": "torch-lacks-arch-new-gpu",
    "severity": "error",
    "title": "torch 2.6.0+cu124 has no code for sm_120",
}


def machine(driver="580.65.06", torch="2.9.1+cu128", findings=(), verdict="healthy", **facts):
    return {
        "schema_version": "1.0",
        "verdict": verdict,
        "exit_code": 0,
        "facts": {
            "host": {"os": "linux", "arch": "x86_64", "distribution": "Ubuntu 24.04"},
            "driver": {"version": driver},
            "gpus": [{"name": "NVIDIA H100"}] * 8,
            "python": {"version": "3.12.7"},
            "torch": {"version": torch},
            "packages": [{"name": "numpy", "version": "2.1"}],
            **facts,
        },
        "unknown": [],
        "findings": list(findings),
    }


@pytest.fixture
def cluster(tmp_path):
    """48 machines, two of them not like the others."""
    for number in range(1, 49):
        given = machine()
        if number == 7:
            given = machine(driver="570.172.08")
        if number == 31:
            given = machine(torch="2.6.0+cu124", findings=[LACKS], verdict="broken")
        (tmp_path / f"n{number:02}.json").write_text(json.dumps(given), encoding="utf-8")
    return tmp_path


def test_what_sets_machines_apart_is_said_first(cluster):
    text = str(gpudoctor.report(cluster))
    lines = text.splitlines()
    assert lines[0] == "46 of 48 machines are the same; 47 healthy, 1 broken."
    assert "n31" in lines[2]
    assert "torch 2.6.0+cu124, not 2.9.1+cu128; GPU201" in text
    assert "n07" in text
    assert "driver 570.172.08, not 580.65.06" in text


def test_the_exit_code_is_worked_out_anew(cluster):
    assert gpudoctor.report(cluster).exit_code == 1
    assert gpudoctor.report(cluster, fail_on="never").exit_code == 0
    assert gpudoctor.report(cluster / "n01.json").exit_code == 0


def test_silence_counts(cluster):
    found = gpudoctor.report([cluster / "n01.json", cluster / "n02.json"], expect="n[01-04]")
    assert found.missing == ("n03", "n04")
    assert found.exit_code == 3
    assert gpudoctor.report(cluster, expect="n[01-48].cluster.example").missing == ()


def test_a_broken_file_is_named_and_the_rest_is_judged(cluster):
    (cluster / "n02.json").write_text('{"facts": ', encoding="utf-8")
    (cluster / "n03.json").write_bytes(b"\xff\xfe\x00")
    (cluster / "n04.json").write_text("[1, 2]", encoding="utf-8")
    (cluster / "n05.json").write_text("", encoding="utf-8")
    (cluster / "n06.json").write_text(json.dumps({"schema_version": "9", "facts": {}}))
    (cluster / "n31.json").unlink()
    found = gpudoctor.report(cluster)
    assert found.count == 42
    assert {entry.path.rpartition("/")[2][:3] for entry in found.unreadable} == {
        *("n02", "n03", "n04", "n05", "n06")
    }
    assert found.exit_code == 3


def test_lines_lists_fact_sheets_and_stdin_are_read(cluster, tmp_path):
    lines = tmp_path / "all.jsonl"
    lines.write_text(
        "".join(json.dumps({"machine": f"m{n}", **machine()}) + "\n\n" for n in range(3))
    )
    assert gpudoctor.report(lines).groups[0].machines == ("m0", "m1", "m2")
    listed = tmp_path / "list.json"
    listed.write_text(json.dumps([machine(), machine()], indent=1))
    assert gpudoctor.report(listed).count == 2
    sheet = tmp_path / "sheet.json"
    sheet.write_text(json.dumps({k: machine()[k] for k in ("facts", "unknown")}))
    assert gpudoctor.report(sheet).count == 1
    done = subprocess.run(
        [sys.executable, "-m", "gpudoctor", "report", "-", "--json"],
        input=lines.read_text(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(done.stdout) == gpudoctor.report(lines).to_dict()


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_names_who_is_not_like_the_others(cluster, format_):
    (cluster / "n40.json").write_text("<script>\x1b[31m")
    text = render(gpudoctor.report(cluster, expect="n[01-49]"), format_, PLAIN)
    assert "\x1b" not in text
    if format_ not in ("line", "prometheus"):
        assert all(name in text for name in ("n07", "n31", "n40", "n49", "570.172.08"))
    else:
        assert "GPU201" in text
        assert "n31" not in text


def test_the_line_of_a_cluster_is_short(cluster):
    line = render(gpudoctor.report(cluster), "line", PLAIN)
    assert line.startswith("gpudoctor:GPU201")
    assert len(line) <= 80


def test_metrics_hold_counts_and_no_name_of_a_host_or_of_a_stranger(cluster):
    evil = {**LACKS, "code": 'GPU2"} 1\nx', "severity": "info"}
    (cluster / "n01.json").write_text(json.dumps(machine(findings=[evil])))
    text = render(gpudoctor.report(cluster), "prometheus", PLAIN)
    families = {f.name: f.samples for f in text_string_to_metric_families(text)}
    found = {s.labels["verdict"]: s.value for s in families["gpudoctor_machines"]}
    assert found == {"healthy": 47, "warning": 0, "broken": 1, "unknown": 0}
    assert [s.value for s in families["gpudoctor_machines_with_finding"]] == [1]
    assert "n31" not in text


def test_junit_has_a_case_a_machine(cluster):
    suites = junitparser.JUnitXml.fromstring(
        render(gpudoctor.report(cluster, expect="n49"), "junit", PLAIN).encode()
    )
    assert (suites.tests, suites.failures, suites.skipped) == (49, 1, 1)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("n[01-03,07],login1", "n01 n02 n03 n07 login1"),
        ("r[1-2]n[08-10]", "r1n08 r1n09 r1n10 r2n08 r2n09 r2n10"),
        ("a,b a", "a b"),
        ("gpu[9-11].site", "gpu9.site gpu10.site gpu11.site"),
    ],
)
def test_a_list_of_hosts_is_read_as_slurm_writes_it(text, names):
    assert expand(text) == tuple(names.split())


@pytest.mark.parametrize("text", ["", "n[1-", "n[]", "n[a-b]", "n[1-999999999]", "n]1["])
def test_what_is_no_list_of_hosts_is_refused(text):
    with pytest.raises(UsageError, match="--expect"):
        expand(text)


def test_what_is_not_there_is_wrong_usage():
    with pytest.raises(UsageError, match="there is no such file"):
        gpudoctor.report("/nowhere")
    with pytest.raises(UsageError, match="report needs a file"):
        gpudoctor.report([])

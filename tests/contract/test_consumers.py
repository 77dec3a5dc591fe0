"""What machines read, read by the programs it is made for: promtool, node_exporter, the SARIF
multitool, a reader of JUnit. Where such a program is not installed, its test is left out.

Debian: `prometheus` (promtool) and `prometheus-node-exporter`. npm: `@microsoft/sarif-multitool`
with `@microsoft/sarif-multitool-linux`, whose `Sarif.Multitool` GPUDOCTOR_SARIF_MULTITOOL may name.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import junitparser
import pytest

from contract import sheets as s
from contract.sheets import nvidia, sheet, torch

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
GOLDEN = sorted((ROOT / "tests" / "machines" / "golden").glob("*.json"))
REQUIREMENTS = "torch==2.3.0+cu118\ntorchvision==0.24.1\n"
LOG = "RuntimeError: CUDA error: no kernel image is available for execution on the device\n"


def gpudoctor(*arguments: object, cwd: Path | str = "/") -> str:
    """What this checkout's program prints."""
    done = subprocess.run(
        [sys.executable, "-m", "gpudoctor", *map(str, arguments)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src")},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode in (0, 1, 3), done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A broken machine, a healthy one, a list of requirements, a log: in one folder."""
    folder = tmp_path_factory.mktemp("inputs")
    old = sheet(nvidia(s.RTX_5060_TI), installed=torch("2.6.0+cu124", "12.4", s.CU126))
    (folder / "broken.json").write_text(json.dumps(old), encoding="utf-8")
    new = sheet(nvidia(s.RTX_5060_TI), installed=torch("2.9.1+cu128", "12.8", s.CU128))
    (folder / "healthy.json").write_text(json.dumps(new), encoding="utf-8")
    (folder / "requirements.txt").write_text(REQUIREMENTS, encoding="utf-8")
    (folder / "train.log").write_text(LOG, encoding="utf-8")
    return folder


COMMANDS = (
    ("check", "--facts", "broken.json"),
    ("check", "--facts", "healthy.json"),
    ("check", "--smoke", "off"),
    ("plan", "--requirements", "requirements.txt", "--gpu", "sm_120", "--python", "3.12"),
    ("plan", "--requirements", ".", "--gpu", "T4", "--gpu", "H100", "--python", "3.12"),
    ("triage", "train.log"),
    ("report", str(GOLDEN[0].parent)),
    ("report", "broken.json", "--expect", "n[1-3]"),
)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_promtool_finds_nothing_to_say_of_the_metrics(
    inputs: Path, command: tuple[str, ...]
) -> None:
    metrics = gpudoctor(*command, "--format", "prometheus", cwd=inputs)
    assert "gpudoctor_exit_code" in metrics
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=metrics, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@contextlib.contextmanager
def node_exporter(folder: Path) -> Iterator[str]:
    """A real node_exporter that collects the text files of a folder; its address."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{found.getsockname()[1]}"
    process = subprocess.Popen(
        [
            "prometheus-node-exporter",
            "--collector.disable-defaults",
            "--collector.textfile",
            f"--collector.textfile.directory={folder}",
            f"--web.listen-address={address}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://{address}/metrics"
    finally:
        process.kill()
        process.wait()


def scraped(address: str) -> str:
    """What a Prometheus server would get."""
    end = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < end, "node_exporter does not answer"
            time.sleep(0.05)


@pytest.mark.skipif(
    shutil.which("prometheus-node-exporter") is None, reason="node_exporter is not installed"
)
def test_node_exporter_serves_what_a_check_left(inputs: Path, tmp_path: Path) -> None:
    target = tmp_path / "gpudoctor.prom"
    with node_exporter(tmp_path) as address:
        for machine, code in (("broken", "1"), ("healthy", "0")):
            gpudoctor(
                *("check", "--facts", inputs / f"{machine}.json", "-q"),
                *("--output", f"prometheus={target}"),
            )
            lines = scraped(address).splitlines()
            assert "node_textfile_scrape_error 0" in lines
            assert f"gpudoctor_exit_code {code}" in lines
            assert any('code="GPU201"' in line for line in lines) is (machine == "broken")
    assert os.listdir(tmp_path) == ["gpudoctor.prom"]


def multitool() -> str | None:
    """The program, if it is installed; npm's own wrapper calls the same."""
    named = os.environ.get("GPUDOCTOR_SARIF_MULTITOOL") or shutil.which("Sarif.Multitool")
    beside = "/usr/*/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"
    return next(iter((*([named] if named else []), *sorted(glob.glob(beside)))), None)


@pytest.mark.skipif(multitool() is None, reason="the SARIF multitool is not installed")
def test_the_sarif_multitool_finds_no_error_in_the_logs(inputs: Path, tmp_path: Path) -> None:
    for number, command in enumerate(COMMANDS):
        log = gpudoctor(*command, "--format", "sarif", cwd=inputs)
        (tmp_path / f"{number}.sarif").write_text(log, encoding="utf-8")
    said = tmp_path / "said.json"
    command_line = [multitool() or "", "validate", f"{tmp_path}/*.sarif", "--output", str(said)]
    done = subprocess.run(
        [*command_line, "--level", "Error;Warning", "--kind", "Fail"],
        env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert f"{len(COMMANDS)} files scanned" in done.stdout
    run = json.loads(said.read_text(encoding="utf-8-sig"))["runs"][0]
    # The project has no public address yet, which `informationUri` would hold.
    assert {result["ruleId"] for result in run["results"]} <= {"SARIF2005"}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_reader_of_junit_counts_what_is_there(inputs: Path, command: tuple[str, ...]) -> None:
    text = gpudoctor(*command, "--format", "junit", cwd=inputs)
    read = junitparser.JUnitXml.fromstring(text.encode())
    cases = [case for suite in read for case in suite]
    failed = [c for c in cases if any(isinstance(r, junitparser.Failure) for r in c.result)]
    skipped = [c for c in cases if any(isinstance(r, junitparser.Skipped) for r in c.result)]
    assert (read.tests, read.failures, read.skipped, read.errors) == (
        *(len(cases), len(failed), len(skipped)),
        0,
    )
    assert all(suite.name and suite.tests == len(list(suite)) for suite in read)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_line_is_one_short_line_of_ascii(inputs: Path, command: tuple[str, ...]) -> None:
    line = gpudoctor(*command, "--format", "line", cwd=inputs)
    assert line.endswith("\n")
    assert len(line.encode("ascii")) <= 80
    assert line[:-1].isprintable()
    assert line.startswith("gpudoctor:")
    assert " " in line[:20]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_line_of_json_is_the_report(inputs: Path, command: tuple[str, ...]) -> None:
    lines = gpudoctor(*command, "--format", "jsonl", cwd=inputs).splitlines()
    assert lines
    whole = gpudoctor(*command, "--json", cwd=inputs)
    if command[0] != "report":
        one, other = json.loads(lines[0]), json.loads(whole)
        one["timings_ms"] = other["timings_ms"] = None
        assert (len(lines), one) == (1, other)

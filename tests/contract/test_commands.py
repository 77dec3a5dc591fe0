"""Every command: its options, its formats, where its output goes, and what it never does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from contract import sheets as s
from contract.program import COMMANDS, Answer, inside
from contract.sheets import nvidia, sheet, torch

ROOT = Path(__file__).resolve().parents[2]
BROKEN = json.dumps(sheet(nvidia(s.RTX_5060_TI), installed=torch("2.6.0+cu124", "12.4", s.CU126)))
_COMMON = "--format --json --output -q -v --color"
OPTIONS = {
    "check": f"--python --facts --smoke --policy --allow-cpu --fail-on --timeout --select --ignore "
    f"{_COMMON}",
    "fix": "--python --dry-run --yes --tool --torch --channel --index-url --from-source --smoke "
    f"--undo {_COMMON}",
    "plan": "--gpu --driver --os --arch --python --torch --channel --tool --requirements "
    f"--extra --group --facts {_COMMON}",
    "smoke": f"--python --level --device --timeout {_COMMON}",
    "scan": f"--gpu {_COMMON}",
    "triage": _COMMON,
    "report": f"{_COMMON} --expect --fail-on",
    "run": "--cpu-fallback --rerun-blocking --no-preflight --output -q -v --color",
    "explain": _COMMON,
    "facts": f"--python --no-redact {_COMMON}",
    "kb": _COMMON,
}
REPORTS = ("check", "plan", "triage")
FORMATS = (
    *("text", "json", "jsonl", "line", "markdown", "html", "github", "junit", "sarif"),
    "prometheus",
)


def asked(command: str, *more: str) -> Answer:
    """One harmless use of a command that answers at length."""
    arguments = {
        "check": ("--facts", "-"),
        "plan": ("--gpu", "5060 ti", "--driver", "570"),
        "triage": ("-",),
        "explain": ("GPU201",),
        "kb": (),
    }[command]
    stdin = BROKEN if command == "check" else "RuntimeError: CUDA error: out of memory\n"
    return inside(command, *arguments, *more, stdin=stdin)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_is_in_its_help(command: str) -> None:
    answer = inside(command, "--help")
    assert answer.code == 0
    offered = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", answer.out))
    assert set(OPTIONS[command].split()) <= offered


@pytest.mark.parametrize("command", ["explain", "facts", "kb", "scan", *REPORTS])
def test_the_help_offers_the_formats_that_the_command_has(command: str) -> None:
    help_ = " ".join(inside(command, "--help").out.split())
    offered = help_.partition("--format FORMAT One of ")[2].partition(".")[0].split(", ")
    assert "json" in offered
    arguments = {"explain": ("sm_120",), "scan": (__file__,), "check": ("--facts", "-")}
    arguments |= {"plan": ("--gpu", "T4"), "triage": ("-",)}
    for format_ in FORMATS:
        answer = inside(command, *arguments.get(command, ()), "--format", format_, stdin=BROKEN)
        assert (answer.code != 2) == (format_ in offered), format_


def test_the_help_lists_the_commands_there_are_and_no_others() -> None:
    answer = inside("--help")
    listed = re.findall(r"^  (\w+)  ", answer.out.partition("Commands:")[2], re.MULTILINE)
    assert tuple(listed) == COMMANDS
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in set(re.findall(r"`gpudoctor ([a-z]+)", readme)):
        assert command in COMMANDS


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("command", REPORTS)
def test_every_report_comes_in_every_format_and_as_a_file(
    command: str, format_: str, tmp_path: Path
) -> None:
    path, other = tmp_path / "report", tmp_path / "other"
    answer = asked(
        command, "--format", format_, "--output", f"{format_}={path}", "--output", f"json={other}"
    )
    assert answer.code == (1 if command == "check" else 0)
    assert answer.out.strip()
    saved = path.read_text(encoding="utf-8")
    if format_ in ("json", "sarif"):
        assert isinstance(json.loads(saved), dict)
        assert json.loads(answer.out).keys() == json.loads(saved).keys()
    if format_ in ("html", "junit"):
        assert saved.lstrip().startswith("<")
    assert json.loads(other.read_text(encoding="utf-8"))["tool"]["name"] == "gpudoctor"


@pytest.mark.parametrize("command", [*REPORTS, "explain", "kb"])
def test_json_is_short_for_format_json(command: str) -> None:
    def plain(text: str) -> object:
        value = json.loads(text)
        value.pop("timings_ms", None)
        return value

    assert plain(asked(command, "--json").out) == plain(asked(command, "--format", "json").out)


@pytest.mark.parametrize("command", [*REPORTS, "explain", "kb"])
def test_quiet_says_no_more_and_verbose_no_less(command: str) -> None:
    normal = asked(command).out
    assert len(asked(command, "-q").out) <= len(normal) <= len(asked(command, "-v").out)
    assert asked(command, "-vv").out


@pytest.mark.parametrize("command", [*REPORTS, "explain", "kb"])
def test_colour_is_drawn_always_or_never_as_asked(command: str) -> None:
    assert "\x1b[" not in asked(command, "--color", "never").out
    if command in ("check", "triage"):
        assert "\x1b[" in asked(command, "--color", "always").out
    assert inside(command, "--color", "mauve", stdin=BROKEN).code == 2


WRONG = {
    "no such command": ("heal",),
    "no such option": ("check", "--bogus"),
    "no such format": ("check", "--format", "pdf"),
    "no such fact sheet": ("check", "--facts", "/nonexistent"),
    "a folder for a fact sheet": ("check", "--facts", "/"),
    "no such policy": ("check", "--policy", "/nonexistent", "--facts", "-"),
    "no such code": ("check", "--ignore", "GPU999", "--facts", "-"),
    "no such level of failing": ("check", "--fail-on", "often", "--facts", "-"),
    "no such smoke level": ("check", "--smoke", "some", "--facts", "-"),
    "no time at all": ("check", "--timeout", "0", "--facts", "-"),
    "no time for facts": ("facts", "--timeout", "0"),
    "less than no time for a fix": ("fix", "--dry-run", "--timeout", "-1"),
    "no number of seconds": ("smoke", "--timeout", "nan"),
    "no such format of facts": ("facts", "--format", "sarif"),
    "no such format of explanations": ("explain", "GPU201", "--format", "junit"),
    "no such format of scans": ("scan", "/", "--format", "sarif"),
    "an output without a path": ("check", "--facts", "-", "--output", "json"),
    "an output in no folder": ("check", "--facts", "-", "--output", "json=/nonexistent/a/b"),
    "no such interpreter": ("check", "--python", "/nonexistent/python"),
    "no such interpreter to fix": ("fix", "--python", "/nonexistent/python", "--dry-run"),
    "no such tool": ("fix", "--tool", "npm", "--dry-run"),
    "no such channel": ("fix", "--channel", "beta", "--dry-run"),
    "no such torch": ("fix", "--torch", "newest please", "--dry-run"),
    "no gpu": ("plan",),
    "no such architecture": ("plan", "--gpu", "sm_999"),
    "no such gpu": ("plan", "--gpu", "RTX 5061"),
    "a name of several gpus": ("plan", "--gpu", "RTX 6000"),
    "no such system": ("plan", "--gpu", "T4", "--os", "beos"),
    "no such processor": ("plan", "--gpu", "T4", "--arch", "mips"),
    "no such driver": ("plan", "--gpu", "T4", "--driver", "newest"),
    "no such python": ("plan", "--gpu", "T4", "--python", "three"),
    "no such requirements": ("plan", "--gpu", "T4", "--requirements", "/nonexistent"),
    "no such smoke test": ("smoke", "--level", "huge"),
    "nothing to scan": ("scan", "/nonexistent"),
    "nothing named to scan": ("scan",),
    "no such gpu to scan for": ("scan", "/", "--gpu", "sm_999"),
    "no text": ("triage", "/nonexistent"),
    "a folder for a text": ("triage", "/"),
    "nothing to run": ("run",),
    "nothing to explain": ("explain",),
    "nobody knows it": ("explain", "sm_999"),
    "nobody knows the gpu": ("explain", "RTX 5061"),
    "no such table": ("kb", "show", "nonsense"),
    "no such wheel": ("kb", "verify", "/nonexistent.whl"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_usage_is_2_and_one_line_on_stderr(name: str) -> None:
    answer = inside(*WRONG[name], stdin=BROKEN)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("gpudoctor: ")
    assert answer.err.count("\n") == 1
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (("explain", "sm_999"), "sm_121"),
        (("explain", "sm_121x"), "sm_121"),
        (("explain", "RTX 5061"), "5060"),
        (("explain", "torch-lacks-arch"), "torch-lacks-arch-new-gpu"),
        (("explain", "GPU299"), "GPU2"),
        (("plan", "--gpu", "sm_999"), "sm_121"),
        (("plan", "--gpu", "RTX 5061"), "5060"),
        (("scan", "/", "--gpu", "sm_999"), "sm_121"),
    ],
)
def test_what_nobody_knows_is_answered_with_the_nearest(
    arguments: tuple[str, ...], near: str
) -> None:
    answer = inside(*arguments)
    assert answer.code == 2
    assert near in answer.err


@pytest.mark.parametrize(
    "what",
    [
        "GPU201",
        "gpu201",
        "torch-lacks-arch-new-gpu",
        "sm_120",
        "12.0",
        "sm_90a",
        "compute_90",
        "RTX 5060 Ti",
        "5060 ti",
        "GB10",
        "RX 6800 XT",
        "gfx1030",
        "Arc A770",
    ],
)
def test_codes_names_architectures_and_gpus_are_explained(what: str) -> None:
    answer = inside("explain", *what.split())
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.strip()


def test_triage_prescribes_where_the_text_says_enough() -> None:
    text = (
        "PyTorch version: 2.6.0+cu124\nIs debug build: False\n"
        "CUDA used to build PyTorch: 12.4\nOS: Microsoft Windows 11 Pro (10.0.26100 64-bit)\n"
        "Python version: 3.12.3 (64-bit runtime)\nIs CUDA available: True\n"
        "GPU models and configuration: GPU 0: NVIDIA GeForce RTX 5060 Ti\n"
        "Nvidia driver version: 572.83\n"
    )
    report = inside("triage", "-", "--json", stdin=text).report
    assert report["facts"]["torch"]["version"] == "2.6.0+cu124"
    assert report["facts"]["host"]["os"] == "windows"
    assert report["findings"][0]["name"] == "torch-lacks-arch-new-gpu"
    assert report["prescription"]["status"] == "resolved"
    works = text.replace("2.6.0+cu124", "2.9.1+cu128").replace("12.4", "12.8")
    report = inside("triage", "-", "--json", stdin=works).report
    assert (report["findings"], report["prescription"]["status"]) == ([], "not-needed")


@pytest.mark.parametrize("text", ["", "nothing is wrong here\n", "\x1b[31m[bold]\x07", "\x00\xff"])
def test_triage_answers_with_0_whether_it_finds_something_or_not(text: str) -> None:
    answer = inside("triage", "-", "--json", stdin=text)
    assert answer.code == 0
    assert answer.report["findings"] == []

"""The Python API: what the commands do, as functions, with arguments that are checked first."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import pytest

import gpudoctor
from gpudoctor.errors import UsageError

FUNCTIONS = (
    *("check", "plan", "triage", "diagnose", "smoke", "scan", "fix", "undo", "facts", "explain"),
    *("require", "explain_errors", "install_excepthook"),
)
SHEET = {
    "schema_version": "1.0",
    "facts": {
        "host": {"os": "linux", "arch": "x86_64"},
        "driver": {"version": "570.172.08", "cuda": "12.8"},
        "gpus": [{"index": 0, "name": "NVIDIA GeForce RTX 5060 Ti", "vendor": "nvidia",
                  "compute_capability": "12.0", "sm": "sm_120"}],
        "python": {"version": "3.12.7"},
        "torch": {"version": "2.6.0+cu124", "cuda": "12.4", "sass": ["sm_90"]},
    },
}  # fmt: skip


def command(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "gpudoctor", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return json.loads(done.stdout), done.returncode


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_package_lists_and_offers_every_function(name):
    assert name in dir(gpudoctor)
    assert callable(getattr(gpudoctor, name))


def test_a_function_stays_callable_when_a_package_of_its_name_is_imported():
    code = (
        "import gpudoctor, gpudoctor.triage.report_on_text, gpudoctor.smoke, gpudoctor.fix, "
        "gpudoctor.report.style\n"
        "from gpudoctor.report import FORMATS\n"
        "print(gpudoctor.triage('No CUDA GPUs are available').findings[0].code, "
        "callable(gpudoctor.smoke), gpudoctor.report.style.__name__)"
    )
    assert run(code) == "GPU011 True gpudoctor.report.style"


def test_importing_the_package_loads_nothing():
    code = "import sys, gpudoctor; print([m for m in sys.modules if m.startswith('gpudoctor.')])"
    assert run(code) == "[]"


@pytest.mark.parametrize("form", ["dict", "text", "bytes", "path"])
def test_a_saved_machine_is_judged_as_the_command_does(form, tmp_path):
    path = tmp_path / "machine.json"
    path.write_text(json.dumps(SHEET), encoding="utf-8")
    given = {"dict": SHEET, "text": path.read_text(), "bytes": path.read_bytes(), "path": path}
    report = gpudoctor.check(facts=given[form])
    printed, code = command("check", "--facts", str(path), "--json")
    assert report.to_dict() | {"timings_ms": {}} == printed | {"timings_ms": {}}
    assert report.exit_code == code == 1
    assert report.findings[0].name == "torch-lacks-arch-new-gpu"
    assert "GPU201" in str(report)


def test_a_plan_is_what_the_command_prints():
    line = ["--gpu", "T4", "--os", "linux", "--arch", "x86_64", "--python", "3.12"]
    printed, code = command("plan", *line, "--driver", "535", "--json")
    report = gpudoctor.plan(gpus=["T4"], os="linux", arch="x86_64", python="3.12", driver=535)
    assert report.to_dict()["prescription"] == printed["prescription"]
    assert report.exit_code == code == 0


def test_a_plan_for_a_saved_machine_needs_no_other_gpu():
    report = gpudoctor.plan(facts=SHEET, python="3.12")
    assert report.prescription.status == "resolved"
    assert "sm_120" in report.prescription.why


def test_a_text_a_page_and_a_sheet_know_their_json():
    found = gpudoctor.triage("RuntimeError: No CUDA GPUs are available")
    assert found.to_dict()["findings"][0]["code"] == "GPU011"
    assert found.exit_code == 0
    page = gpudoctor.explain("GPU201")
    assert page.startswith("# GPU201")
    assert page.to_dict()["subject"] == "GPU201"
    assert set(gpudoctor.facts(timeout=10).to_dict()) >= {"schema_version", "facts", "unknown"}


def test_a_scan_knows_its_exit_code(tmp_path):
    (tmp_path / "empty.so").write_bytes(b"\x7fELF" + bytes(60))
    table = gpudoctor.scan([tmp_path], gpus=["sm_90"])
    assert table.to_dict()["files"] == []


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: gpudoctor.check(timeout="soon"), "timeout takes a number of seconds above 0"),
        (lambda: gpudoctor.check(timeout=-1), "timeout takes"),
        (lambda: gpudoctor.check(smoke="gentle"), "smoke takes off, quick or full"),
        (lambda: gpudoctor.check(allow_cpu="yes"), "allow_cpu takes True or False"),
        (lambda: gpudoctor.check(python=3), "python takes a text"),
        (lambda: gpudoctor.check(facts=7), "facts takes a path, a text or a dict"),
        (lambda: gpudoctor.check(facts="/nowhere.json"), "/nowhere.json cannot be read"),
        (lambda: gpudoctor.check(policy={"fail-onn": "error"}), "no setting"),
        (lambda: gpudoctor.plan(), "plan needs a GPU"),
        (lambda: gpudoctor.plan(gpus=["T4"], python=3.1), "python takes a version as text"),
        (lambda: gpudoctor.plan(gpus=["T4", 5]), "gpus takes a text"),
        (lambda: gpudoctor.plan(gpus=["sm_999"]), "sm_999"),
        (lambda: gpudoctor.scan([]), "scan needs a path"),
        (lambda: gpudoctor.smoke(level="slow"), "level takes quick or full"),
        (lambda: gpudoctor.triage(None), "triage takes a text"),
        (lambda: gpudoctor.diagnose(None), "diagnose takes an exception or a text"),
        (lambda: gpudoctor.explain("sm_999"), "nobody knows sm_999"),
        (lambda: gpudoctor.fix(tool="apt"), "tool"),
    ],
)
def test_a_wrong_argument_is_one_sentence(call, said):
    with pytest.raises(UsageError, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["cp1252", "cp866", "ascii"])
def test_a_diagnosis_prints_wherever_it_is_printed(encoding):
    code = (
        "import gpudoctor\n"
        "print(gpudoctor.diagnose('NVIDIA → Ünïcode RuntimeError: No CUDA GPUs are available ✓'))"
    )
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", code],
        env={"PYTHONIOENCODING": encoding, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b"GPU011" in done.stdout


def test_keyword_arguments_are_named_as_the_options():
    wanted = {
        "check": {"python", "facts", "smoke", "policy", "allow_cpu", "timeout"},
        "plan": {"gpus", "driver", "os", "arch", "python", "torch", "channel", "tool", "facts"},
        "smoke": {"python", "level", "device", "timeout"},
    }
    for name, names in wanted.items():
        assert names <= set(inspect.signature(getattr(gpudoctor.app, name)).parameters)


def test_an_undoing_knows_its_json_and_its_exit_code(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    undone = gpudoctor.undo(sys.prefix)
    printed, code = command("fix", "--undo", "--python", sys.prefix, "--json")
    assert undone.to_dict() == printed
    assert undone.exit_code == code == 0
    assert str(undone) == printed["message"]

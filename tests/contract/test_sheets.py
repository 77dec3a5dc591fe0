"""Saved machines in the promised form: what must be found, and what must not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contract import sheets as s
from contract.cases import BROKEN, CU124_TORCH, CU130_TORCH, HEALTHY, INCURABLE
from contract.program import Answer, found, inside, judged
from contract.sheets import nvidia, sheet, torch, without


@pytest.mark.parametrize("name", HEALTHY)
def test_no_alarm_sounds_on_a_machine_that_works(name: str) -> None:
    answer = judged(HEALTHY[name])
    report = answer.report
    assert (answer.code, report["verdict"], found(report)) == (0, "healthy", [])
    assert report["exit_code"] == 0
    assert report["prescription"]["status"] == "not-needed"


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_named_first_and_cured(name: str) -> None:
    given, wanted = BROKEN[name]
    answer = judged(given)
    report = answer.report
    assert (answer.code, report["verdict"], found(report)[0]) == (1, "broken", wanted)
    status = report["prescription"]["status"]
    assert status == ("impossible" if name in INCURABLE else "resolved")
    assert report["prescription"]["why"]
    if status == "resolved":
        assert report["prescription"]["steps"]


def test_the_prescription_for_the_rtx_5060_ti_is_one_command_for_that_interpreter() -> None:
    report = judged(BROKEN["rtx 5060 ti on cu124"][0]).report
    finding, prescription = report["findings"][0], report["prescription"]
    assert finding["code"] == "GPU201"
    assert finding["gpus"] == [0]
    assert "sm_120" in finding["title"]
    assert "2.6.0+cu124" in finding["title"]
    variant = prescription["variant"]
    assert prescription["index_url"] == f"https://download.pytorch.org/whl/{variant}"
    assert prescription["packages"][0] == f"torch=={prescription['torch']}+{variant}"
    assert any(item.startswith("torchvision==") for item in prescription["packages"])
    step = prescription["steps"][-1]
    assert step["kind"] == "install"
    assert step["argv"][:3] == ["/home/user/venv/bin/python", "-m", "pip"]
    assert all(step[shell] for shell in ("posix", "powershell", "cmd"))


@pytest.mark.parametrize(
    "path",
    [
        "driver",
        "driver.version",
        "gpus",
        "gpus.0.compute_capability",
        "torch",
        "torch.version",
        "torch.sass",
    ],
)
def test_what_an_essential_fact_is_silent_about_is_not_judged(path: str) -> None:
    given = without(HEALTHY["rtx 4090 on cu128"], path)
    if path == "gpus.0.compute_capability":
        given = without(given, "gpus.0.sm")
    answer = judged(given)
    assert (answer.code, answer.report["verdict"]) == (3, "unknown")
    assert answer.report["exit_code"] == 3
    assert answer.report["prescription"]["status"] != "resolved"


@pytest.mark.parametrize(
    "path",
    [
        "host",
        "host.os",
        "host.arch",
        "host.distribution",
        "host.kernel",
        "host.wsl",
        "host.container",
        "driver.cuda",
        "driver.source",
        "gpus.0.index",
        "gpus.0.cuda_index",
        "gpus.0.name",
        "gpus.0.vendor",
        "gpus.0.sm",
        "gpus.0.memory_bytes",
        "gpus.0.pci_id",
        "gpus.0.uuid",
        "gpus.0.visible",
        "python",
        "python.executable",
        "python.version",
        "python.environment",
        "torch.cuda",
        "torch.hip",
        "torch.ptx",
        "torch.arch_source",
        "packages",
    ],
)
def test_a_key_less_is_no_fault_of_the_machine(path: str) -> None:
    healthy = judged(without(HEALTHY["rtx 4090 on cu128"], path))
    assert (healthy.code, found(healthy.report)) == (0, [])
    listed = [entry["fact"] for entry in healthy.report["unknown"]]
    follows = ("torch.cuda", "torch.hip")  # from the version's local label
    assert path.replace(".0", "[0]") in listed or path in follows
    broken = judged(without(BROKEN["rtx 5060 ti on cu124"][0], path))
    assert broken.code == 1
    assert found(broken.report)[0] == "torch-lacks-arch-new-gpu"


@pytest.mark.parametrize("fact", ["gpus", "driver", "torch", "torch.sass", "driver.version"])
def test_a_fact_called_unknown_is_believed_to_be(fact: str) -> None:
    given = HEALTHY["rtx 4090 on cu128"]
    entry = {
        "fact": fact,
        "reason": "it did not answer in time",
        "source": "nvml",
        "kind": "late",
    }
    answer = judged({**given, "unknown": [entry]})
    assert (answer.code, answer.report["verdict"]) == (3, "unknown")
    assert entry in answer.report["unknown"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("gpus.0", {"compute_capability": None, "sm": None}),
        ("driver", {"version": None}),
        ("torch", {"version": None}),
        ("torch", {"sass": None}),
        ("torch", {"sass": []}),
    ],
)
def test_null_for_what_must_be_there_is_unknown(path: str, value: dict[str, Any]) -> None:
    given = json.loads(json.dumps(HEALTHY["rtx 4090 on cu128"]))
    node = given["facts"]
    for step in path.split("."):
        node = node[int(step)] if step.isdigit() else node[step]
    node.update(value)
    if path == "driver":
        node["cuda"] = None
    answer = judged(given)
    assert (answer.code, answer.report["verdict"]) == (3, "unknown")


def test_what_is_removed_as_private_is_no_essential_fact() -> None:
    entry = {"fact": "gpus[0].uuid", "reason": "removed as private", "source": "redaction"}
    answer = judged({**HEALTHY["rtx 4090 on cu128"], "unknown": [entry]})
    assert answer.code == 0


def test_a_found_error_wins_over_what_is_unknown() -> None:
    entry = {"fact": "gpus[1].compute_capability", "reason": "no answer", "source": "nvml"}
    given = sheet(nvidia(s.RTX_5060_TI, s.RTX_4090), installed=CU124_TORCH)
    assert judged({**given, "unknown": [entry]}).code == 1


@pytest.mark.parametrize(
    ("driver", "host", "installed", "enough"),
    [
        ("525.60.13", {}, torch(), True),
        ("520.61.05", {}, torch(), False),
        ("580.65.06", {}, CU130_TORCH, True),
        ("575.57.08", {}, CU130_TORCH, False),
        ("528.33", s.WINDOWS, torch(), True),
        ("527.41", s.WINDOWS, torch(), False),
        ("528.33", s.WSL, torch(), True),
        ("527.41", s.WSL, torch(), False),
    ],
)
def test_the_floors_of_drivers_are_exact_and_those_of_windows_under_wsl(
    driver: str, host: dict[str, Any], installed: dict[str, Any], enough: bool
) -> None:
    given = sheet(nvidia(s.RTX_3090), (driver, ""), installed, **host)
    answer = judged(without(given, "driver.cuda"))
    assert answer.code == (0 if enough else 1)
    assert found(answer.report) == ([] if enough else ["driver-too-old"])


def test_nothing_at_all_is_unknown_and_not_healthy() -> None:
    for arguments in ((), ("--allow-cpu",), ("--fail-on", "never")):
        answer = judged({"schema_version": "1.0", "facts": {}}, *arguments)
        assert (answer.code, answer.report["verdict"]) == (3, "unknown")


def test_what_cannot_be_worked_out_is_not_called_impossible() -> None:
    report = judged(without(BROKEN["rtx 5060 ti on cu124"][0], "host")).report
    assert report["prescription"] is None
    assert any("host.os" in note for note in report["notes"])


def test_a_gpu_is_no_must_where_the_processor_is_allowed() -> None:
    assert judged(BROKEN["no gpu"][0], "--allow-cpu").code == 0
    lacking = judged(BROKEN["rtx 5060 ti on cu124"][0], "--allow-cpu")
    assert lacking.code == 1


def test_a_torch_for_the_processor_is_found_where_that_is_allowed() -> None:
    report = judged(sheet([], None, None), "--allow-cpu").report
    assert found(report, "error") == ["torch-missing"]
    assert report["prescription"]["status"] == "resolved"
    assert report["prescription"]["variant"] == "cpu"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--fail-on", "never"), 0),
        (("--fail-on", "error"), 1),
        (("--fail-on", "warning"), 1),
        (("--ignore", "GPU201"), 0),
        (("--ignore", "torch-lacks-arch-new-gpu"), 0),
        (("--select", "GPU001"), 0),
        (("--select", "GPU201"), 1),
    ],
)
def test_the_exit_code_follows_fail_on_select_and_ignore(
    arguments: tuple[str, ...], code: int
) -> None:
    answer = judged(sheet(nvidia(s.RTX_5060_TI), installed=CU124_TORCH), *arguments)
    assert answer.code == code == answer.report["exit_code"]
    taken_out = arguments[0] != "--fail-on" and code == 0
    assert bool(answer.report["suppressed"]) == taken_out
    if taken_out:
        assert answer.report["suppressed"][0]["name"] == "torch-lacks-arch-new-gpu"


@pytest.mark.parametrize("name", [*HEALTHY, *BROKEN])
def test_a_whole_report_is_a_fact_sheet_and_gives_the_same_findings(name: str) -> None:
    given = HEALTHY.get(name) or BROKEN[name][0]
    first = judged(given)
    again = judged(first.report)
    assert again.code == first.code
    assert again.report["findings"] == first.report["findings"]
    assert again.report["prescription"] == first.report["prescription"]
    plain = judged({key: first.report[key] for key in ("schema_version", "facts", "unknown")})
    assert plain.code == first.code
    assert [f["title"] for f in plain.report["findings"]] == [
        f["title"] for f in first.report["findings"]
    ]


def test_a_policy_file_weighs_like_the_options(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("allow_cpu: true\n", encoding="utf-8")
    assert judged(BROKEN["no gpu"][0], "--policy", str(policy)).code == 0
    policy.write_text("nonsense: [\n", encoding="utf-8")
    refused = judged(BROKEN["no gpu"][0], "--policy", str(policy))
    _is_refusal(refused)


def test_unknown_keys_and_later_minor_versions_are_read() -> None:
    given = json.loads(json.dumps(BROKEN["rtx 5060 ti on cu124"][0]))
    given |= {"schema_version": "1.9", "later": {"a": [1]}}
    given["facts"]["later"] = 1
    given["facts"]["gpus"][0]["later"] = {"b": None}
    assert judged(given).code == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "null",
        '{"facts": []}',
        '{"schema_version": "2.0", "facts": {}}',
        '{"facts": {"gpus": "none"}}',
        '{"facts": {"gpus": [{"compute_capability": 12.0}]}}',
        '{"facts": {"host": {"os": "beos"}}}',
        '{"facts": {}, "unknown": [1]}',
        '{"facts": {}',
        "[" * 100_000,
        "\x00\x01",
    ],
)
def test_what_is_no_fact_sheet_is_refused_in_one_line(text: str) -> None:
    answer = inside("check", "--facts", "-", "--json", stdin=text)
    _is_refusal(answer)


def _is_refusal(answer: Answer) -> None:
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("gpudoctor: ")
    assert answer.err.count("\n") == 1

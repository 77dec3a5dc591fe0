"""Saved machines in the promised form: what must be found, and what must not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contract import sheets as s
from contract.program import Answer, found, inside, judged
from contract.sheets import nvidia, other, sheet, torch, without

_535, _580 = ("535.183.01", "12.2"), ("580.95.05", "13.0")
_CU126 = torch("2.9.1+cu126", "12.6", s.CU126)
_CU130 = torch("2.9.1+cu130", "13.0", s.CU130)
_CU130_ARM = torch("2.9.1+cu130", "13.0", "80 90 100 110 120", "120")
_CU124 = torch("2.6.0+cu124", "12.4", s.CU126)
_CPU = torch("2.9.1+cpu", None, "")
_ROCM = torch("2.9.1+rocm6.4", None, "", hip="6.4.43482")

HEALTHY: dict[str, dict[str, Any]] = {
    "gtx 1080 on cu126": sheet(nvidia(s.GTX_1080), installed=_CU126),
    "gtx 1080 on cu126 with the last driver": sheet(nvidia(s.GTX_1080), _580, _CU126),
    "rtx 4090 on sm_86": sheet(nvidia(s.RTX_4090), installed=torch(sass="86")),
    "rtx 4090 on cu128": sheet(nvidia(s.RTX_4090)),
    "gb10 on sm_120": sheet(nvidia(s.GB10), _580, _CU130_ARM, **s.ARM),
    "b300 on sm_100": sheet(nvidia(s.B300), _580, _CU130),
    "a100 with driver 535 on cu128": sheet(nvidia(s.A100), _535),
    "v100 beside h100 on cu128": sheet(nvidia(s.V100, s.H100)),
    "h100 on 90a and 90": sheet(nvidia(s.H100), installed=torch(sass="80 90 90a")),
    "b300 on sm_100f": sheet(nvidia(s.B300), _580, torch(sass="90 100f")),
    "wsl by the windows driver": sheet(nvidia(s.RTX_4090), ("537.13", "12.2"), **s.WSL),
    "windows": sheet(nvidia(s.RTX_5090), ("576.88", "12.9"), **s.WINDOWS),
    "sixteen": sheet(nvidia(*[s.H100] * 16)),
    "intel graphics beside nvidia": sheet(
        nvidia(s.RTX_4090) + other("intel", "Intel UHD Graphics 770", "8086:4680")
    ),
    "orin with a wheel of its own": sheet(
        nvidia(s.ORIN), ("540.4.0", "12.6"), torch("2.8.0", "12.6", "87"), **s.JETSON
    ),
    "thor on cu130": sheet(nvidia(s.THOR), ("580.00", "13.0"), _CU130_ARM, **s.JETSON),
    "rx 7900 xtx on rocm": sheet(other("amd", "AMD Radeon RX 7900 XTX", "1002:744c"), None, _ROCM),
    "arc a770 on xpu": sheet(
        other("intel", "Intel Arc A770 Graphics", "8086:56a0"), None, torch("2.9.1+xpu", None, "")
    ),
    "apple": sheet(other("apple", "Apple M3 Max", None), None, torch("2.9.1", None, ""), **s.MAC),
    "torch newer than the knowledge": sheet(
        nvidia(s.RTX_5090), ("700.10", "14.0"), torch("3.1.0+cu140", "14.0", "90 100 120")
    ),
}

BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "rtx 5060 ti on cu124": (
        sheet(nvidia(s.RTX_5060_TI), installed=_CU124, packages={"torchvision": "0.21.0+cu124"}),
        "torch-lacks-arch-new-gpu",
    ),
    "gtx 1080 on cu128": (sheet(nvidia(s.GTX_1080), _580), "torch-dropped-arch-old-gpu"),
    "a100 with driver 535 on cu130": (sheet(nvidia(s.A100), _535, _CU130), "driver-too-old"),
    "b300 on sm_100a": (
        sheet(nvidia(s.B300), _580, torch(sass="90 100a")),
        "torch-lacks-arch-new-gpu",
    ),
    "orin on a wheel of the index": (
        sheet(nvidia(s.ORIN), ("540.4.0", "12.6"), torch(sass="80 90"), **s.JETSON),
        "jetson-needs-own-wheel",
    ),
    "k80 with driver 535": (sheet(nvidia(s.K80), _535), "gpu-needs-other-driver-branch"),
    "gtx 1080 with driver 590": (
        sheet(nvidia(s.GTX_1080), ("590.44.01", "13.1"), _CU126),
        "gpu-needs-other-driver-branch",
    ),
    "cpu build": (sheet(nvidia(s.RTX_4090), installed=_CPU), "cpu-only-torch"),
    "cpu build without a label": (
        sheet(nvidia(s.RTX_4090), installed=torch("2.9.1", None, ""), **s.WINDOWS),
        "cpu-only-torch",
    ),
    "no torch": (sheet(nvidia(s.RTX_4090), installed=None), "torch-missing"),
    "no gpu": (sheet([], None), "no-gpu-found"),
    "no driver": (sheet(nvidia(s.RTX_4090), None), "driver-not-loaded"),
    "two of which one is not served": (
        sheet(nvidia(s.RTX_4090, s.RTX_5090), installed=_CU126),
        "torch-lacks-arch-new-gpu",
    ),
    "gtx 1080 beside rtx 5090": (
        sheet(nvidia(s.GTX_1080, s.RTX_5090), python="3.14.0"),
        "mixed-gpus-no-common-wheel",
    ),
    "rx 6800 xt on cuda": (
        sheet(other("amd", "AMD Radeon RX 6800 XT", "1002:73bf"), None),
        "amd-gpu-needs-rocm-torch",
    ),
    "arc a770 on cuda": (
        sheet(other("intel", "Intel Arc A770 Graphics", "8086:56a0"), None),
        "intel-gpu-needs-xpu-torch",
    ),
    "torchvision of another torch": (
        sheet(nvidia(s.RTX_4090), packages={"torchvision": "0.21.0+cu124"}),
        "torchvision-torchaudio-version-mismatch",
    ),
    "every gpu masked": (
        sheet([{**gpu, "visible": False, "cuda_index": None} for gpu in nvidia(s.RTX_4090)]),
        "cuda-visible-devices-hides-gpus",
    ),
    "wsl with an old windows driver": (
        sheet(nvidia(s.RTX_3090), ("511.65", "11.6"), **s.WSL),
        "driver-too-old",
    ),
    "ptx newer than the driver": (
        sheet(nvidia(s.H100), ("535.183.01", "12.2"), torch("2.8.0", "12.9", "80", "80")),
        "ptx-unsupported-toolchain",
    ),
}
_INCURABLE = {"no gpu"}


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
    assert status == ("impossible" if name in _INCURABLE else "resolved")
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
    entry = {"fact": fact, "reason": "it did not answer in time", "source": "nvml"}
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
    given = sheet(nvidia(s.RTX_5060_TI, s.RTX_4090), installed=_CU124)
    assert judged({**given, "unknown": [entry]}).code == 1


@pytest.mark.parametrize(
    ("driver", "host", "installed", "enough"),
    [
        ("525.60.13", {}, torch(), True),
        ("520.61.05", {}, torch(), False),
        ("580.65.06", {}, _CU130, True),
        ("575.57.08", {}, _CU130, False),
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
    answer = judged(sheet(nvidia(s.RTX_5060_TI), installed=_CU124), *arguments)
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

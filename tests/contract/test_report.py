"""The JSON report: every key, its type, and what it means."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from contract import sheets as s
from contract.program import inside, judged
from contract.sheets import nvidia, sheet, torch

_TEXT, _MAYBE = (str,), (str, type(None))
_NUMBER = (int, float)
HOST = {
    **dict.fromkeys(("os", "arch", "distribution", "kernel", "container"), _MAYBE),
    "wsl": (bool, type(None)),
}
DRIVER = dict.fromkeys(("version", "cuda", "source"), _MAYBE)
GPU = {
    **dict.fromkeys(("index", "cuda_index", "memory_bytes"), (int, type(None))),
    **dict.fromkeys(("name", "vendor", "compute_capability", "sm", "pci_id", "uuid"), _MAYBE),
    "visible": (bool, type(None)),
}
PYTHON = dict.fromkeys(("executable", "version", "environment", "chosen_because"), _MAYBE)
TORCH = {
    **dict.fromkeys(("version", "cuda", "hip", "arch_source"), _MAYBE),
    "sass": (list, type(None)),
    "ptx": (list, type(None)),
}
FINDING = {
    **dict.fromkeys(("code", "name", "severity", "title", "detail", "url"), _TEXT),
    **dict.fromkeys(("evidence", "gpus", "clears_with"), (list,)),
}
STEP = {
    **dict.fromkeys(("kind", "text", "risk"), _TEXT),
    **dict.fromkeys(("posix", "powershell", "cmd"), _MAYBE),
    "argv": (list,),
}
PRESCRIPTION = {
    **dict.fromkeys(("status", "why"), _TEXT),
    **dict.fromkeys(("torch", "variant", "index_url"), _MAYBE),
    **dict.fromkeys(("packages", "steps", "alternatives", "evidence"), (list,)),
}
KINDS = {
    *("install", "uninstall", "driver", "environment", "reboot"),
    *("mask-gpus", "source-build", "manual"),
}
TRACE = (
    "NVIDIA GeForce RTX 5060 Ti with CUDA capability sm_120 is not compatible with the current "
    "PyTorch installation.\nRuntimeError: CUDA error: no kernel image is available for execution "
    "on the device\n"
)


def _broken() -> dict[str, Any]:
    given = sheet(nvidia(s.RTX_5060_TI), installed=torch("2.6.0+cu124", "12.4", s.CU126))
    private = {"fact": "gpus[0].uuid", "reason": "removed as private", "source": "redaction"}
    return judged({**given, "unknown": [private]}).report


REPORTS: dict[str, Callable[[], dict[str, Any]]] = {
    "check": _broken,
    "check of a healthy machine": lambda: judged(sheet(nvidia(s.RTX_4090))).report,
    "check of a machine without a gpu": lambda: judged(sheet([], None)).report,
    "plan": lambda: inside("plan", "--gpu", "5060 ti", "--driver", "570", "--json").report,
    "plan that is impossible": lambda: (
        inside("plan", "--gpu", "RTX 5090", "--torch", "2.5.1", "--json").report
    ),
    "triage": lambda: inside("triage", "-", "--json", stdin=TRACE).report,
    "triage of nothing": lambda: inside("triage", "-", "--json", stdin="").report,
}


def _has(value: Any, keys: dict[str, tuple[type, ...]]) -> None:
    assert isinstance(value, dict)
    for key, kinds in keys.items():
        assert key in value, key
        assert isinstance(value[key], kinds), f"{key} is {value[key]!r}"


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_has_every_key_with_its_type(name: str) -> None:
    report = REPORTS[name]()
    _has(
        report,
        {
            **dict.fromkeys(("schema_version", "verdict"), _TEXT),
            "exit_code": (int,),
            **dict.fromkeys(("tool", "knowledge", "facts", "timings_ms"), (dict,)),
            **dict.fromkeys(("unknown", "findings", "suppressed"), (list,)),
            "prescription": (dict, type(None)),
            "smoke": (dict, type(None)),
        },
    )
    assert re.fullmatch(r"1\.\d+", report["schema_version"])
    assert report["tool"]["name"] == "gpudoctor"
    assert report["tool"]["version"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", report["knowledge"]["date"])
    assert report["knowledge"]["version"]
    assert report["verdict"] in ("healthy", "warning", "broken", "unknown")
    facts = report["facts"]
    for key, keys in (("host", HOST), ("driver", DRIVER), ("python", PYTHON), ("torch", TORCH)):
        assert key in facts
        if facts[key] is not None:
            _has(facts[key], keys)
    for gpu in facts["gpus"] or []:
        _has(gpu, GPU)
    for package in facts["packages"] or []:
        _has(package, {"name": _TEXT, "version": _MAYBE})
    for entry in report["unknown"]:
        _has(entry, dict.fromkeys(("fact", "reason", "source"), _TEXT))
    for finding in report["findings"]:
        _has(finding, FINDING)
        assert re.fullmatch(r"GPU[0-79]\d\d", finding["code"])
        assert finding["severity"] in ("error", "warning", "info")
        assert set(finding["clears_with"]) <= KINDS
        assert all(isinstance(index, int) for index in finding["gpus"])
        for evidence in finding["evidence"]:
            _has(evidence, {"fact": _TEXT, "value": _TEXT, "source": _TEXT})
    if report["prescription"] is not None:
        _has_prescription(report["prescription"])


def _has_prescription(prescription: dict[str, Any]) -> None:
    _has(prescription, PRESCRIPTION)
    assert prescription["status"] in ("not-needed", "resolved", "impossible")
    for step in prescription["steps"]:
        _has(step, STEP)
        assert step["kind"] in KINDS
        assert step["risk"] in ("low", "medium", "high")
    for claim in prescription["evidence"]:
        _has(claim, {"claim": _TEXT, "source": _TEXT, "date": _MAYBE})


def test_what_is_private_or_not_stated_is_null_and_stands_in_unknown() -> None:
    report = _broken()
    assert report["facts"]["gpus"][0]["uuid"] is None
    listed = {entry["fact"]: entry for entry in report["unknown"]}
    assert listed["gpus[0].uuid"]["reason"] == "removed as private"
    assert report["facts"]["host"]["container"] is None
    assert "host.container" not in listed
    for entry in listed:
        node: Any = report["facts"]
        for step in re.findall(r"[A-Za-z_]\w*|\[\d+\]", entry):
            if node is None:
                break
            node = node[int(step[1:-1])] if step.startswith("[") else node.get(step)
        assert node is None, entry


def test_the_verdict_goes_with_the_gravest_finding() -> None:
    assert _broken()["verdict"] == "broken"
    warned = judged(
        sheet(
            nvidia(s.RTX_4090),
            packages={"nvidia-cudnn-cu12": "9.10.2.21", "nvidia-cudnn-cu13": "9.13.0.50"},
        )
    )
    assert (warned.code, warned.report["verdict"]) == (0, "warning")
    assert judged(warned.report, "--fail-on", "warning").code == 1


def test_errors_come_before_what_matters_less() -> None:
    report = judged(
        sheet(
            nvidia(s.GTX_1080),
            ("580.95.05", "13.0"),
            packages={"nvidia-cudnn-cu12": "9.10.2.21", "nvidia-cudnn-cu13": "9.13.0.50"},
        )
    ).report
    ranks = [("error", "warning", "info").index(f["severity"]) for f in report["findings"]]
    assert len(ranks) > 1
    assert ranks == sorted(ranks)


def test_the_facts_are_one_sheet_that_check_takes() -> None:
    answer = inside("facts", "--json", "--timeout", "20")
    assert answer.code == 0
    assert set(answer.report) >= {"schema_version", "facts", "unknown"}
    facts = answer.report["facts"]
    _has(facts["host"], HOST)
    _has(facts["python"], PYTHON)
    again = judged(answer.report)
    assert again.code in (0, 1, 3)
    assert again.report["facts"]["host"] == facts["host"]


def test_triage_reads_the_facts_out_of_the_text() -> None:
    report = REPORTS["triage"]()
    assert report["exit_code"] == 0
    assert report["findings"][0]["name"] == "torch-lacks-arch-new-gpu"
    assert "5060 Ti" in json.dumps(report["facts"]["gpus"])


def test_the_knowledge_base_lists_its_tables_with_date_and_sources() -> None:
    value = inside("kb", "--json").report
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", value["date"])
    assert all({"table", "rows", "date", "sources"} <= set(table) for table in value["tables"])
    shown = inside("kb", "show", value["tables"][0]["table"], "--json").report
    assert shown["rows"]

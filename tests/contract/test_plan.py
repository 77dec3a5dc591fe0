"""`plan`: the build that works on a machine that is not at hand, and what nothing serves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from contract.program import found, inside

CHOSEN: dict[str, tuple[str, str, str]] = {
    "--gpu=GTX 1080 --driver=580.95.05 --python=3.12": ("2.14.1", "cu126", "install"),
    "--gpu=V100 --driver=580.95.05 --python=3.12": ("2.14.1", "cu126", "install"),
    "--gpu=V100 --gpu=H100 --driver=580.95.05 --python=3.12": ("2.14.1", "cu126", "install"),
    "--gpu=V100 --gpu=H100 --driver=580.95.05 --torch=2.10.0 --python=3.12": (
        "2.10.0",
        "cu126 cu128",
        "install",
    ),
    "--gpu=GTX 1080 --gpu=RTX 5090 --os=windows --driver=580.88 --python=3.12": (
        "2.8.0",
        "cu128",
        "install",
    ),
    "--gpu=RTX 5060 Ti --os=windows --driver=572.83 --python=3.12": ("2.11.0", "cu128", "install"),
    "--gpu=K80 --driver=535.183.01 --python=3.11": ("2.3.1", "cu118", "driver reboot install"),
    "--gpu=RTX 4090 --driver=570 --torch=2.9.1 --python=3.12": ("2.9.1", "cu128 cu126", "install"),
}


def planned(line: str) -> tuple[int, dict[str, Any]]:
    arguments = [part if part.startswith("--") else f"--{part}" for part in line.split(" --")]
    answer = inside("plan", "--json", *arguments)
    return answer.code, answer.report


@pytest.mark.parametrize("line", CHOSEN)
def test_the_build_that_serves_gpu_driver_system_and_python_is_chosen(line: str) -> None:
    code, report = planned(line)
    torch, variants, kinds = CHOSEN[line]
    prescription = report["prescription"]
    assert (code, report["exit_code"], prescription["status"]) == (0, 0, "resolved")
    assert prescription["torch"] == torch
    assert prescription["variant"] in variants.split()
    assert [step["kind"] for step in prescription["steps"]] == kinds.split()
    assert prescription["index_url"].endswith(f"/whl/{prescription['variant']}")
    assert found(report) == []


def test_where_nothing_serves_both_one_is_masked() -> None:
    code, report = planned(
        "--gpu=GTX 1080 --gpu=RTX 5090 --os=windows --driver=580.88 --python=3.14"
    )
    assert (code, report["prescription"]["status"]) == (0, "resolved")
    assert "mask-gpus" in [step["kind"] for step in report["prescription"]["steps"]]


def test_grace_thor_and_orin_are_told_apart() -> None:
    for gpu in ("GB10", "Thor"):
        code, report = planned(f"--gpu={gpu} --arch=aarch64 --python=3.12 --driver=580.95.05")
        assert (code, report["prescription"]["status"]) == (0, "resolved")
        assert report["prescription"]["variant"].startswith("cu13")
    code, report = planned("--gpu=Orin --arch=aarch64 --python=3.10")
    assert (code, report["prescription"]["status"]) == (0, "resolved")
    assert "pytorch.org" not in str(report["prescription"]["steps"])


@pytest.mark.parametrize(
    "line",
    [
        "--gpu=RTX 4090 --python=3.14 --torch=2.4.1 --driver=570",
        "--gpu=RTX 4090 --os=macos",
        "--gpu=RTX 5090 --torch=2.5.1",
    ],
)
def test_what_nothing_serves_is_1_with_the_constraint_that_forbids_it(line: str) -> None:
    code, report = planned(line)
    assert (code, report["exit_code"], report["verdict"]) == (1, 1, "broken")
    assert report["prescription"]["status"] == "impossible"
    assert report["prescription"]["why"]
    assert report["findings"]


def test_the_facts_hold_what_was_given_and_nothing_else() -> None:
    _, report = planned("--gpu=5060 ti --driver=570.172.08 --os=wsl --arch=x86_64 --python=3.12")
    facts = report["facts"]
    assert (facts["host"]["os"], facts["host"]["wsl"], facts["host"]["arch"]) == (
        "linux",
        True,
        "x86_64",
    )
    assert facts["driver"]["version"] == "570.172.08"
    assert [gpu["compute_capability"] for gpu in facts["gpus"]] == ["12.0"]
    assert facts["python"]["version"].startswith("3.12")
    assert facts["torch"] is None


def test_commands_are_for_the_tool_that_was_named_and_for_every_shell() -> None:
    for tool in ("pip", "uv", "conda", "pixi", "poetry"):
        code, report = planned(f"--gpu=T4 --driver=570 --python=3.12 --tool={tool}")
        assert code == 0
        steps = report["prescription"]["steps"]
        assert steps
        if tool in ("pip", "uv"):
            step = steps[-1]
            assert tool in step["posix"]
            assert step["argv"]
            assert step["powershell"]
            assert step["cmd"]
            assert step["risk"] in ("low", "medium", "high")


def test_a_mirror_takes_the_place_of_the_index() -> None:
    _, report = planned("--gpu=T4 --driver=570 --python=3.12 --index-url=https://mirror.example/w")
    prescription = report["prescription"]
    assert prescription["index_url"] == f"https://mirror.example/w/{prescription['variant']}"
    assert "download.pytorch.org" not in str(prescription["steps"])


def test_a_requirements_file_is_judged_like_an_environment(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("--index-url https://download.pytorch.org/whl/cu124\ntorch==2.6.0\n")
    judged = ("plan", "--json", "--driver", "570.172.08", "--requirements", str(file))
    wrong = inside(*judged, "--gpu", "RTX 5060 Ti")
    assert (wrong.code, found(wrong.report)[0]) == (1, "torch-lacks-arch-new-gpu")
    right = inside(*judged, "--gpu", "RTX 4090")
    assert (right.code, found(right.report)) == (0, [])

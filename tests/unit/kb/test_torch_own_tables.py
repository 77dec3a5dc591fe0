"""Our table of builds against the tables that torch itself ships.

`torch_own_tables.json` holds PYTORCH_RELEASES_CODE_CC and DEVICE_REQUIREMENT as read out of the
wheels. Where torch's table is known to be wrong, the exception stands here and, with what
settled it, in docs/knowledge.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gpudoctor.compat.architecture import Architecture, ComputeCapability, runs_natively
from gpudoctor.kb.hardware import nvidia_gpus as gpus
from gpudoctor.kb.software import torch_releases

OWN: dict[str, Any] = json.loads(
    Path(__file__).with_name("torch_own_tables.json").read_text(encoding="utf-8")
)["releases"]

# (release, CUDA) → what torch's table has that the wheels lack, and lacks that they have.
WRONG_IN_TORCH = {
    ("2.11.0", "12.6"): (set(), {75}),  # the wheel prints sm_75 (pytorch issue 182250)
    ("2.11.0", "12.8"): ({70}, {75}),  # sm_70 left cu128 with 2.11 (pytorch PR 175253)
}
# Variants in torch's table that were never published for the release.
NEVER_PUBLISHED = {
    ("2.14.0", "13.4"),  # removed from the release branch before the release (PR 194374)
    ("2.14.1", "13.4"),
    ("2.15.0", "12.6"),  # 2.14 is the last with any CUDA 12 (notice of 2026-09-04)
}
MACHINES = {"x86_64": "linux_x86_64", "aarch64": "linux_aarch64"}


def _ours(torch: str, cuda: str, machine: str) -> set[int] | None:
    build = torch_releases.build(torch, "cu" + cuda.replace(".", ""), MACHINES[machine])
    return None if build is None else {int(name.removeprefix("sm_")) for name in build.sass}


@pytest.mark.parametrize("torch", OWN)
def test_architectures_agree_with_torchs_own_table(torch: str) -> None:
    for cuda, stated in OWN[torch]["code_cc"].items():
        if (torch, cuda) in NEVER_PUBLISHED:
            assert all(_ours(torch, cuda, machine) is None for machine in MACHINES)
            continue
        if isinstance(stated, dict):
            for machine, numbers in stated.items():
                assert _ours(torch, cuda, machine) == set(numbers), (torch, cuda, machine)
            continue
        # Up to 2.12 the table is not split by machine.
        ours = set().union(*(_ours(torch, cuda, machine) or set() for machine in MACHINES))
        too_many, missing = WRONG_IN_TORCH.get((torch, cuda), (set(), set()))
        assert ours == (set(stated) - too_many) | missing, (torch, cuda)


@pytest.mark.parametrize("torch", OWN)
def test_what_runs_on_what_agrees_with_torchs_own_rules(torch: str) -> None:
    devices = [ComputeCapability.parse(text) for text in gpus.all_capabilities()]
    for code, rule in OWN[torch]["device_requirement"].items():
        architecture = Architecture.parse(f"sm_{code}")
        for device in devices:
            number = device.major * 10 + device.minor
            if "only" in rule:
                theirs = number in rule["only"]
            else:
                theirs = (
                    number not in rule["exclude"]
                    and number // 10 == rule["start"] // 10
                    and number >= rule["start"]
                )
            assert runs_natively(architecture, device) == theirs, (code, str(device))


def test_exceptions_are_written_down() -> None:
    page = (Path(__file__).parents[3] / "docs" / "knowledge.md").read_text(encoding="utf-8")
    for torch, cuda in (*WRONG_IN_TORCH, *NEVER_PUBLISHED):
        assert torch in page, (torch, cuda)
        assert f"cu{cuda.replace('.', '')}" in page, (torch, cuda)

"""What was read out of a wheel goes before what the table says, and the difference is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpudoctor.kb.authoring.documents import read
from gpudoctor.kb.software._torch_tables import compile_torch

CONFIGS = Path(__file__).parents[3] / "configs"


@pytest.fixture(scope="module")
def stated() -> dict[str, Any]:
    return {name: read(str(CONFIGS / name)) for name in ("torch_releases.yaml", "nightly.yaml")}


def _wheel(sass: list[str], ptx: list[str]) -> dict[str, Any]:
    row = {
        "torch": "2.9.0",
        "variant": "cu128",
        "platform": "linux_x86_64",
        "sass": sass,
        "ptx": ptx,
        "source": "binary: read out of a wheel on 2026-11-21",
        "libraries": [],
    }
    return {"builds": [row]}


def _rows(tables: dict[str, Any], torch: str) -> list[dict[str, Any]]:
    return [
        row
        for row in tables["torch_builds"]["builds"]
        if row["variant"] == "cu128" and any(at[:2] == [torch, "linux_x86_64"] for at in row["at"])
    ]


def test_a_wheel_that_differs_wins_and_is_listed(stated: dict[str, Any]) -> None:
    tables = compile_torch({**stated, "torch_binaries.yaml": _wheel(["sm_90"], ["compute_90"])})
    (row,) = _rows(tables, "2.9.0")
    assert (row["sass"], row["ptx"], row["confidence"]) == (["sm_90"], ["compute_90"], "binary")
    (difference,) = tables["torch_builds"]["disagreements"]
    assert difference["binary"] == ["sm_90", "compute_90"]
    assert "sm_120" in difference["table"]
    assert tables["torch_builds"]["sources"][row["evidence"][0]].startswith("binary: ")


def test_its_sisters_keep_what_the_table_says(stated: dict[str, Any]) -> None:
    tables = compile_torch({**stated, "torch_binaries.yaml": _wheel(["sm_90"], [])})
    (row,) = _rows(tables, "2.9.1")
    assert "sm_120" in row["sass"]
    assert row["confidence"] != "binary"


def test_a_wheel_that_agrees_is_no_difference(stated: dict[str, Any]) -> None:
    names = ["sm_70", "sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"]
    tables = compile_torch({**stated, "torch_binaries.yaml": _wheel(names, [])})
    assert tables["torch_builds"]["disagreements"] == []
    (row,) = _rows(tables, "2.9.0")
    assert row["confidence"] == "binary"


def test_without_any_wheel_the_table_stands(stated: dict[str, Any]) -> None:
    tables = compile_torch(stated)
    assert tables["torch_binaries"] == {}
    assert all(row["confidence"] != "binary" for row in tables["torch_builds"]["builds"])

"""The lock that owns an environment is held against what is installed in it."""

from __future__ import annotations

import re

from gpudoctor.examine.project_lock import differs
from gpudoctor.model.facts import Python
from gpudoctor.model.value import replace
from unit.prescribe.sheets import sheet

LOCK = """version = 1
revision = 3
requires-python = ">=3.12"

[[package]]
name = "demo"
version = "0"
source = { virtual = "." }
dependencies = [
    { name = "torch" },
]

[[package]]
name = "torch"
version = "2.9.1+cu128"
source = { registry = "https://download.pytorch.org/whl/cu128" }
wheels = [
    { url = "https://x/whl/cu128/torch-2.9.1%2Bcu128-cp312-cp312-manylinux_2_28_x86_64.whl" },
]
"""


def environment(tmp_path, torch, text=LOCK, gpu="4090"):
    (tmp_path / "uv.lock").write_text(text)
    found = sheet(gpu, torch=torch)
    python = replace(
        found.facts.python or Python(),
        version="3.12.4",
        tag="cp312",
        lock_owner="uv",
        lock_file=str(tmp_path / "uv.lock"),
    )
    return replace(found, facts=replace(found.facts, python=python))


def test_another_build_than_the_locked_one_is_told_with_its_line(tmp_path):
    (found,) = differs(environment(tmp_path, "2.9.1+cu126"))
    assert found.title == "uv.lock says torch 2.9.1+cu128, and torch 2.9.1+cu126 is installed"
    assert found.files[0].line == 14


def test_the_locked_build_itself_is_no_finding(tmp_path):
    assert differs(environment(tmp_path, "2.9.1+cu128")) == ()


def test_whether_the_locked_build_would_run_is_said(tmp_path):
    (found,) = differs(environment(tmp_path, "2.9.1+cu126", gpu="GTX 1080"))
    assert "would not run here" in found.detail


def test_a_lock_that_cannot_be_read_decides_nothing(tmp_path):
    assert differs(environment(tmp_path, "2.9.1+cu126", "x = [")) == ()
    other = re.sub(r'    \\{ name = "torch" \\},\\n', "", LOCK)
    assert differs(environment(tmp_path, "2.9.1+cu126", other.replace("torch", "numpy"))) == ()

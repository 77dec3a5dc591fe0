"""Settings of uv by which a lock cannot be written, or holds another torch; workspaces."""

from __future__ import annotations

import pytest

from gpudoctor.errors import UsageError
from unit.manifests.installs import CPU, CU126, outcome, torch

HEAD = '[project]\nname = "{}"\nversion = "0"\nrequires-python = ">=3.10"\n'
DEMO = HEAD.format("demo") + 'dependencies = ["torch==2.9.1"]\n[tool.uv]\n'
NEWEST = DEMO.replace("==2.9.1", "")
INDEX = f'[[tool.uv.index]]\nname = "own"\nurl = "{CPU}"\nexplicit = true\n'
MAC = "sys_platform == 'darwin' and platform_machine == 'x86_64'"
MEMBER = HEAD.format("part") + 'dependencies = ["torch==2.9.1"]\n'
ROOT = (
    HEAD.format("demo") + 'dependencies = ["part"]\n[tool.uv.workspace]\nmembers = ["packages/*"]\n'
    '[tool.uv.sources]\npart = { workspace = true }\ntorch = { index = "own" }\n' + INDEX
)


@pytest.mark.parametrize(
    ("settings", "status", "reason"),
    [
        ("no-binary = true", "fails", "missing"),
        ('no-binary-package = ["torch"]', "fails", "missing"),
        ('no-binary-package = ["numpy"]', "installs", ""),
        ("environments = [\"sys_platform == 'darwin'\"]", "fails", "platform"),
        ("environments = [\"sys_platform == 'linux'\"]", "installs", ""),
        (f'required-environments = ["{MAC}"]', "fails", "platform"),
        ('exclude-newer = "2026-01-01T00:00:00Z"', "installs", ""),
        ('exclude-newer = "2025-01-01T00:00:00Z"', "open", ""),
        ('resolution = "lowest"', "installs", ""),
        ('exclude-dependencies = ["torch"]', "open", ""),
    ],
)
def test_a_setting_of_a_project_that_pins(settings: str, status: str, reason: str) -> None:
    found = outcome(f"{DEMO}{settings}\n", "pyproject.toml")
    assert (found.status, found.reason) == (status, reason), found


@pytest.mark.parametrize(
    "settings",
    [
        'resolution = "lowest-direct"',
        'exclude-newer = "2026-01-01T00:00:00Z"',
        f'required-environments = ["{MAC}"]',
    ],
)
def test_a_setting_that_asks_for_an_older_release(settings: str) -> None:
    assert outcome(f"{NEWEST}{settings}\n", "pyproject.toml").status in ("open", "fails")


def test_an_index_in_the_file_of_settings_beside() -> None:
    text = DEMO.removesuffix("[tool.uv]\n")
    beside = {"uv.toml": f'[[index]]\nurl = "{CU126}"\n'}
    assert torch(text, "pyproject.toml", beside=beside) == "2.9.1 cu126"


def test_a_workspace_gives_its_sources_to_its_members() -> None:
    files = {"pyproject.toml": ROOT, "packages/one/pyproject.toml": MEMBER}
    assert torch(MEMBER, "packages/one/pyproject.toml", beside=files) == "2.9.1 cpu"
    assert torch(ROOT, "pyproject.toml", beside=files) == "2.9.1 cpu"


def test_a_member_that_is_left_out_stands_alone() -> None:
    root = ROOT.replace("[tool.uv.sources]", 'exclude = ["packages/one"]\n[tool.uv.sources]')
    files = {"pyproject.toml": root, "packages/one/pyproject.toml": MEMBER}
    assert torch(MEMBER, "packages/one/pyproject.toml", beside=files) == "2.9.1 cu128"


def test_a_project_by_its_path_keeps_its_own_sources() -> None:
    text = (
        HEAD.format("demo") + 'dependencies = ["part[gpu]"]\n[tool.uv.sources]\n'
        'part = { path = "../part" }\n'
    )
    part = (
        HEAD.format("part") + "dependencies = []\n[project.optional-dependencies]\n"
        'gpu = ["torch==2.8.0"]\n[tool.uv.sources]\ntorch = { index = "own" }\n' + INDEX
    )
    files = {"part/pyproject.toml": part}
    assert torch(text, "demo/pyproject.toml", beside=files).startswith(("2.8.0", "open"))


def test_projects_that_need_each_other_end() -> None:
    one = (
        HEAD.format("one")
        + 'dependencies = ["two"]\n[tool.uv.sources]\ntwo = { path = "../two" }\n'
    )
    two = HEAD.format("two") + 'dependencies = ["one", "torch==2.9.1"]\n[tool.uv.sources]\n'
    two += 'one = { path = "../one" }\n'
    files = {"one/pyproject.toml": one, "two/pyproject.toml": two}
    assert torch(one, "one/pyproject.toml", beside=files) == "2.9.1 cu128"


@pytest.mark.parametrize("name", ["gpu", "dev"])
def test_an_extra_that_nobody_declares_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="has no extra"):
        outcome(DEMO, "pyproject.toml", extras=(name,))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[tool.setuptools.dynamic]\ndependencies = { file = ["r.txt"] }\n', "2.9.1 cu128"),
        ('[tool.hatch.metadata.hooks.requirements_txt]\nfiles = ["r.txt"]\n', "2.9.1 cu128"),
    ],
)
def test_requirements_that_another_file_holds(text: str, said: str) -> None:
    head = HEAD.format("demo") + 'dynamic = ["dependencies"]\n'
    assert torch(head + text, "pyproject.toml", beside={"r.txt": "torch==2.9.1\n"}) == said


def test_requirements_that_a_program_computes_are_open() -> None:
    text = (
        HEAD.format("demo") + 'dynamic = ["dependencies"]\n[project.optional-dependencies]\n'
        'gpu = ["torch==2.9.1"]\n'
    )
    assert outcome(text, "pyproject.toml", extras=("gpu",)).status == "open"

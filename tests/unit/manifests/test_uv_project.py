"""pyproject.toml without a lock: what `uv lock` would take."""

from __future__ import annotations

from unit.manifests.installs import CU128, outcome, torch

PROJECT = """
[project]
name = "demo"
version = "0"
requires-python = ">=3.10"
dependencies = ["torch==2.9.1", "torchvision"]
"""
INDEX = f"""
[[tool.uv.index]]
name = "pytorch-cu128"
url = "{CU128}"
explicit = true
"""
SOURCE = """
[tool.uv.sources]
torch = { index = "pytorch-cu128" }
"""


def project(text, **scene):
    return torch(text, "pyproject.toml", **scene)


def test_without_an_index_it_is_pypi():
    assert project(PROJECT) == "2.9.1 cu128"


def test_an_explicit_index_that_no_source_names_is_never_used():
    assert project(PROJECT + INDEX.replace("cu128", "cu126")) == "2.9.1 cu128"


def test_an_index_that_is_not_explicit_comes_first_for_every_name():
    text = PROJECT.replace("==2.9.1", "") + INDEX.replace("explicit = true", "")
    assert project(text) == "2.11.0 cu128"


def test_a_source_counts_for_its_package_alone():
    text = (PROJECT + INDEX + SOURCE).replace("cu128", "cu126")
    found = outcome(text, "pyproject.toml")
    rows = {choice.name: (choice.version, choice.variant) for choice in found.choices}
    assert rows == {"torch": ("2.9.1+cu126", "cu126"), "torchvision": ("0.24.1", "cu128")}


def test_a_source_for_some_platforms_leaves_pypi_for_the_rest():
    source = SOURCE.replace('cu128" }', 'cu128", marker = "sys_platform == \'linux\'" }')
    assert project(PROJECT + INDEX + source) == "2.9.1 cu128"
    assert project(PROJECT + INDEX + source, platform="win_amd64") == "2.9.1 cpu"


def test_a_platform_that_the_index_does_not_serve_fails():
    found = outcome(PROJECT + INDEX + SOURCE, "pyproject.toml", platform="macos_arm64")
    assert (found.status, found.reason) == ("fails", "platform")


EXTRAS = f"""
[project]
name = "demo"
version = "0"
[project.optional-dependencies]
cpu = ["torch==2.9.1"]
cu128 = ["torch==2.9.1"]
[dependency-groups]
dev = ["torchvision==0.24.1"]
train = ["torch==2.8.0"]
[tool.uv]
conflicts = [[{{ extra = "cpu" }}, {{ extra = "cu128" }}]]
default-groups = []
{INDEX}
[[tool.uv.index]]
name = "pytorch-cpu"
url = "https://download.pytorch.org/whl/cpu"
explicit = true
[tool.uv.sources]
torch = [{{ index = "pytorch-cpu", extra = "cpu" }}, {{ index = "pytorch-cu128", extra = "cu128" }}]
"""


def test_extras_and_groups_that_nobody_chose_bring_nothing():
    assert project(EXTRAS).startswith("open")
    assert project(EXTRAS, extras=("cpu",)) == "2.9.1 cpu"
    assert project(EXTRAS, extras=("cu128",)) == "2.9.1 cu128"
    assert project(EXTRAS, groups=("train",)) == "2.8.0 cu128"


def test_the_group_dev_is_installed_unasked():
    assert project(EXTRAS.replace("default-groups = []", "")) == "2.9.1 cu128"

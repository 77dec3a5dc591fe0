"""Wheels that a project names by URLs, environments that must have one: what uv makes of them."""

from __future__ import annotations

import pytest

from unit.manifests.installs import outcome, torch

WHL = "https://download.pytorch.org/whl"
LINUX, WINDOWS = "sys_platform == 'linux'", "sys_platform == 'win32'"


def url(platform="manylinux_2_28_x86_64", python="cp312", version="2.9.1", variant="cu128"):
    return f"{WHL}/{variant}/torch-{version}%2B{variant}-{python}-{python}-{platform}.whl"


def project(source, *, python=">=3.10", settings="", more=""):
    return (
        f'[project]\nname = "x"\nversion = "0"\nrequires-python = "{python}"\n'
        f'dependencies = ["torch"{more}]\n[tool.uv]\n{settings}\n'
        f'[[tool.uv.index]]\nname = "rocm"\nurl = "{WHL}/rocm6.4"\nexplicit = true\n'
        f"[tool.uv.sources]\ntorch = {source}\n"
    )


def named(address, **more):
    return project(f'{{ url = "{address}" }}', **more)


def test_the_url_of_another_platform_is_locked_and_refused_where_it_is_installed():
    text = named(url())
    assert torch(text, "pyproject.toml") == "2.9.1 cu128"
    found = outcome(text, "pyproject.toml", platform="win_amd64")
    assert (found.status, found.reason, found.at_install) == ("fails", "platform", True)
    found = outcome(f"torch @ {url('win_amd64')}\n", tool="uv")
    assert (found.status, found.reason) == ("fails", "platform")


@pytest.mark.parametrize(
    ("python", "tag"), [(">=3.9", "cp312"), (">=3.12", "cp311"), (">=3.10,<3.12", "cp312")]
)
def test_its_python_must_be_one_of_the_project(python, tag):
    found = outcome(named(url(python=tag), python=python), "pyproject.toml", python="3.12")
    assert found.status == "fails"


def test_a_url_for_one_system_hinders_the_others_too():
    text = project(f'[{{ url = "{url()}", marker = "{LINUX}" }}]', python=">=3.9")
    for platform in ("linux_x86_64", "win_amd64", "macos_arm64"):
        assert outcome(text, "pyproject.toml", platform=platform, python="3.12").status == "fails"


@pytest.mark.parametrize("setting", ["environments", "required-environments"])
def test_each_environment_must_have_a_wheel(setting):
    settings = f'{setting} = ["{LINUX}", "{WINDOWS}"]'
    assert outcome(named(url(), settings=settings), "pyproject.toml").status == "fails"
    rocm = project('{ index = "rocm" }', settings=settings)
    assert outcome(rocm, "pyproject.toml").status == "fails"
    alone = project('{ index = "rocm" }', settings=f'{setting} = ["{LINUX}"]')
    assert torch(alone, "pyproject.toml") == "2.9.1 rocm6.4"
    apart = project(f'[{{ index = "rocm", marker = "{LINUX}" }}]', settings=settings)
    assert torch(apart, "pyproject.toml") == "2.9.1 rocm6.4"


def test_a_fork_by_python_may_leave_the_file_behind():
    text = named(url(python="cp310", variant="cu126"), more=', "torchvision"')
    assert outcome(text, "pyproject.toml", python="3.10").status == "open"


def test_a_build_that_was_never_published_is_not_there():
    found = outcome(f"torch @ {url('manylinux_2_28_aarch64', version='2.8.0', variant='cu126')}\n",
                    platform="linux_aarch64")  # fmt: skip
    assert (found.status, found.reason) == ("fails", "missing")
    mirror = url(version="2.8.0", variant="cu121").replace("download.pytorch.org", "mirror.example")
    assert outcome(f"torch @ {mirror}\n").status == "installs"

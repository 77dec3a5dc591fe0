"""Locks that the real tools wrote (tests/lab/make_locks.py), and the manifests they are from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gpudoctor.kb.software import torch_releases
from gpudoctor.manifests.formats import files_in, sources
from gpudoctor.manifests.project import installations
from gpudoctor.manifests.scene import Scene

LOCKS = Path(__file__).parent / "locks"
LINUX, WINDOWS, MAC, ARM = "linux_x86_64", "win_amd64", "macos_arm64", "linux_aarch64"


def installed(path, platform=LINUX, python="3.12", extras=(), groups=()):
    scene = Scene(platform, python, tuple(extras), tuple(groups))
    found = installations(sources([str(LOCKS / path)]), scene)[0].outcome
    rows = {choice.name: f"{choice.release} {choice.variant}" for choice in found.choices}
    return rows if found.status == "installs" else found.status


CASES = [
    ("uv/companion-forgotten", LINUX, {"torch": "2.9.1 cu130", "torchvision": "0.24.1 cu128"}),
    ("uv/companion-forgotten", MAC, "fails"),
    ("uv/linux-alone", LINUX, {"torch": "2.9.1 cu128", "torchvision": "0.24.1 cu128"}),
    ("uv/linux-alone", WINDOWS, {"torch": "2.9.1 cpu", "torchvision": "0.24.1 cpu"}),
    ("uv/cpu-index", LINUX, {"torch": "2.9.1 cpu"}),
    ("uv/cpu-index", MAC, {"torch": "2.9.1 cpu"}),
    ("uv/groups", LINUX, {"torch": "2.9.1 cu128"}),
    ("poetry/explicit", LINUX, {"torch": "2.9.1 cu126", "torchvision": "0.24.1 cu128"}),
    ("poetry/explicit", MAC, "fails"),
    ("poetry/supplemental", LINUX, {"torch": "2.9.1 cu128", "torchvision": "0.24.1 cu128"}),
    ("poetry/by-platform", LINUX, {"torch": "2.9.1 cu126"}),
    ("poetry/by-platform", WINDOWS, {"torch": "2.9.1 cpu"}),
    ("pdm/pypi", LINUX, {"torch": "2.9.1 cu128", "torchvision": "0.24.1 cu128"}),
    ("pdm/one-more-index", LINUX, {"torch": "2.9.1 cu126", "torchvision": "0.24.1 cu126"}),
    ("pipenv/first-source", LINUX, {"torch": "2.9.1 cu128"}),
    ("pipenv/named-source", LINUX, {"torch": "2.9.1 cu126"}),
]


@pytest.mark.parametrize(("case", "platform", "answer"), CASES)
def test_a_lock_and_its_manifest_say_the_same(case, platform, answer):
    lock, manifest = {
        "uv": ("uv.lock", "pyproject.toml"),
        "poetry": ("poetry.lock", "pyproject.toml"),
        "pdm": ("pdm.lock", "pyproject.toml"),
        "pipenv": ("Pipfile.lock", "Pipfile"),
    }[case.split("/")[0]]
    known = ("torch", "torchvision")
    for file in (lock, manifest):
        found = installed(f"{case}/{file}", platform)
        if isinstance(found, dict):
            found = {name: found[name] for name in known if name in found}
        assert found == answer, file


@pytest.mark.parametrize(("platform", "variant"), [(LINUX, "cu132"), (WINDOWS, "cpu")])
def test_a_lock_keeps_what_was_the_newest_when_it_was_made(platform, variant):
    assert installed("uv/pypi/uv.lock", platform) == {"torch": f"2.15.0 {variant}"}
    newest = torch_releases.releases()[-1].version
    assert installed("uv/pypi/pyproject.toml", platform)["torch"].startswith(f"{newest} ")


@pytest.mark.parametrize("case", ["companion-forgotten", "linux-alone", "cpu-index", "pypi"])
@pytest.mark.parametrize("platform", [LINUX, WINDOWS, MAC, ARM])
def test_uvs_pylock_says_what_its_lock_does(case, platform):
    assert installed(f"uv/{case}/pylock.toml", platform) == installed(
        f"uv/{case}/uv.lock", platform
    )


def test_pips_pylock_has_no_index_and_no_markers():
    assert installed("pip/extra-index/pylock.toml", python="3.11")["torch"] == "2.9.1 cu126"
    assert installed("pip/extra-index/pylock.toml", WINDOWS) == "fails"


def test_conflicting_extras_are_told_apart_by_their_markers():
    for file in ("uv.lock", "pyproject.toml"):
        path = f"uv/conflicting-extras/{file}"
        assert installed(path) == "open"
        assert installed(path, extras=["cpu"])["torch"] == "2.9.1 cpu"
        assert installed(path, extras=["gpu"])["torch"] == "2.9.1 cu126"


def test_a_group_that_nobody_chose_brings_nothing():
    assert "torchvision" not in installed("uv/groups/uv.lock")
    assert installed("uv/groups/uv.lock", groups=["train"])["torchvision"] == "0.24.1 cu128"


def test_in_a_folder_the_lock_speaks_before_the_manifest():
    assert [Path(path).name for path in files_in(str(LOCKS / "uv" / "pypi"))] == ["uv.lock"]


def test_an_entry_without_any_wheel_cannot_be_installed(tmp_path):
    text = (LOCKS / "uv" / "cpu-index" / "uv.lock").read_text()
    bare = re.sub(r"^wheels = \[\n(    .*\n)*\]\n", "", text, flags=re.M)
    (tmp_path / "uv.lock").write_text(bare)
    assert installed(tmp_path / "uv.lock") == "fails"

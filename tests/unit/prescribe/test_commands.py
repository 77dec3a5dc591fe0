"""The commands of each tool: they act on the right interpreter and really change the wheel."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gpudoctor.errors import UsageError
from gpudoctor.model.facts import Package
from gpudoctor.prescribe.commands.mirror import index_environment
from gpudoctor.prescribe.request.request import Options, specifier_of
from unit.prescribe.sheets import cure, line, sheet

MIRROR = "https://user:s3cr3t@mirror.example/pytorch"


def broken(**about):
    return sheet("RTX 5090", torch="2.7.1+cu126", **about)


def test_pip_is_called_in_the_interpreter_that_is_meant():
    found = cure(broken())
    assert found.steps[-1].argv[:4] == ("/env/bin/python", "-m", "pip", "install")
    assert found.packages == ("torch==2.7.1+cu128",)


def test_uv_is_used_where_uv_made_the_environment():
    found = cure(broken(environment="uv", has_pip=False))
    assert found.steps[-1].argv[:5] == ("uv", "pip", "install", "--python", "/env/bin/python")


def test_a_wanted_tool_is_used():
    assert cure(broken(), tool="uv").steps[-1].argv[0] == "uv"


def test_an_environment_without_pip_gets_it_first():
    found = cure(broken(has_pip=False, environment="system"))
    assert found.steps[0].argv[1:] == ("-m", "ensurepip", "--upgrade")


def test_conda_uses_its_own_pip_and_says_so():
    found = cure(broken(environment="conda", prefix="/opt/conda/envs/x"))
    assert found.steps[-1].argv[:3] == ("/env/bin/python", "-m", "pip")
    assert "pip inside the conda environment" in found.steps[-1].text


def test_condas_own_torch_goes_first_and_by_hand():
    conda = sheet(
        "RTX 5090", environment="conda", prefix="/opt/conda/envs/x", torch="2.7.1+cu126",
    )  # fmt: skip
    facts = conda.facts
    packages = (Package(name="torch", version="2.7.1+cu126", installer="conda"),)
    found = cure(type(conda)(replace(facts, packages=packages)))
    assert found.steps[0].kind == "manual"
    assert "conda remove -p /opt/conda/envs/x --force" in str(found.steps[0].posix)


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        ("uv", ["[[tool.uv.index]]", "explicit = true", 'torch = { index = "pytorch-cu128" }']),
        ("pixi", ["[pypi-dependencies]", 'index = "https://download.pytorch.org/whl/cu128"']),
        ("pipenv", ["[[source]]", 'index = "pytorch-cu128"']),
        ("poetry", ["owns this environment"]),
    ],
)
def test_a_lock_file_gets_a_change_of_its_manifest_and_nothing_is_executed(owner, words):
    found = cure(broken(lock_owner=owner, lock_file=f"{owner}.lock"))
    assert found.status == "resolved"
    assert all(not step.argv for step in found.steps), "nothing is to be executed past the lock"
    text = "\n".join(step.text for step in found.steps)
    assert all(word in text for word in words)
    if owner == "poetry":
        assert "poetry source add --priority explicit pytorch-cu128" in line(found)


def test_libraries_of_the_old_cuda_go_before_the_new_ones_come():
    packages = (
        Package(name="nvidia-cudnn-cu12", version="9.5.1.17"),
        Package(name="nvidia-cublas-cu12", version="12.6.4.1"),
        Package(name="nvidia-nccl-cu12", version="2.26.2"),
    )
    found = cure(sheet("GB10", arch="aarch64", torch="2.9.1+cu126", packages=packages))
    first, last = found.steps[0], found.steps[-1]
    if found.variant == "cu130":
        assert first.kind == "uninstall"
        assert {"nvidia-cudnn-cu12", "nvidia-nccl-cu12"} <= set(first.argv)
    assert last.kind == "install"


def test_libraries_that_something_else_needs_stay():
    packages = (
        Package(name="nvidia-cudnn-cu12", version="9.5.1.17"),
        Package(name="nvidia-cublas-cu12", version="12.6.4.1"),
        Package(name="tensorflow", version="2.18", requires=("nvidia-cublas-cu12==12.6.4.1",)),
    )
    found = cure(sheet("11.0", arch="aarch64", torch="2.9.1+cu128", packages=packages))
    removed = [step for step in found.steps if step.kind == "uninstall"]
    assert removed
    assert "nvidia-cublas-cu12" not in removed[0].argv
    assert any("tensorflow needs it" in note for note in found.notes)


def test_companions_come_along_in_their_versions():
    packages = (
        Package(name="torchvision", version="0.22.1+cu126"),
        Package(name="torchaudio", version="2.7.1+cu126"),
    )
    found = cure(broken(packages=packages))
    assert found.packages == (
        "torch==2.7.1+cu128", "torchvision==0.22.1+cu128", "torchaudio==2.7.1+cu128",
    )  # fmt: skip


def test_the_last_torchaudio_comes_from_the_ordinary_index_and_brings_nothing():
    packages = (Package(name="torchaudio", version="2.9.1+cpu"),)
    found = cure(sheet("4090", torch="2.14.1+cpu", packages=packages))
    assert "--no-deps torchaudio==2.11.0" in line(found)


def test_a_companion_of_another_release_is_put_right_and_torch_stays():
    packages = (Package(name="torchvision", version="0.23.0+cu128"),)
    found = cure(sheet("4090", torch="2.9.1+cu128", packages=packages))
    assert found.packages == ("torchvision==0.24.1+cu128",)
    assert found.torch is None


def test_a_mirror_takes_the_place_of_the_official_root():
    found = cure(broken(), index_url="https://mirror.example/pytorch/")
    assert "--index-url https://mirror.example/pytorch/cu128" in line(found)
    assert found.index_url == "https://mirror.example/pytorch/cu128"


def test_credentials_are_never_shown_and_travel_by_environment():
    found = cure(broken(), index_url=MIRROR)
    assert "s3cr3t" not in repr(found)
    assert "--index-url" not in line(found)
    assert "PIP_INDEX_URL" in found.steps[-1].text
    official = "https://download.pytorch.org/whl/cu128"
    assert index_environment("pip", official, MIRROR) == {"PIP_INDEX_URL": f"{MIRROR}/cu128"}
    assert set(index_environment("uv", official, MIRROR)) == {"UV_DEFAULT_INDEX"}
    assert index_environment("pip", official, None) == {}


def test_nightly_is_taken_only_when_asked_and_replaces_the_stable_release():
    found = cure(sheet("5090", torch="2.11.0+cu128"), channel="nightly")
    assert "nightly/" in str(found.index_url)
    assert "--pre" in found.steps[-1].argv
    assert found.steps[0].kind == "uninstall"


def test_the_size_of_the_download_is_said_where_it_is_known():
    found = cure(sheet("4090", torch="2.14.1+cpu"))
    assert found.download_bytes is not None
    assert "GB" in found.steps[-1].text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2.9.1", "==2.9.1"), ("2.9", "==2.9.*"), ("torch==2.9.1+cu128", "==2.9.1+cu128"),
     ("2.9.*", "==2.9.*"), ("torch==2.*", "==2.*"), ("~=2.9.0", "~=2.9.0"),
     (">=2.8,<2.11", "<2.11,>=2.8"), ("torch>=2.8", ">=2.8")],
)  # fmt: skip
def test_torch_specifiers_are_read_as_people_write_them(text, expected):
    assert specifier_of(text) == expected


@pytest.mark.parametrize("text", ["", "latest", "torch", "==", "2.9.1 2.9.2", "\u0662.9"])
def test_what_is_no_specifier_is_refused_in_one_sentence(text):
    with pytest.raises(UsageError, match="--torch takes"):
        specifier_of(text)


def test_wrong_options_are_refused():
    for wrong in ({"tool": "apt"}, {"channel": "beta"}, {"index_url": "ftp://x"}):
        with pytest.raises(UsageError):
            Options(**wrong)


def test_an_environment_without_pip_that_uv_did_not_make_gets_its_pip_first():
    found = cure(broken(environment="venv", has_pip=False))
    assert found.steps[0].argv[1:] == ("-m", "ensurepip", "--upgrade")
    assert "uv pip" not in line(found)


def test_the_python_that_a_program_brings_along_is_called_as_the_program_does():
    python = r"C:\ComfyUI\python_embeded\python.exe"
    found = cure(broken(os="windows", environment="portable", executable=python))
    assert found.steps[-1].argv[:4] == (python, "-s", "-m", "pip")
    assert found.steps[-1].cmd.startswith(rf"{python} -s -m pip install")

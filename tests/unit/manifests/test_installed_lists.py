"""Lists of what an environment holds, as its tool prints them: read, or refused by a sentence."""

from __future__ import annotations

import json

import pytest

from unit.manifests.installs import outcome, torch

EXPORT = (
    "# This file may be used to create an environment using:\n"
    "# $ conda create --name <env> --file <this file>\n# platform: linux-64\n"
    "_libgcc_mutex=0.1=main\npython=3.12.7=h5148396_0\n"
)
OLD = "pytorch=2.5.1=py3.12_cuda12.4_cudnn9.1.0_0\npytorch-cuda=12.4=hc786d27_7\n"
FORGE = "libtorch=2.9.1=cuda129_mkl_h1_301\npytorch=2.9.1=cuda129_mkl_py312_h9_301\n"
COLUMNS = "# packages in environment at /opt/conda/envs/x:\n#\n# Name  Version  Build  Channel\n"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (OLD, "2.5.1 cu124"),
        (FORGE, "2.9.1 cu129"),
        ("pytorch=2.9.1=cpu_generic_py312_h9_1\n", "2.9.1 cpu"),
        ("conda-forge/linux-64::pytorch==2.9.1=cuda129_mkl_py312_h9_301\n", "2.9.1 cu129"),
        ("pytorch=2.5.1=gpu_cuda124py312h7d8c1a8_300\n", "2.5.1 cu124"),
    ],
)
def test_an_exported_list_of_conda_names_the_builds(rows, said):
    assert torch(EXPORT + rows, "requirements.txt") == said
    assert torch(EXPORT + rows, "spec-file.txt") == said


def test_conda_finds_none_of_what_pip_installed():
    found = outcome(EXPORT + "torch=2.9.1+cu128=pypi_0\n", "conda.txt")
    assert (found.status, found.reason, found.files[0].line) == ("fails", "missing", 6)
    assert "torch 2.9.1+cu128" in found.why
    found = outcome(EXPORT + FORGE + "einops=0.8.0=pypi_0\n", "conda.txt")
    assert found.status == "fails"
    assert "einops 0.8.0" in found.why


def test_exported_builds_are_of_one_system():
    found = outcome(EXPORT + FORGE, "conda.txt", platform="win_amd64")
    assert (found.status, found.reason) == ("fails", "platform")
    exported = "dependencies:\n- _libgcc_mutex=0.1=main\n- pytorch=2.9.1=cuda129_mkl_py312_h9_301\n"
    assert torch(exported, "environment.yml") == "2.9.1 cu129"
    found = outcome(exported, "environment.yml", platform="win_amd64")
    assert (found.status, found.reason) == ("fails", "platform")


@pytest.mark.parametrize(
    "text",
    [
        COLUMNS + "pytorch  2.5.1  py3.12_cuda12.4_cudnn9.1.0_0  pytorch\n",
        ('  List of packages in environment: "/opt/conda"\n\n  Name  Version  Build  Channel\n'
        "────────\n  pytorch  2.5.1  py3.12_cuda12.4_cudnn9.1.0_0  pytorch\n"),
        ("Package  Version  Build  Size  Kind  Source\n"
        "pytorch  2.5.1  py3.12_cuda12.4_cudnn9.1.0_0  1.4 GiB  conda  "
        "https://conda.anaconda.org/pytorch/\n"),
        json.dumps([{"name": "pytorch", "version": "2.5.1", "channel": "pytorch",
                     "build_string": "py3.12_cuda12.4_cudnn9.1.0_0", "platform": "linux-64"}]),
        json.dumps([{"name": "pytorch", "version": "2.5.1", "kind": "conda",
                     "source": "https://conda.anaconda.org/pytorch",
                     "build": "py3.12_cuda12.4_cudnn9.1.0_0"}]),
        COLUMNS + "torch  2.5.1+cu124  pypi_0  pypi\n",
        COLUMNS + "torch  2.5.1  pypi_0  pypi\n",
        "Package  Version\n-------- -------\ntorch    2.5.1+cu124\n",
        ("Package            Version\n------------------ -------\n"
        "nvidia-cublas-cu12 12.4.5.8\ntorch              2.5.1\n"),
        json.dumps([{"name": "torch", "version": "2.5.1+cu124"}]),
        json.dumps({"version": "1", "pip_version": "25.3",
                    "installed": [{"metadata": {"name": "torch", "version": "2.5.1+cu124"}}]}),
        json.dumps({"version": "1", "pip_version": "25.3", "install": [
            {"download_info": {"url": "https://download.pytorch.org/whl/cu124/"
             "torch-2.5.1%2Bcu124-cp312-cp312-linux_x86_64.whl"},
             "metadata": {"name": "torch", "version": "2.5.1+cu124"}}]}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["packages.txt", "packages.json", "list"])
def test_what_a_tool_lists_is_what_is_installed(text, name):
    assert torch(text, name) == "2.5.1 cu124"


def test_a_torch_without_a_label_and_without_nvidias_wheels_may_be_condas():
    assert torch("Package  Version\n-------- -----\ntorch  2.5.1\n", "list.txt").startswith("open")


def test_a_list_of_another_system_is_not_of_this_one():
    row = {"name": "pytorch", "version": "2.9.1", "build_string": "cuda129_py312_h9_301",
           "channel": "conda-forge", "platform": "win-64"}  # fmt: skip
    assert outcome(json.dumps([row]), "list.json").status == "open"


def test_a_list_that_is_cut_off_is_refused():
    with pytest.raises(Exception, match=r"list\.json is no JSON"):
        outcome('[{"name": "torch", "version": "2.', "list.json")


def test_an_environment_exported_as_json_is_one():
    rows = ["python=3.12.7=h5_0", "pytorch=2.5.1=py3.12_cuda12.4_cudnn9.1.0_0", "pytorch-cuda=12.4"]
    data = {"name": "x", "channels": ["pytorch", "nvidia"], "dependencies": rows}
    assert torch(json.dumps(data, indent=2), "export.json") == "2.5.1 cu124"


@pytest.mark.parametrize(
    "place",
    [
        "/croot/filelock_1700591183607/work",
        "/home/conda/feedstock_root/build_artifacts/filelock_1726613438711/work",
        "/C:/b/abs_f2/croots/recipe/filelock_1/work",
        "/work/ci_py311/filelock_1676823/work",
        "/tmp/build/80754af9/filelock_1/work",
        "/opt/conda/conda-bld/filelock_1/work",
    ],
)
def test_the_folders_of_condas_builders_are_on_no_other_machine(place):
    found = outcome(f"filelock @ file://{place}\ntorch==2.9.1\n")
    assert (found.status, found.reason, found.files[0].line) == ("fails", "missing", 1)
    found = outcome(f"torch @ file://{place}\n")
    assert found.status == "fails"


def test_an_option_or_a_hash_makes_no_list():
    assert torch("--index-url=https://pypi.org/simple?a=b\ntorch==2.9.1\n") == "2.9.1 cu128"
    assert torch("torch==2.9.1 --hash=sha256:00\n") == "2.9.1 cu128"
    assert torch('torch==2.9.1;extra!="x=y"\n') == "2.9.1 cu128"

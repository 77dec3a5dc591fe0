"""conda's files: channel and build string tell the CUDA, a driver at solving time decides."""

from __future__ import annotations

import pytest

from unit.manifests.installs import CU128, outcome, torch

FORGE = "https://conda.anaconda.org/conda-forge/linux-64"


def environment(*specs, channels="conda-forge", pip=()):
    lines = ["channels:", *(f"  - {name}" for name in channels.split()), "dependencies:"]
    lines += [f"  - {spec}" for spec in specs]
    if pip:
        lines += ["  - pip:", *(f"    - {line}" for line in pip)]
    return torch("\n".join(lines) + "\n", "environment.yml")


def test_pytorch_cuda_fixes_the_variant_on_the_channel_pytorch():
    channels = "pytorch nvidia conda-forge"
    assert environment("pytorch", "pytorch-cuda=12.1", channels=channels) == "2.5.1 cu121"
    assert environment("pytorch=2.4", "pytorch-cuda=12.4", channels=channels) == "2.4.1 cu124"
    assert environment("pytorch=2.4.0", "cpuonly", channels=channels) == "2.4.0 cpu"


def test_that_channel_has_ended():
    channels = "pytorch nvidia"
    assert environment("pytorch", "pytorch-cuda=12.8", channels=channels).startswith("fails")
    assert environment("pytorch=2.6", "pytorch-cuda=12.4", channels=channels).startswith("fails")


def test_a_plain_pytorch_of_conda_forge_depends_on_the_builder():
    assert environment("pytorch=2.9.1").startswith("open")
    assert environment("pytorch-gpu").startswith("open")
    assert environment("pytorch-cpu=2.9.1") == "2.9.1 cpu"
    assert environment("pytorch=2.9.1=cpu*") == "2.9.1 cpu"
    assert environment("pytorch==2.9.1=cuda129*") == "2.9.1 cu129"
    assert environment("pytorch-gpu=2.9.1", "cuda-version=12.9") == "2.9.1 cu129"


@pytest.mark.parametrize(
    "specs",
    [
        ("pytorch-gpu=2.5.1", "cuda-version=12.9"),  # its build is for an older CUDA 12
        ("pytorch-gpu=2.9.1", "cuda-version=12.6"),
        ("pytorch=2.9.1", "cuda-version=12.9"),  # without a driver the CPU build
        ("pytorch-gpu=2.5.1", "cuda-version=13.0"),
    ],
)
def test_a_ceiling_for_cuda_leaves_the_build_open(specs):
    assert environment(*specs).startswith("open")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('pytorch = "2.9.1.*"', "2.9.1 cpu"),
        ('pytorch-gpu = "2.9.1.*"', "fails"),
        ('pytorch = { version = "2.9.1.*", build = "cuda129*" }', "fails"),
        ('pytorch = "*"\n[system-requirements]\ncuda = "12"', "open"),
        ('pytorch-gpu = "*"\ncuda-version = "13.0.*"\n[system-requirements]\ncuda = "12"', "fails"),
        ('pytorch-cpu = "*"\ncuda-version = "13.0.*"\n[system-requirements]\ncuda = "12"', "fails"),
        ('pytorch-cpu = "2.9.1.*"\ncuda-version = ">=12"', "2.9.1 cpu"),
    ],
)
def test_pixi_solves_for_the_cuda_that_its_manifest_declares(more, said):
    text = '[workspace]\nchannels = ["conda-forge"]\nplatforms = ["linux-64"]\n[dependencies]\n'
    assert torch(text + more + "\n", "pixi.toml").startswith(said)
    found = outcome(text + more + "\n", "pixi.toml", platform="win_amd64")
    assert (found.status, found.reason) == ("fails", "platform")


def test_what_a_manifest_declares_of_cuda_is_not_for_a_mac():
    text = '[workspace]\nchannels = ["conda-forge"]\nplatforms = ["osx-arm64"]\n[dependencies]\n'
    text += 'pytorch-cpu = "2.9.1.*"\ncuda-version = "13.0.*"\n[system-requirements]\ncuda = "12"\n'
    assert torch(text, "pixi.toml", platform="macos_arm64") == "2.9.1 cpu"


def test_cuda_is_not_for_a_mac_and_the_ended_channel_not_for_a_newer_python():
    text = "channels: [conda-forge]\ndependencies:\n- pytorch-gpu\n"
    assert outcome(text, "environment.yml", platform="macos_arm64").reason == "platform"
    old = "channels: [pytorch]\ndependencies:\n- python=3.13\n- pytorch\n- pytorch-cuda=12.4\n"
    assert outcome(old, "environment.yml").reason == "python"


def test_the_nested_list_is_pips_with_its_own_options():
    rows = (f"--extra-index-url {CU128}", "torch==2.9.1")
    assert environment("python=3.12", "pip", pip=rows) == "2.9.1 cu128"
    assert environment("pytorch", pip=("torch",)).startswith("open")


def test_the_file_brings_its_own_python():
    assert environment("python=3.9", "pip", pip=("torch",)) == "2.8.0 cu128"


@pytest.mark.parametrize(
    ("build", "answer"),
    [
        ("cuda126_generic_py312_h1", "2.9.1 cu126"),
        ("cpu_generic_py312_h1_0", "2.9.1 cpu"),
        ("py3.12_cuda12.4_cudnn9.1.0_0", "2.9.1 cu124"),
        ("py312_h1_0", "open"),
    ],
)
def test_explicit_lists_and_locks_say_it_in_the_build_string(build, answer):
    url = f"{FORGE}/pytorch-2.9.1-{build}.conda"
    explicit = f"# platform: linux-64\n@EXPLICIT\n{FORGE}/python-3.12.1-h0_0.conda\n{url}#abc\n"
    pixi = (
        "version: 6\nenvironments:\n  default:\n    channels:\n    - url: x\n    packages:\n"
        f"      linux-64:\n      - conda: {url}\npackages:\n- conda: {url}\n"
    )
    lock = f"version: 1\npackage:\n- name: pytorch\n  platform: linux-64\n  url: {url}\n"
    for name, text in (("list.txt", explicit), ("pixi.lock", pixi), ("conda-lock.yml", lock)):
        assert torch(text, name).startswith(answer)


def test_a_pixi_lock_holds_wheels_too():
    wheel = f"{CU128}/torch-2.9.1%2Bcu128-cp312-cp312-manylinux_2_28_x86_64.whl"
    text = (
        "version: 6\nenvironments:\n  gpu:\n    packages:\n      linux-64:\n"
        f"      - pypi: {wheel}\npackages: []\n"
    )
    assert torch(text, "pixi.lock").startswith("open")
    assert torch(text, "pixi.lock", groups=("gpu",)) == "2.9.1 cu128"


MANIFEST = """
[workspace]
channels = ["conda-forge"]
platforms = ["linux-64"]
[dependencies]
python = "3.12.*"
"""


def pixi(text, **scene):
    return torch(MANIFEST + text, "pixi.toml", **scene)


def test_a_pixi_manifest_that_declares_no_cuda_gets_the_cpu_build():
    assert pixi('pytorch = "==2.9.1"\n') == "2.9.1 cpu"
    assert pixi('pytorch = "2.9.1"\n[system-requirements]\ncuda = "12"\n').startswith("open")


def test_pixi_takes_wheels_as_uv_does():
    text = f'[pypi-dependencies]\ntorch = {{ version = "==2.9.1", index = "{CU128}" }}\n'
    assert pixi(text) == "2.9.1 cu128"


def test_a_conda_lock_holds_categories():
    url = f"{FORGE}/pytorch-2.9.1-cuda129_py312_h1.conda"
    text = f"package:\n- name: pytorch\n  platform: linux-64\n  category: train\n  url: {url}\n"
    found = outcome(text, "conda-lock.yml")
    assert (found.status, "--group train" in found.why) == ("open", True)
    assert torch(text, "conda-lock.yml", groups=("train",)) == "2.9.1 cu129"

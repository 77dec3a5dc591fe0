"""What people say of their machine in passing becomes facts; what they ask for does not."""

from __future__ import annotations

import pytest

from gpudoctor.triage.merge import read_facts
from gpudoctor.triage.text.clean import clean
from gpudoctor.triage.text.cleaned_text import fold


def facts(text):
    return read_facts(fold(clean(text))).facts


@pytest.mark.parametrize(
    ("text", "name", "vendor"),
    [
        ("It runs on an Apple M2 with 16 GB.", "Apple M2", "apple"),
        ("MacBook Pro (M3 Max), torch 2.6", "Apple M3 Max", "apple"),
        ("My card is an Arc A770.", "Intel Arc A770", "intel"),
        ("Intel(R) Arc(TM) B580 Graphics", "Intel Arc(TM) B580", "intel"),
        ("I have an AMD 570 with 8 GB", "AMD Radeon RX 570", "amd"),
        ("GPU :- AMD 6600xt", "AMD Radeon RX 6600 XT", "amd"),
        ("Radeon RX 7900 XTX, ROCm 6.2", "AMD Radeon RX 7900 XTX", "amd"),
        ("Radeon 780M, Fedora 40", "AMD Radeon 780M", "amd"),
        ("eight MI300X in one box", "AMD Instinct MI300X", "amd"),
        ("AMD Ryzen 7 5800X with an RTX 3060", "GeForce RTX 3060", "nvidia"),
    ],
)
def test_a_gpu_has_its_vendor(text, name, vendor):
    first = facts(text).gpus[0]
    assert (first.name, first.vendor) == (name, vendor)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("4x RTX 3090", 4),
        ("two RTX 4090 and a fast disk", 2),
        ("a node with 8 NVIDIA A100", 8),
        ("dual RTX 3060", 2),
        ("an RTX 3090 and 64 GB of memory", 1),
        ("two RTX 4090s and one 1080 Ti", 3),
    ],
)
def test_gpus_are_counted(text, count):
    assert len(facts(text).gpus) == count


def test_a_card_that_is_asked_about_is_not_owned():
    names = [gpu.name for gpu in facts("Should I buy an RTX 5090? I use a GTX 1080 Ti.").gpus]
    assert names == ["GeForce GTX 1080 Ti"]
    names = [gpu.name for gpu in facts("It works on my RTX 3060, but not on the RTX 5070.").gpus]
    assert names == ["GeForce RTX 5070"]
    names = [
        gpu.name for gpu in facts("Should I get an RTX 5090 or a used A100? I use a GTX 1080.").gpus
    ]
    assert names == ["GeForce GTX 1080"]


def test_memory_stands_beside_the_name():
    assert facts("RTX 3090 (24GB), Ubuntu").gpus[0].memory_bytes == 24 * 2**30


@pytest.mark.parametrize(
    ("text", "os"),
    [
        ("PS C:\\Users\\me> python train.py", "windows"),
        ("D:\\ai\\ComfyUI\\main.py, line 3", "windows"),
        ("/Users/me/project/train.py", "macos"),
        ("/home/me/project/train.py", "linux"),
        ("/mnt/c/Users/me/llm/run.py", "linux"),
        ("an MX450 and Win10", "windows"),
        ("Mac mini M4 Pro, 24 GB", "macos"),
    ],
)
def test_the_system_shows_in_paths_and_prompts(text, os):
    assert facts(text).host.os == os


def test_a_label_says_what_the_build_is_for():
    rocm = facts("torch 2.6.0+rocm6.2 on Ubuntu").torch
    assert (rocm.cuda, rocm.hip) == (None, "6.2")
    assert facts("torch 2.9.1+xpu").torch.xpu


@pytest.mark.parametrize(
    "text",
    [
        "$ pip install torch==2.6.0+cu124",
        "ERROR: No matching distribution found for torch==1.8.1",
        "flash-attn 2.5 requires torch==2.2.0",
    ],
)
def test_what_is_asked_for_is_not_installed(text):
    assert facts(text).torch is None


def test_a_containers_command_says_whether_it_gives_the_gpu():
    assert facts("$ docker run -it --gpus all pytorch/pytorch").host.container_gpus is True
    assert facts("$ docker run -it pytorch/pytorch").host.container_gpus is False
    compose = "services:\n  app:\n    image: pytorch/pytorch\n"
    assert facts(compose).host.container_gpus is False
    assert facts(compose + "    runtime: nvidia\n").host.container_gpus is True


def test_a_jetson_is_named():
    assert facts("Jetson Orin Nano, JetPack 6.2").host.jetson == "Jetson Orin Nano"
    assert facts("L4T R35.4.1 on Xavier NX").host.jetson


def test_a_mobile_card_is_not_the_desktops() -> None:
    assert facts("GTX 960M in a laptop").gpus[0].compute_capability == "5.0"
    assert facts("GTX 1060M in a laptop").gpus[0].compute_capability == "6.1"


def test_the_tag_of_a_wheel_is_not_the_python_that_runs() -> None:
    refused = "torch-2.5.1+cu124-cp313-cp313-linux_x86_64.whl is not a supported wheel"
    assert facts(f"ERROR: {refused} on this platform.\nPython 3.10.12").python.version == "3.10.12"


@pytest.mark.parametrize("text", ["It has torch 2.5.0+cu124.", "(torch 2.5.0+cu124)."])
def test_the_end_of_a_sentence_is_no_part_of_a_version(text: str) -> None:
    torch = facts(text).torch
    assert torch is not None
    assert (torch.version, torch.cuda) == ("2.5.0+cu124", "12.4")

"""Each reader against what its program prints, in the layouts that it has had."""

from __future__ import annotations

import pytest

from gpudoctor.triage.merge import read_facts
from gpudoctor.triage.readers import (
    collect_env,
    kernel_log,
    nvidia_smi,
    package_list,
    torch_warnings,
)
from gpudoctor.triage.readers.errors.oom import figures
from gpudoctor.triage.text.clean import clean, decode
from gpudoctor.triage.text.cleaned_text import fold


def read(reader, text):
    return reader.read(fold(clean(text)))


def facts(text):
    return read_facts(fold(clean(text))).facts


OLD = """PyTorch version: 1.4.0+cu100
Is debug build: No
CUDA used to build PyTorch: 10.0
OS: Ubuntu 18.04.4 LTS
Python version: 3.6
Is CUDA available: Yes
CUDA runtime version: Could not collect
GPU models and configuration:
GPU 0: Tesla P100-PCIE-16GB
GPU 1: Tesla P100-PCIE-16GB

Nvidia driver version: 384.130
[pip3] torch==1.4.0+cu100
"""
PADDED = """PyTorch version              : 2.9.0+cu128
CUDA used to build PyTorch   : 12,8
OS                           : Ubuntu 22.04.4 LTS (x86_64)
Python version               : 3.12.11 | packaged by Anaconda (64-bit runtime)
Is CUDA available            : True
GPU models and configuration : GPU 0: NVIDIA H100 PCIe
Nvidia driver version        : 550.144.03
"""


def test_the_old_layout_of_collect_env_is_read():
    draft = read(collect_env, OLD)
    assert draft["torch"]["version"] == "1.4.0+cu100"
    assert draft["torch"]["cuda"] == "10.0"
    assert [gpu["name"] for gpu in draft["gpus"]] == ["Tesla P100-PCIE-16GB"] * 2
    assert draft["driver"] == {"version": "384.130", "cu_init": 0}


def test_the_padded_layout_with_decimal_commas_is_read():
    draft = read(collect_env, PADDED)
    assert draft["torch"]["cuda"] == "12.8"
    assert draft["python"] == {"version": "3.12.11", "bits": 64}
    assert draft["host"]["arch"] == "x86_64"
    assert draft["gpus"] == [{"index": 0, "name": "NVIDIA H100 PCIe"}]


def test_what_a_report_does_not_say_is_unknown_and_not_absent():
    sheet = read_facts(fold("PyTorch version: 2.6.0+cu124\nIs debug build: False\n"))
    assert sheet.why_unknown("driver") is not None
    assert sheet.why_unknown("gpus") is not None
    assert sheet.why_unknown("torch.version") is None


def test_wsl_is_seen_in_the_platform():
    line = "Python platform: Linux-5.15.153.1-microsoft-standard-WSL2-x86_64-with-glibc2.35"
    host = facts(f"PyTorch version: 2.4.0+cu121\n{line}\n").host
    assert host is not None
    assert host.wsl
    assert host.kernel == "5.15.153.1-microsoft-standard-WSL2"


TABLE = """\
| NVIDIA-SMI 555.85                 Driver Version: 555.85         CUDA Version: 12.5     |
|   0  NVIDIA L40S                  TCC   |   00000000:61:00.0 Off |                    0 |
| N/A   17C    P8             21W /  350W |       9MiB /  46068MiB |      0%   E. Process |
|   1  NVIDIA GeForce ...           On    |   00000000:62:00.0 Off |                    0 |
"""


def test_the_table_of_nvidia_smi_is_read():
    draft = read(nvidia_smi, TABLE)
    assert draft["driver"] == {"version": "555.85", "cuda": "12.5"}
    first, second = draft["gpus"]
    assert first["name"] == "NVIDIA L40S"
    assert first["compute_mode"] == "exclusive_process"
    assert first["memory_bytes"] == 46068 * 2**20
    assert "name" not in second, "a name that was cut short tells no GPU"


def test_the_list_of_nvidia_smi_with_mig_is_read():
    text = (
        "GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-5a3ddf1c-0000-0000-0000-000000000000)\n"
        "  MIG 3g.40gb     Device  0: (UUID: MIG-c6d4f1ef-0000-0000-0000-000000000000)\n"
    )
    (gpu,) = read(nvidia_smi, text)["gpus"]
    assert gpu["mig_mode"] is True
    assert len(gpu["mig_devices"]) == 1


def test_the_csv_of_nvidia_smi_is_read():
    text = "index, name, driver_version, compute_cap\n0, NVIDIA L4, 550.54.15, 8.9\n"
    draft = read(nvidia_smi, text)
    assert draft["gpus"] == [{"index": 0, "name": "NVIDIA L4", "compute_capability": "8.9"}]
    assert draft["driver"]["version"] == "550.54.15"


def test_the_xml_and_the_long_form_of_nvidia_smi_are_read():
    xml = (
        "<nvidia_smi_log><driver_version>535.183.01</driver_version>"
        "<cuda_version>12.2</cuda_version><product_name>Tesla T4</product_name></nvidia_smi_log>"
    )
    assert read(nvidia_smi, xml)["gpus"][0]["name"] == "Tesla T4"
    long = (
        "==============NVSMI LOG==============\n"
        "Driver Version                            : 535.183.01\n"
        "CUDA Version                              : 12.2\n"
        "    Product Name                          : Tesla T4\n"
        "    Compute Mode                          : Default\n"
    )
    draft = read(nvidia_smi, long)
    assert draft["driver"] == {"version": "535.183.01", "cuda": "12.2"}
    assert draft["gpus"][0]["compute_mode"] == "default"


@pytest.mark.parametrize(
    ("line", "name", "version"),
    [
        ("torch==2.6.0+cu124", "torch", "2.6.0+cu124"),
        ("torch                   2.6.0+cu124", "torch", "2.6.0+cu124"),
        ("pytorch   1.4.0   py3.7_cpu_0  pytorch", "torch", "1.4.0"),
        (" + nvidia-cudnn-cu12==9.1.0.70", "nvidia-cudnn-cu12", "9.1.0.70"),
        ("flash_attn==2.7.4.post1", "flash-attn", "2.7.4.post1"),
        ("Name: torchvision\nVersion: 0.20.1+cu124", "torchvision", "0.20.1+cu124"),
    ],
)
def test_package_lists_of_every_tool_are_read(line, name, version):
    (found,) = read(package_list, line)["packages"]
    assert (found["name"], found["version"]) == (name, version)


def test_torchs_warning_carries_capability_and_architectures():
    draft = read(
        torch_warnings,
        "NVIDIA GeForce RTX 5090 with CUDA capability sm_120 is not compatible with the current\n"
        "PyTorch installation. The current PyTorch install supports CUDA capabilities sm_50 sm_90a"
        " compute_90.\n",
    )
    assert draft["gpus"] == [{"name": "NVIDIA GeForce RTX 5090", "compute_capability": "12.0"}]
    assert draft["torch"]["sass"] == ["sm_50", "sm_90a"]
    assert draft["torch"]["ptx"] == ["compute_90"]


def test_a_kernel_log_tells_module_version_and_flavour():
    draft = read(
        kernel_log,
        "NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  570.158.01  Release Build\n"
        "NVRM: Xid (PCI:0000:61:00): 79, GPU has fallen off the bus.\n",
    )
    assert draft["kernel_module"] == {"version": "570.158.01", "flavour": "open"}
    assert len(draft["log"]) == 2


@pytest.mark.parametrize(
    ("text", "gpu", "torch", "driver"),
    [
        ("RTX 3090, driver 470.141.03, torch 1.13.1+cu117", "8.6", "1.13.1+cu117", "470.141.03"),
        ("Tesla V100, driver r570, torch==2.9.1 (cu126)", "7.0", "2.9.1+cu126", "570"),
        ("GTX 1080 Ti with PyTorch 2.8.0+cu129, Driver: 580.x", "6.1", "2.8.0+cu129", "580"),
    ],
)
def test_facts_in_prose_are_read(text, gpu, torch, driver):
    found = facts(text)
    assert found.gpus[0].compute_capability == gpu
    assert found.torch is not None
    assert found.torch.version == torch
    assert found.driver is not None
    assert found.driver.version == driver


def test_bytes_of_powershell_are_decoded():
    assert decode("NVIDIA".encode("utf-16")) == "NVIDIA"
    assert decode(("NVIDIA-SMI has failed" * 2).encode("utf-16-le")).startswith("NVIDIA-SMI")


def test_both_formats_of_an_out_of_memory_message_are_read():
    old = (
        "CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 10.76 GiB total capacity; "
        "4.29 GiB already allocated; 10.12 MiB free; 9.64 GiB reserved in total by PyTorch)"
    )
    found = figures(old)
    assert found is not None
    assert found.fragmented
    new = (
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 23.69 GiB "
        "of which 115.69 MiB is free. Of the allocated memory 22.14 GiB is allocated by PyTorch, "
        "and 910.35 MiB is reserved by PyTorch but unallocated."
    )
    found = figures(new)
    assert found is not None
    assert not found.fragmented
    assert not found.held_by_others


def said_of(text):
    from gpudoctor.report import render
    from gpudoctor.report.style import Style
    from gpudoctor.triage import report_on_text as report

    return render(report.of_string(text), "text", Style(width=400))


def test_a_wanted_torch_is_not_called_a_build_without_gpu_support():
    text = said_of(
        "ERROR: Could not find a version that satisfies the requirement torch==1.8.1 "
        "(from versions: 1.13.0, 2.8.0)"
    )
    assert "1.8.1" in text
    assert "without GPU support" not in text
    assert "  pip found no wheel" in text, "a program's name keeps its small letter"


def test_what_no_build_of_torch_cures_asks_for_no_fact_about_the_machine():
    assert "one fact is missing" not in said_of("RuntimeError: CUDA out of memory.")
    assert "one fact is missing" in said_of("AssertionError: Torch not compiled with CUDA enabled")


def test_a_text_without_a_gpu_is_not_said_to_come_from_a_machine_with_one():
    text = said_of("AssertionError: Torch not compiled with CUDA enabled")
    assert "usable NVIDIA GPU" not in text
    assert "without CUDA" in text


def test_causes_that_look_alike_are_named_by_their_codes():
    assert "To tell it from GPU401 (cudnn-sublibrary-mixed-versions)" in said_of(
        "CUDNN_STATUS_NOT_INITIALIZED"
    )

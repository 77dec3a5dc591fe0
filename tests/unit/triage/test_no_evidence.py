"""What happened to nobody: typed commands, names of tests, changes, pages, questions."""

from __future__ import annotations

import glob
import os

import pytest

from gpudoctor.triage.report_on_text import of_string
from gpudoctor.triage.text.typed import is_typed

ROOT = os.path.join(os.path.dirname(__file__), "..", "..", "..")

COMMANDS = [
    "dkms status",
    "$ dkms status",
    "sudo mokutil --sb-state",
    "nvidia-smi -c EXCLUSIVE_PROCESS",
    "sudo rmmod nvidia_uvm; sudo modprobe nvidia_uvm",
    "export CUDA_VISIBLE_DEVICES=-1",
    "user@host:~$ unset LD_LIBRARY_PATH",
    "PS C:\\Users\\me> pip install torch==2.6.0+cpu",
    "sudo apt purge 'nvidia*' && sudo reboot",
    "docker run -it ubuntu bash",
    "(venv) $ pip install flash-attn --no-build-isolation",
    "lsmod | grep nouveau",
    "echo 'blacklist nouveau' | sudo tee /etc/modprobe.d/nouveau.conf",
]
OUTPUT = [
    "nvidia-smi: command not found",
    "docker: Error response from daemon: could not select device driver",
    "nvcc fatal   : Unsupported gpu architecture 'compute_120'",
    "make: *** [all] Error 1",
    "python train.py fails with a CUDA error",
    "pip install torch  -> CPU build",
    "RuntimeError: CUDA error: out of memory",
    "dkms status shows no nvidia module",
]
HEALTHY = (
    "$ dkms status\nnvidia/550.90.07, 6.8.0-45-generic, x86_64: installed\n"
    "$ mokutil --sb-state\nSecureBoot enabled\n"
)
CHANGES = """gpu-tool (2.1-3) unstable; urgency=medium

  * Fix CUDA out of memory on RTX 3090.
  * Handle "no kernel image is available for execution on the device".

gpu-tool (2.1-2) unstable; urgency=low

  * Driver/library version mismatch is told now.

gpu-tool (2.1-1) unstable; urgency=low

  * GPU has fallen off the bus: retry.
"""
QUESTIONS = [
    "Does V100 support flash-attention? My 4060 laptop is connected to a V100 via USB4.",
    "Is it possible to specify whether a container should have access to an Nvidia GPU in k8s?",
    "Would a second RTX 3090 help, or is one with 24 GB enough for this model?",
    "tests/test_cuda.py::test_out_of_memory PASSED\ntests/test_gpu.py::test_no_kernel_image PASSED",
    "Which CUDA does torch 2.9 need, and does the driver 550 serve it?",
]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_alone_says_nothing(line):
    assert is_typed(line)
    assert of_string(line).findings == ()


@pytest.mark.parametrize("line", OUTPUT)
def test_output_is_no_command(line):
    assert not is_typed(line)


def test_a_sound_look_is_no_fault():
    assert of_string(HEALTHY).findings == ()


@pytest.mark.parametrize("text", [CHANGES, *QUESTIONS])
def test_what_is_told_or_asked_happened_to_nobody(text):
    assert [finding.name for finding in of_string(text).findings] == []


@pytest.mark.parametrize(
    "path",
    sorted(
        glob.glob(os.path.join(ROOT, "docs", "*.md"))
        + glob.glob(os.path.join(ROOT, "docs", "codes", "*.md"))
        + [os.path.join(ROOT, name) for name in ("README.md", "CHANGELOG.md")]
    ),
    ids=os.path.basename,
)
def test_a_page_is_no_report(path):
    with open(path, encoding="utf-8") as file:
        assert [finding.name for finding in of_string(file.read()).findings] == []


def test_sources_are_no_report():
    for path in glob.glob(os.path.join(ROOT, "tests", "unit", "triage", "*.py")):
        with open(path, encoding="utf-8") as file:
            assert [finding.name for finding in of_string(file.read()).findings] == [], path


def test_the_history_of_a_project_is_a_list_of_changes():
    log = (
        "a1b2c3d Fix CUDA out of memory in the loop\n"
        "d4e5f6a (HEAD -> main) Handle 'no kernel image is available'\n"
        "0a1b2c3 Raise if Torch not compiled with CUDA enabled"
    )
    assert of_string(log).findings == ()


HEADER = """#pragma once
#include <a.h>
namespace n {
using T = float;
struct A;
static int b;
// where the driver fails we use an empty array to save shared memory
"""


@pytest.mark.parametrize(
    "text",
    [
        "ok 12 - hipErrorNoBinaryForGpu is mapped\nok 13 - CUDA_ERROR_NO_DEVICE is mapped",
        "PASSED tests/test_oom.py::test_CUDA_out_of_memory\n1 passed in 3.2s",
        "[ RUN      ] Errors.no_kernel_image_is_available\n[       OK ] Errors.no_kernel_image",
        "This change renames `CUDA_ERROR_OUT_OF_MEMORY` to `kOutOfMemory`. I added tests.",
        HEADER,
    ],
)
def test_passed_tests_renamed_constants_and_headers_are_nobodys_trouble(text):
    assert of_string(text).findings == ()

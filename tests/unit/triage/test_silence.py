"""Texts in which nothing is wrong are answered with just that."""

from __future__ import annotations

import glob
import os

import pytest

from gpudoctor.triage.report_on_text import of_string

HEALTHY_REPORT = """Collecting environment information...
PyTorch version: 2.6.0+cu124
Is debug build: False
CUDA used to build PyTorch: 12.4
ROCM used to build PyTorch: N/A

OS: Ubuntu 22.04.4 LTS (x86_64)
GCC version: (Ubuntu 11.4.0-1ubuntu1~22.04) 11.4.0
Clang version: Could not collect
CMake version: version 3.31.4
Libc version: glibc-2.35

Python version: 3.11.9 (main, Apr  6 2024, 17:59:24) [GCC 11.4.0] (64-bit runtime)
Python platform: Linux-6.8.0-40-generic-x86_64-with-glibc2.35
Is CUDA available: True
CUDA runtime version: 12.4.131
CUDA_MODULE_LOADING set to: LAZY
GPU models and configuration: GPU 0: NVIDIA GeForce RTX 4090
Nvidia driver version: 550.90.07
cuDNN version: Could not collect
HIP runtime version: N/A
MIOpen runtime version: N/A
Is XNNPACK available: True

Versions of relevant libraries:
[pip3] numpy==1.26.4
[pip3] nvidia-cublas-cu12==12.4.5.8
[pip3] nvidia-cudnn-cu12==9.1.0.70
[pip3] nvidia-nccl-cu12==2.21.5
[pip3] torch==2.6.0+cu124
[pip3] torchaudio==2.6.0+cu124
[pip3] torchvision==0.21.0+cu124
[pip3] triton==3.2.0
"""

HEALTHY_WINDOWS_REPORT = """Collecting environment information...
PyTorch version: 2.9.1+cu128
Is debug build: False
CUDA used to build PyTorch: 12.8

OS: Microsoft Windows 11 Pro (10.0.26100 64-bit)
GCC version: Could not collect
Python version: 3.12.7 (tags/v3.12.7:0b05ead, Oct  1 2024, 03:06:41) [MSC v.1941 64 bit (AMD64)]
Python platform: Windows-11-10.0.26100-SP0
Is CUDA available: True
CUDA runtime version: 12.8.93
CUDA_MODULE_LOADING set to:
GPU models and configuration: GPU 0: NVIDIA GeForce RTX 5060 Ti
Nvidia driver version: 576.88
Is XPU available: False
Is XNNPACK available: True

CPU:
Name: AMD Ryzen 7 7800X3D 8-Core Processor
Manufacturer: AuthenticAMD

Versions of relevant libraries:
[pip3] numpy==2.1.2
[pip3] torch==2.9.1+cu128
[pip3] torchvision==0.24.1+cu128
"""

HEALTHY_LIST = """GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-1c2d3e4f-0000-1111-2222-333344445555)
  MIG 3g.40gb     Device  0: (UUID: MIG-0a1b2c3d-0000-5555-6666-777788889999)
GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-2c2d3e4f-0000-1111-2222-333344445555)
"""

HEALTHY_CSV = """index, name, driver_version, memory.used [MiB], utilization.gpu [%]
0, NVIDIA A100-SXM4-80GB, 535.183.01, 61234 MiB, 98 %
1, NVIDIA A100-SXM4-80GB, 535.183.01, 4 MiB, 0 %
"""

SOUND_WORDS = (
    "I have an RTX 5090 and Windows 11; my games only use 30% of the GPU.",
    "The DataLoader only uses CPU cores 4 of 16 on Windows; the GPU, an RTX 3060, stands at 95%.",
    "torch.cuda.is_available() returns True on my RTX 4070. How do I use mixed precision?",
    "Training on the RTX 3090 takes 3 hours an epoch; is that normal for a driver of branch 570?",
    "Which is better for training, an RTX 5070 Ti with 16 GB or a used RTX 3090 with 24 GB?",
    "Thanks, torch 2.9.1+cu128 works on my GTX 1660 Ti now.",
)

HEALTHY_CPU_REPORT = """PyTorch version: 2.6.0
Is debug build: False
CUDA used to build PyTorch: None
ROCM used to build PyTorch: N/A

OS: macOS 14.3 (arm64)
Python version: 3.11.9 (main, Apr  6 2024, 17:59:24) (64-bit runtime)
Python platform: macOS-14.3-arm64-arm-64bit
Is CUDA available: False
CUDA runtime version: No CUDA
GPU models and configuration: No CUDA
Nvidia driver version: No CUDA
[pip3] torch==2.6.0
"""

HEALTHY_SMI = """Mon Nov 17 08:21:42 2025
+-----------------------------------------------------------------------------------------+
| NVIDIA-SMI 580.95.05              Driver Version: 580.95.05      CUDA Version: 13.0     |
+-----------------------------------------+------------------------+----------------------+
| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |
| Fan  Temp   Perf          Pwr:Usage/Cap |           Memory-Usage | GPU-Util  Compute M. |
|                                         |                        |               MIG M. |
|=========================================+========================+======================|
|   0  NVIDIA GeForce GTX 1080        Off |   00000000:01:00.0  On |                  N/A |
| 27%   41C    P8              9W /  180W |     312MiB /   8192MiB |      0%      Default |
|                                         |                        |                  N/A |
+-----------------------------------------+------------------------+----------------------+
"""

TRAINING_LOG = """2025-11-02 10:00:01 INFO Using device: cuda:0 (NVIDIA A100-SXM4-80GB)
2025-11-02 10:00:02 INFO torch 2.8.0+cu128, cuDNN 91002, NCCL 2.27.3
GPU available: True (cuda), used: True
TPU available: False, using: 0 TPU cores
LOCAL_RANK: 0 - CUDA_VISIBLE_DEVICES: [0]
NCCL INFO NET/Plugin: No plugin found, using internal implementation
NCCL INFO P2P is disabled between connected GPUs 1 and 0. NCCL_P2P_DISABLE=1
/usr/lib/python3/dist-packages/x.py:12: FutureWarning: this argument is deprecated
Epoch 1: 100%|##########| 100/100 [01:02<00:00, 1.60it/s, loss=2.31, val_error=0.12]
Epoch 2: 100%|##########| 100/100 [01:01<00:00, 1.62it/s, loss=1.87, val_error=0.10]
max memory allocated: 61.2 GiB, label smoothing 0.1, embedding dim 4096
Saved checkpoint to /data/run/ckpt_2.pt (weights_only=True)
Training finished without errors.
"""

JAVA = """Exception in thread "main" java.lang.OutOfMemoryError: Java heap space
\tat java.base/java.util.Arrays.copyOf(Arrays.java:3512)
\tat com.example.Main.main(Main.java:14)
Caused by: java.lang.IndexOutOfBoundsException: Index 7 out of bounds for length 5
"""

NODE = """node:internal/modules/cjs/loader:1080
  throw err;
Error: Cannot find module 'express'
    at Module._resolveFilename (node:internal/modules/cjs/loader:1077:15)
node: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.28' not found (required by node)
"""

GO = """panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.main()
\t/tmp/sandbox/prog.go:9 +0x1d
exit status 2
"""

PYTHON = """Traceback (most recent call last):
  File "train.py", line 12, in <module>
    x = a[7]
IndexError: index 7 is out of bounds for axis 0 with size 5
During handling of the above exception, another exception occurred:
KeyError: 'label'
"""

README = """# SuperNet: train vision models fast

![license](https://img.shields.io/badge/license-MIT-green)

## Installation

pip install torch torchvision --index-url https://download.pytorch.org/whl/cu118

## Usage

python train.py --device cuda:0

## Troubleshooting

- `RuntimeError: CUDA out of memory`: lower the batch size.
- NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver: reinstall it.
- If you see `CUDA error: no kernel image is available for execution on the device`, update torch.

## License

MIT
"""

SOURCE = '''import re
import torch


class Watcher:
    """Watches for CUDA failures."""

    PATTERNS = (
        "CUDA out of memory",
        "device-side assert triggered",
        "No CUDA GPUs are available",
    )

    def check(self, line):
        if "no kernel image is available for execution on the device" in line:
            raise RuntimeError("CUDA error: no kernel image is available")
        for pattern in self.PATTERNS:
            if pattern in line:
                return True
        return False


def test_watcher():
    assert Watcher().check("Found no NVIDIA driver on your system")
'''

CXX = """#include <torch/extension.h>
#include <vector>

static const char* kMessages[] = {
  "CUDA error: an illegal memory access was encountered",
  "Driver/library version mismatch",
};

void check(cudaError_t code) {
  if (code == cudaErrorNoKernelImageForDevice) {
    TORCH_CHECK(false, "no kernel image is available for execution on the device");
  }
  TORCH_CHECK(device >= 0 && device < num_gpus, "invalid device ordinal");
}
"""

TEXTS = {
    "a sound collect_env report": HEALTHY_REPORT,
    "a sound report of Windows": HEALTHY_WINDOWS_REPORT,
    "a sound list of GPUs with MIG": HEALTHY_LIST,
    "a sound table of values": HEALTHY_CSV,
    **{f"a person says: {words}": words for words in SOUND_WORDS},
    "a sound report of a Mac": HEALTHY_CPU_REPORT,
    "a sound nvidia-smi": HEALTHY_SMI,
    "the log of a training run": TRAINING_LOG,
    "a traceback of Java": JAVA,
    "a traceback of Node.js": NODE,
    "a traceback of Go": GO,
    "a traceback of Python that is not about GPUs": PYTHON,
    "a README": README,
    "Python source with the messages": SOURCE,
    "C++ source with the messages": CXX,
    "nothing": "",
    "one blank line": "\n",
    "words": "The quick brown fox jumps over the lazy dog. " * 20,
    "numbers": "\n".join(str(number) for number in range(5000)),
}


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_is_found_in(name):
    report = of_string(TEXTS[name])
    assert [finding.name for finding in report.findings] == []
    assert report.exit_code == 0


def test_a_sound_report_is_called_sound():
    report = of_string(HEALTHY_REPORT)
    assert report.verdict == "healthy"
    assert report.notes == ("Nothing in the text is wrong.",)
    assert report.prescription is not None
    assert report.prescription.status == "not-needed"


def test_a_text_that_says_too_little_is_not_called_sound():
    report = of_string("hello")
    assert report.verdict == "unknown"
    assert "does not say enough" in report.notes[0]


def test_gpudoctors_own_sources_and_pages_give_nothing():
    root = os.path.join(os.path.dirname(__file__), "..", "..", "..")
    texts = sorted(
        glob.glob(os.path.join(root, "src", "gpudoctor", "triage", "**", "*.py"), recursive=True)
    )
    for path in texts:
        with open(path, encoding="utf-8") as file:
            found = of_string(file.read()).findings
        assert [finding.name for finding in found] == [], path


@pytest.mark.parametrize(
    "text",
    [
        "The current torch install supports CUDA capabilities sm_50 sm_60",
        "UserWarning: this is fine",
        "Is CUDA available: False",
        "loss label target classes embedding index",
        "GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-00000000-0000-0000-0000-000000000000)",
        "Successfully installed torch-2.9.1 torchvision-0.24.1",
        "RTX 3090, Ubuntu 22.04, driver 550.54, torch 2.6.0+cu124",
    ],
)
def test_a_few_words_are_no_complaint(text):
    assert of_string(text).findings == ()

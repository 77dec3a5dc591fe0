# ruff: noqa: E501 - messages stand as their programs print them
"""Messages taken from the lines of source that print them name their cause; look-alikes give nothing."""

from __future__ import annotations

import pytest

from gpudoctor.triage.report_on_text import of_string

MESSAGES = [
    # NVIDIA's kernel modules
    (
        "gpu-memory-window-missing",
        "NVRM: This PCI I/O region assigned to your NVIDIA device is invalid:\nNVRM: BAR1 is 0M @ 0x0 (PCI:0000:3b:00.0)",
    ),
    (
        "gpu-memory-window-missing",
        "pci 0000:3b:00.0: BAR 1: no space for [mem size 0x1000000000 64bit pref]\nNVRM: The NVIDIA probe routine failed for 1 device(s).",
    ),
    (
        "gpu-memory-window-missing",
        "My Tesla P40 shows in Device Manager: This device cannot find enough free resources that it can use. (Code 12)",
    ),
    ("gsp-firmware-timeout", "NVRM: GPU 0000:01:00.0: Cannot initialize GSP firmware RM"),
    (
        "gpu-fell-off-bus",
        "NVRM: GPU 0000:01:00.0: GPU does not have the necessary power cables connected.",
    ),
    ("no-gpu-found", "NVRM: No NVIDIA GPU found."),
    ("ecc-uncorrectable", "NVRM: Xid (PCI:0000:3b:00): 171, Uncorrectable DRAM error"),
    (
        "kernel-module-missing-after-kernel-update",
        "/var/lib/dkms/nvidia/470.57.02/build/nvidia-drm/nvidia-drm-drv.c:120:5: error: unknown type name 'foo'",
    ),
    (
        "kernel-module-missing-after-kernel-update",
        "==> Warning, `dkms install --no-depmod -m nvidia -v 550.40.07 -k 6.9.1-arch1-1' returned 10",
    ),
    (
        "driver-not-loaded",
        "slurmd: fatal: can't stat gres.conf file /dev/nvidia0: No such file or directory",
    ),
    (
        "cuda-unknown-999-uvm-after-suspend",
        "NVRM: GPU 0000:01:00.0: PreserveVideoMemoryAllocations module parameter is set. System Power Management attempted without driver procfs suspend interface.",
    ),
    ("kernel-module-missing-after-kernel-update", "==> ERROR: module not found: 'nvidia_uvm'"),
    (
        "nvml-driver-library-mismatch",
        "nvidia-modeset: Version mismatch: nvidia.ko(550.90) nvidia-modeset.ko(550.78)",
    ),
    (
        "driver-not-loaded",
        "(EE) NVIDIA: Failed to initialize the NVIDIA kernel module. Please see the system's kernel log",
    ),
    (
        "kernel-module-missing-after-kernel-update",
        "dpkg: error processing package nvidia-dkms-550 (--configure):\n installed nvidia-dkms-550 package post-installation script subprocess returned error exit status 10",
    ),
    (
        "driver-not-loaded",
        "The following packages have unmet dependencies:\n nvidia-driver-550 : Depends: libnvidia-gl-550 (= 550.90) but it is not going to be installed",
    ),
    # installers and services
    (
        "no-space-for-installation",
        "Collecting nvidia-cudnn-cu12\nERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
    ),
    (
        "no-space-for-installation",
        "error: Failed to download `torch==2.9.1`\n  Caused by: failed to write to file\n  Caused by: No space left on device (os error 28)",
    ),
    ("no-space-for-installation", "NoSpaceLeftError: No space left on devices."),
    (
        "download-damaged",
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n    torch==2.9.1 from https://files.pythonhosted.org/x.whl",
    ),
    (
        "download-damaged",
        "pip._vendor.urllib3.exceptions.ProtocolError: ('Connection broken: IncompleteRead(70 bytes read, 5 more expected)')",
    ),
    (
        "no-gpu-assigned",
        "Cannot connect to GPU backend. You cannot currently connect to a GPU due to usage limits in Colab.",
    ),
    (
        "no-gpu-assigned",
        "Warning  FailedScheduling  0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
    ),
    ("no-gpu-assigned", "sbatch: error: Invalid generic resource (gres) specification"),
    (
        "no-gpu-assigned",
        'My notebook says:\n"Unable to connect to GPU backend. You cannot currently connect due to usage limits."',
    ),
    # containers
    (
        "container-toolkit-missing",
        "Error: setting up CDI devices: unresolvable CDI devices nvidia.com/gpu=all",
    ),
    ("container-toolkit-missing", "unknown flag: --gpus\nSee 'docker run --help'."),
    (
        "container-toolkit-missing",
        "nvidia-container-cli: mount error: failed to add device rules: unable to find any existing device filters attached to the cgroup: bpf_prog_query(BPF_CGROUP_DEVICE) failed: operation not permitted: unknown",
    ),
    (
        "container-toolkit-missing",
        "E1112 main.go:123] Incompatible platform detected\nE1112 If this is a GPU node, did you configure the NVIDIA Container Toolkit?",
    ),
    (
        "container-host-driver-missing",
        "nvidia-container-cli: initialization error: driver rpc error: timed out: unknown",
    ),
    # programs
    (
        "program-parts-mismatch",
        "RuntimeError: jaxlib version 0.4.9 is newer than and incompatible with jax version 0.4.8. Please update your jax and/or jaxlib packages.",
    ),
    (
        "program-parts-mismatch",
        "  CuPy may not function correctly because multiple CuPy packages are installed\n  in your environment:\n    cupy-cuda11x, cupy-cuda12x",
    ),
    (
        "cuda-wheel-library-missing",
        "RuntimeError: CuPy failed to load libcufft.so.11: OSError: libcufft.so.11: cannot open shared object file",
    ),
    (
        "cuda-wheel-library-missing",
        "RuntimeError: Library cublas64_12.dll is not found or cannot be loaded",
    ),
    (
        "cuda-wheel-library-missing",
        "[ONNXRuntimeError] : 1 : FAIL : Failed to load library libonnxruntime_providers_cuda.so with error: libcufft.so.10: cannot open shared object file: No such file or directory",
    ),
    (
        "nvcc-missing-cuda-home-unset",
        "numba.cuda.cudadrv.error.NvvmSupportError: libNVVM cannot be found. Do `conda install cudatoolkit`:\nlibrary nvvm not found",
    ),
    (
        "cudnn-sublibrary-not-found",
        "RuntimeError: (PreconditionNotMet) Cannot load cudnn shared library. Cannot invoke method cudnnGetVersion.",
    ),
    (
        "extension-lacks-arch",
        "ValueError: Mismatched GPU Architecture: The installed PaddlePaddle package was compiled for 61 70 75 80 86, but your current GPU is 120.",
    ),
    (
        "extension-lacks-arch",
        "error: (-216:No CUDA support) OpenCV was not built to work with the selected device. Please check CUDA_ARCH_PTX or CUDA_ARCH_BIN in your build configuration.",
    ),
    (
        "cuda-unknown-999-uvm-after-suspend",
        "ggml_cuda_init: failed to initialize CUDA: unknown error\nwarning: not compiled with GPU offload support, --gpu-layers option will be ignored",
    ),
    (
        "rocm-blas-lacks-gfx",
        "rocblaslt error: Cannot read /usr/lib/ollama/rocm/hipblaslt/library/TensileLibrary_lazy_gfx1151.dat: No such file or directory",
    ),
    (
        "nvcc-missing-cuda-home-unset",
        "CMake Error at CMakeDetermineCompilerId.cmake:529 (message):\n  No CUDA toolset found.",
    ),
    (
        "driver-too-old",
        "Warning: The NVIDIA driver on this system only supports up to CUDA 11.0.0.",
    ),
    ("driver-not-loaded", "nvidia driver modules are not yet loaded, invoking runc directly"),
    # the words of cudaGetErrorString in any program
    ("cuda-unknown-999-uvm-after-suspend", "RuntimeError: CUDA failed with error unknown error"),
    ("no-kernel-image", "GPUassert: invalid device function kernel.cu 33"),
    ("illegal-memory-access", "RuntimeError: CUDA failed with error misaligned address"),
    ("cuda-error-unclassified", "CUDA error at main.cu:12: mapping of buffer object failed"),
    ("cuda-error-unclassified", "HIP error: shared object initialization failed"),
    ("amd-gpu-unsupported", "kfd kfd: amdgpu: skipped device 1002:67df, PCI rejects atomics 730<0"),
    ("amd-driver-not-bound", "ROCk module is NOT loaded, possibly no GPU devices"),
    (
        "intel-user-driver-missing",
        "<LOADER>[INFO]: failed to load adapter 'libur_adapter_level_zero.so.0' with error: libze_loader.so.1: cannot open shared object file",
    ),
]

HARMLESS = [
    "nvidia: loading out-of-tree module taints kernel.\nnvidia: module verification failed: signature and/or required key missing - tainting kernel\nNVRM: loading NVIDIA UNIX x86_64 Kernel Module  550.54.14",
    "pci 0000:00:1f.5: BAR 0: assigned [mem 0xfe010000-0xfe010fff]\npci 0000:02:00.0: BAR 7: no space for [io size 0x1000]",
    "rsync: write failed: No space left on device (28)",
    "checkpoint.py: OSError: [Errno 28] No space left on device: '/data/epoch_3.bin'",
    "CuPy 13.4.1, CUDA Root /usr/local/cuda, cuBLAS Version (available), NVRTC Version (12, 4)",
    "Looking in indexes: https://pypi.org/simple\nSuccessfully installed cupy-cuda12x-13.4.1 jax-0.6.1 jaxlib-0.6.1",
    "In Colab you can change the runtime type to GPU.",
    "sinfo: PARTITION gpu up 4 idle; srun --gres=gpu:1 nvidia-smi\nTesla V100, 510.47.03",
    "[opencl:cpu][opencl:0] Intel(R) OpenCL\n[level_zero:gpu][level_zero:0] Intel(R) oneAPI Unified Runtime over Level-Zero, Intel(R) Arc(TM) A770",
    "We support cublas64_12.dll and libnvrtc.so.12 from the wheels; see the table.",
    "Downloading torch-2.9.1.whl (900 MB)\nInstalling collected packages: torch\nSuccessfully installed torch-2.9.1",
]


MANUAL = """Rings
=====

.. _rings:

.. note::
   A kernel that waits for itself hangs: an illegal memory access or a deadlock in ncclSend follows.

Errors
------

.. code-block:: text

   RuntimeError: CUDA error: out of memory

See :func:`ring.send` and :ref:`rings`.
"""

EXAMPLE = """<!--
Copyright: nobody. Licence: none.
-->

# Ring pattern

## Overview
All ranks enter; wrapping them in a group prevents a deadlock of NCCL.

## Run
    python ring.py

## Code walk-through
Each rank sends to the next one.

## Expected output
    RuntimeError: CUDA error: out of memory

## Next steps
Use more ranks.
"""


@pytest.mark.parametrize("text", [MANUAL, EXAMPLE], ids=["a manual", "the page of an example"])
def test_a_page_in_which_nobody_speaks_gives_nothing(text):
    assert of_string(text).findings == ()


@pytest.mark.parametrize(("cause", "text"), MESSAGES)
def test_the_message_names_its_cause(cause, text):
    names = [finding.name for finding in of_string(text).findings]
    assert names[:1] == [cause], names


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_it_gives_nothing(text):
    found = [item.name for item in of_string(text).findings if item.severity.value != "info"]
    assert found == []

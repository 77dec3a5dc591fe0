# ruff: noqa: E501 - messages stand as their programs print them
"""What programs demand of a GPU, and errors of a known family, in sentences that no table lists."""

from __future__ import annotations

import pytest

from gpudoctor.triage.report_on_text import of_string


def _names(text):
    return [finding.name for finding in of_string(text).findings]


def _raised(message):
    """A traceback that ends with the message, as a library raises it."""
    return (
        "Traceback (most recent call last):\n"
        '  File "train.py", line 12, in <module>\n    main()\n'
        '  File "/env/lib/python3.11/site-packages/lib/check.py", line 120, in check\n'
        f"{message}\n"
    )


DEMANDS = [
    ("package-needs-newer-gpu", "RuntimeError: This backend requires SM90+ and a matching build."),
    ("package-needs-newer-gpu", "ValueError: int4 kernels need a Turing or newer NVIDIA GPU."),
    ("package-needs-newer-gpu", "AssertionError: fast mode only works on sm_80 or newer"),
    ("package-needs-newer-gpu", "NotImplementedError: Your GPU is too old for this engine"),
    ("package-needs-newer-gpu", "ValueError: method awq is not supported for the current GPU"),
    ("extension-lacks-arch", "ValueError: The 'fa3' backend is not supported on Blackwell GPUs"),
    (
        "fp8-unsupported-gpu",
        "AssertionError: Float8 training requires CUDA compute capability 8.9 or MI300+",
    ),
    (
        "fp8-unsupported-gpu",
        "RuntimeError: MXFP8 dense linear requires Blackwell GPUs (SM100/SM120).",
    ),
    (
        "bf16-unsupported-gpu",
        "RuntimeError: bfloat16 autocast requires CUDA with native bfloat16 support",
    ),
    (
        "flash-attn-unsupported-gpu",
        "NotImplementedError: packing needs flash attention (only supported with compute capability >= 8.0)",
    ),
    ("cpu-only-torch", "RuntimeError: No GPU found. A GPU is needed for quantization."),
    (
        "cpu-only-torch",
        "ValueError: FSDP needs a non-CPU accelerator device, but no accelerator device is detected.",
    ),
    (
        "cpu-only-torch",
        "RuntimeError: NVTX functions not installed. Are you sure you have a CUDA build?",
    ),
    ("no-cuda-on-mac", "RuntimeError: GPU is required to run this model.\nmacOS 14.5, Apple M2"),
    (
        "amd-gpu-needs-rocm-torch",
        "RuntimeError: Found no NVIDIA driver on your system.\nMy card is an AMD Radeon RX 6750 XT on Ubuntu.",
    ),
    ("driver-too-old", "ImportError: common_ops.so: undefined symbol: cuGreenCtxDestroy"),
    (
        "nvcc-missing-cuda-home-unset",
        "RuntimeError: FlashInfer failed to JIT-compile: nvcc (CUDA compiler) not found",
    ),
    (
        "triton-torch-version-mismatch",
        "RuntimeError: Installed triton version too old, please upgrade",
    ),
    (
        "cpu-only-torch",
        "RuntimeError: Method 'x' not available in CPU-only version of bitsandbytes.",
    ),
    ("program-without-gpu-support", "ImportError: cannot import 'autogptq_cuda_64'"),
    (
        "oom-model-too-large",
        'RuntimeError: NVML_SUCCESS == r INTERNAL ASSERT FAILED at "c10/cuda/CUDACachingAllocator.cpp":830',
    ),
    ("torch-lacks-arch-new-gpu", "RuntimeError: sm_120 is not compatible with the current PyTorch"),
    (
        "fabric-manager-not-running",
        "transport/nvls.cc:223 NCCL WARN Cuda failure 999 'unknown error'",
    ),
    (
        "build-isolation-hides-torch",
        "Getting requirements to build wheel ... error\nModuleNotFoundError: No module named 'torch'",
    ),
    (
        "build-isolation-hides-torch",
        "pip install flash-attn fails though torch 2.6.0 is installed:\nNo module named 'torch'",
    ),
    (
        "nccl-network-failed",
        "misc/socket.cc:484 NCCL WARN socketStartConnect: Connect to 172.17.0.1<41013> failed : Connection refused",
    ),
    (
        "nccl-network-failed",
        "DistNetworkError: The client socket of TCPStore has timed out after 600s while trying to connect to (10.0.0.4, 29500).",
    ),
    (
        "nvcc-torch-cuda-mismatch",
        "RuntimeError: This attention is only supported on CUDA 11.7 and above.",
    ),
    (
        "cuda-visible-devices-wrong-index",
        "ValueError: No slot '6' specified on host 'localhost'",
    ),
    ("rocm-blas-lacks-gfx", "RuntimeError: HIPBLAS_STATUS_NOT_SUPPORTED on gfx1101"),
    (
        "more-processes-than-gpus",
        "ValueError: The number of required GPUs exceeds the total number of available GPUs",
    ),
    ("oom-model-too-large", "RuntimeError: MPS backend out of memory (MPS allocated: 17.2 GB)"),
    (
        "container-started-without-gpu",
        "docker: Error response from daemon: invoking the NVIDIA Container Runtime Hook directly is not supported.",
    ),
    (
        "nvcc-missing-cuda-home-unset",
        "AssertionError: CUDA_HOME does not exist, unable to compile the operators",
    ),
    (
        "amd-gpu-needs-rocm-torch",
        "RuntimeError: Found no NVIDIA driver on your system.\nI want ROCm (AMD) here.",
    ),
]


@pytest.mark.parametrize(("cause", "message"), DEMANDS)
def test_a_demand_of_a_library_names_its_cause(cause, message):
    assert _names(_raised(message))[:1] == [cause]


FAMILIES = [
    (
        "nccl-failed",
        "node1:12:34 [0] init.cc:1900 NCCL WARN Failed to frobnicate the ring\nRuntimeError: worker died",
    ),
    ("extension-build-failed", "I build it from source:\nninja: build stopped: subcommand failed."),
    (
        "extension-build-failed",
        "error: command '/usr/local/cuda/bin/nvcc' failed with exit code 2, building the CUDA part",
    ),
    (
        "rocm-torch-lacks-gfx",
        "RuntimeError: HSA_STATUS_ERROR_SOMETHING_NEW while loading on my RX 7600",
    ),
    ("cuda-error-unclassified", "RuntimeError: CUDA error: a state that nobody has seen before"),
    ("handle-create-failed-really-oom", "RuntimeError: cuBLAS initialization failed in example 24"),
    (
        "oom-model-too-large",
        "RuntimeError: the device ran out of memory while loading the model onto the GPU",
    ),
    (
        "torch-import-crash",
        "import torch; torch.ones(1).cuda() ends with Segmentation fault (core dumped)",
    ),
    (
        "undeclared-library-missing",
        "ImportError: libnvinfer.so.10: cannot open shared object file: No such file or directory",
    ),
    (
        "torch-lacks-arch-new-gpu",
        "I cannot generate images: it fails on my new RTX 5070 in the web UI",
    ),
    ("extension-build-failed", "RuntimeError: Error building extension 'fused_adam'"),
    (
        "host-memory-exhausted",
        "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: exitcode: -9",
    ),
    (
        "host-memory-exhausted",
        "RuntimeError: DefaultCPUAllocator: can't allocate memory: torch tried 8 GB",
    ),
    (
        "extension-build-failed",
        '3 errors detected in the compilation of "csrc/ray_marching.cu".',
    ),
    (
        "amd-gpu-needs-rocm-torch",
        "My RX 580 stays at 0 % while it paints, and the CPU does the work",
    ),
]


@pytest.mark.parametrize(("cause", "message"), FAMILIES)
def test_an_error_of_a_known_family_is_never_met_with_silence(cause, message):
    assert _names(message)[:1] == [cause]


def test_what_a_family_says_is_called_likely_and_has_a_look():
    report = of_string(FAMILIES[0][1])
    assert report.findings[0].next_look


# One GPU computes right, two do not: what is sent between them arrives changed.
COPIES = [
    'Output is nonsense with device_map="auto" over two RTX A6000, and fine on one GPU.',
    "I see that tensors copied from cuda:0 to cuda:1 become zeros.",
    "Torch says that there is peer access, but copies between the two GPUs return garbage.",
]


@pytest.mark.parametrize("text", COPIES)
def test_copies_that_arrive_changed_are_told(text):
    assert _names(text)[:1] == ["nccl-p2p-iommu-acs-hang"]


# What says something of a GPU, a memory or a build, and complains of nothing that this program knows.
TEMPTING = [
    "WARNING: Flash Attention is disabled as it requires a GPU with Ampere (8.0) CUDA capability.",
    "INFO NCCL INFO NET/Socket : Using [0]eth0:10.0.0.3<0>\nNCCL INFO Connected all rings\nTraining finished.",
    "NCCL WARN NET/OFI Failed to initialize the plugin\nepoch 1 done, loss 2.1",
    "Vulkan needs a GPU of the last ten years; mine works.",
    "ValueError: MXFP8 requires weight_block_size=[1, 32].",
    "ValueError: the fp8 backend quantizes per tensor and does not support groups",
    "AssertionError: Only support per-tensor scaling factor for fp8 KV cache",
    "ValueError: This module requires CUDA tensors of rank 2",
    "java.lang.OutOfMemoryError: Java heap space",
    "My Go program ended with a segmentation fault in cgo.",
    "ERROR: Failed building wheel for lxml",
    "Which is better for games, an RTX 5070 or an RX 9070?",
    "FileNotFoundError: config.json on my RTX 5090 machine, I cannot load the model",
    "ConnectionError: HTTPSConnectionPool(host='huggingface.co', port=443): Connection refused",
    "psycopg2.OperationalError: could not connect to server: Connection refused",
    "ERROR: Could not build wheels for psycopg2, which is required to install pyproject.toml-based projects",
    "I unset DEBUG and the site works.",
    "GPTQ does not support bfloat16\n\nOur GPTQ kernels run in float16 precision alone. It would help to have both.",
    "The int8 kernels do not support bf16 yet; a pull request is welcome.",
    "My web server was killed with signal 9 by systemd.",
    "Job 12 finished, exit code 137 is what we send on cancel; torch run 3 is next",
    "My RTX 3060 stays at 0 % in the menu of the game and the CPU at 5 %.",
]


@pytest.mark.parametrize("text", TEMPTING)
def test_a_family_is_not_seen_where_there_is_none(text):
    assert _names(text) == []

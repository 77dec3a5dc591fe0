"""For each rule about the Python environment: machines that only look as if it should fire."""

from __future__ import annotations

import dataclasses

from gpudoctor.collect.reason import Reason
from gpudoctor.model.fact import Unknown
from gpudoctor.model.sheet import FactSheet
from unit.rules.fires_machine import FIRES as MACHINE
from unit.rules.make import (
    ARM130,
    CU124,
    CU130,
    amd,
    driver,
    gpu,
    group,
    jetson,
    library,
    linux,
    machine,
    module,
    on_path,
    package,
    requirement,
    torch,
    windows,
)
from unit.rules.parts import (
    A100,
    CPU,
    GT_710,
    GTX_1080,
    ORIN,
    PASCAL,
    PATH,
    PYTHON,
    RTX_5090,
    T4,
    V100,
    env,
)

TEMPTS: list[tuple[str, str, FactSheet]] = [
    (
        "torch-library-damaged",
        "there was no time to read it",
        machine(
            unknown={"libraries[torch/lib/libtorch_cuda.so]": Reason("late", "the time was over")}
        ),
    ),
    (
        "torch-library-damaged",
        "the damaged file belongs to another package",
        machine(unknown={"libraries[other/_C.so]": Reason("damaged", "it ends too early")}),
    ),
    (
        "environment-unreadable",
        "a fact sheet that says nothing of torch",
        machine(unknown={"torch": Reason("not-stated", "the fact sheet does not mention it")}),
    ),
    ("torch-missing", "a torch that is merely for the CPU", machine(torch=CPU)),
    ("torch-metadata-missing", "nobody said whether there is a record", machine(torch=torch())),
    (
        "python-unsupported",
        "Python 3.6 with a torch that runs on it",
        machine(
            torch=torch("1.10.2+cu113", "11.3"),
            python=dataclasses.replace(PYTHON, version="3.6.9", tag="cp36"),
        ),
    ),
    (
        "wrong-torch-copy-imported",
        "PyPI's metadata leaves the label out",
        machine(torch=torch("2.9.1+cu128", distribution_version="2.9.1")),
    ),
    (
        "user-site-leak",
        "a system Python uses its user site by design",
        machine(
            torch=torch(path="/home/x/.local/lib/python3.12/site-packages/torch"),
            python=dataclasses.replace(
                PYTHON,
                environment="system",
                user_site="/home/x/.local/lib/python3.12/site-packages",
            ),
        ),
    ),
    ("unfinished-fix", "no journal", machine()),
    (
        "fix-journal-damaged",
        "the journals were not looked at",
        FactSheet(machine().facts, (Unknown("unfinished_fix", "late", "journals", "late"),)),
    ),
    ("cpu-only-torch", "no GPU: the build for the CPU is right", MACHINE["no-gpu-found"]),
    (
        "cpu-only-torch",
        "the only GPU is older than every build",
        machine(gpus=(dataclasses.replace(GT_710, index=0),), torch=CPU),
    ),
    (
        "cpu-only-torch",
        "a ROCm build serves the AMD card beside it",
        machine(
            gpus=(GT_710, amd("AMD Radeon RX 7900 XTX", "gfx1100")),
            torch=torch("2.9.1+rocm6.4", None, hip="6.4"),
        ),
    ),
    (
        "torch-lacks-arch-new-gpu",
        "an RTX 4090 runs sm_86 code",
        machine(torch=torch("2.4.0+cu121", "12.1", sass=CU124)),
    ),
    (
        "torch-lacks-arch-new-gpu",
        "a GB10 runs sm_120 code",
        machine(
            host=linux(arch="aarch64"),
            gpus=(gpu("NVIDIA GB10", "12.1"),),
            driver=driver("580.95.05", "13.0"),
            kernel_module=module("580.95.05"),
            torch=torch("2.9.1+cu130", "13.0", sass=ARM130),
        ),
    ),
    (
        "torch-lacks-arch-new-gpu",
        "a B300 runs sm_100 code",
        machine(
            gpus=(gpu("NVIDIA B300 SXM6 AC", "10.3"),),
            driver=driver("580.95.05", "13.0"),
            kernel_module=module("580.95.05"),
        ),
    ),
    (
        "torch-lacks-arch-new-gpu",
        "the newer GPU is masked",
        env(
            {"CUDA_VISIBLE_DEVICES": "0"},
            torch=torch("2.6.0+cu124", "12.4", sass=CU124),
            gpus=(gpu(), dataclasses.replace(RTX_5090, index=1, visible=False)),
        ),
    ),
    ("torch-dropped-arch-old-gpu", "a GTX 1080 runs sm_60 code", machine(**PASCAL)),
    (
        "torch-dropped-arch-old-gpu",
        "a T4 is served natively, and by sm_70",
        machine(gpus=(T4,), torch=torch(sass=("sm_70",))),
    ),
    (
        "jetson-needs-own-wheel",
        "NVIDIA's wheel carries sm_87",
        machine(
            host=jetson(),
            gpus=(ORIN,),
            kernel_module=None,
            driver=driver("540.4.0", "12.6"),
            torch=torch("2.5.0a0+872d972e41.nv24.08", "12.6", sass=("sm_87",)),
        ),
    ),
    (
        "jetson-needs-own-wheel",
        "Thor has sm_110 in the cu130 wheel for ARM",
        machine(
            host=jetson(l4t="38.4.0"),
            gpus=(gpu("NVIDIA Thor", "11.0"),),
            kernel_module=None,
            driver=driver("580.00", "13.0"),
            torch=torch("2.9.1+cu130", "13.0", sass=ARM130),
        ),
    ),
    (
        "ptx-unsupported-toolchain",
        "machine code needs no compiling",
        machine(
            gpus=(A100,),
            driver=driver("535.183.01", "12.2"),
            kernel_module=module("535.183.01"),
            torch=torch(ptx=("compute_120",)),
        ),
    ),
    (
        "runs-through-jit",
        "PTX beside machine code that fits",
        machine(torch=torch(ptx=("compute_80",))),
    ),
    (
        "mixed-gpus-no-common-wheel",
        "an A100 and a T4 have builds in common",
        machine(gpus=(A100, dataclasses.replace(T4, index=1))),
    ),
    (
        "mixed-gpus-no-common-wheel",
        "a GT 710 beside an A100 only drives a screen",
        machine(gpus=(A100, GT_710)),
    ),
    (
        "cudnn-dropped-gpu",
        "9.10.2 is the last that serves Pascal",
        machine(**PASCAL, packages=(package("nvidia-cudnn-cu12", "9.10.2.21"),)),
    ),
    (
        "partial-kernel-coverage",
        "cuSPARSELt inside torch begins at sm_80, and says so itself",
        machine(
            gpus=(T4,),
            torch=torch(sass=CU130),
            libraries=(
                library("torch/lib/libtorch_cuda.so", "torch", group(*CU130, count=400)),
                library("torch/lib/libcusparseLt-f80c68d1.so.0", "torch", group("sm_80", "sm_90")),
            ),
        ),
    ),
    (
        "partial-kernel-coverage",
        "flash attention begins at sm_80 on purpose",
        machine(
            gpus=(T4,),
            torch=torch(sass=CU130),
            libraries=(
                library(
                    "torch/lib/libtorch_cuda.so",
                    "torch",
                    group(*CU130, count=400),
                    group("sm_80", "sm_90", count=60),
                    group("sm_90a", count=4),
                ),
            ),
        ),
    ),
    (
        "extension-lacks-arch",
        "hopper kernels lie in a library of their own",
        machine(
            packages=(package("vllm", "0.11.0", "torch==2.9.1"),),
            libraries=(
                library("vllm/_C.abi3.so", "vllm", group("sm_80", "sm_86", "sm_90")),
                library("vllm/_flashmla_C.abi3.so", "vllm", group("sm_90a")),
            ),
        ),
    ),
    (
        "extension-lacks-arch",
        "torchao only adds kernels for Hopper and Blackwell",
        machine(
            packages=(package("torchao", "0.18.0", "torch"),),
            libraries=(
                library("torchao/_C_cutlass_90a.so", "torchao", group("sm_90a", count=6)),
                library("torchao/_C_mxfp8.so", "torchao", group("sm_100", "sm_103", count=3)),
            ),
        ),
    ),
    (
        "extension-lacks-arch",
        "sm_86 code of an extension runs on a 4090",
        machine(
            packages=(package("apex", "0.1", "torch"),),
            libraries=(library("apex_C.so", "apex", group("sm_80", "sm_86")),),
        ),
    ),
    (
        "torchvision-torchaudio-version-mismatch",
        "the pair of torch 2.9.1",
        machine(
            packages=(
                package("torchvision", "0.24.1+cu128", "torch==2.9.1"),
                package("torchaudio", "2.9.1+cu128", "torch==2.9.1"),
            )
        ),
    ),
    (
        "torchvision-torchaudio-version-mismatch",
        "a range is a range: made for every torch from 2.14 on",
        machine(
            torch=torch("2.15.0+cu132", "13.2", sass=CU130),
            packages=(package("torchvision", "0.29.1+cu132", "torch>=2.14.0"),),
        ),
    ),
    (
        "torchvision-torchaudio-version-mismatch",
        "what the installed metadata demand goes before the table",
        machine(
            torch=torch("2.14.1+cu130", "13.0", sass=CU130),
            packages=(package("torchvision", "0.29.0+cu130", "numpy", "torch>=2.14.0"),),
        ),
    ),
    (
        "torchvision-torchaudio-version-mismatch",
        "the table knows the range as well, where the metadata are silent",
        machine(
            torch=torch("2.15.0+cu132", "13.2", sass=CU130),
            packages=(package("torchvision", "0.29.2+cu132"),),
        ),
    ),
    (
        "flash-attn-unsupported-gpu",
        "an A100 is what it was written for",
        machine(gpus=(A100,), packages=(package("flash-attn", "2.8.3", "torch"),)),
    ),
    (
        "flash-attn-unsupported-gpu",
        "FlashAttention 1 serves Turing",
        machine(gpus=(T4,), torch=torch(sass=CU130), packages=(package("flash-attn", "1.0.9"),)),
    ),
    (
        "package-needs-newer-gpu",
        "an older release serves this GPU",
        machine(gpus=(V100,), torch=torch(sass=CU124), packages=(package("vllm", "0.14.0"),)),
    ),
    (
        "package-needs-newer-gpu",
        "the other GPU is new enough",
        machine(gpus=(V100, A100), torch=torch(sass=CU124), packages=(package("vllm", "0.21.0"),)),
    ),
    (
        "package-needs-newer-gpu",
        "of Triton, only torch.compile asks for a newer GPU",
        machine(gpus=(GTX_1080,), torch=torch(sass=CU124), packages=(package("triton", "3.5.1"),)),
    ),
    (
        "gpu-newer-than-knowledge",
        "not in the tables, and yet the code of its major version runs there",
        machine(gpus=(gpu("NVIDIA RTX 5999", "12.5"),), torch=torch(sass=CU130)),
    ),
    (
        "gpu-newer-than-knowledge",
        "the build itself has machine code for it",
        machine(
            gpus=(gpu("NVIDIA GeForce RTX 6090", "13.0"),),
            torch=torch("2.17.0.dev20270101+cu140", "14.0", sass=(*CU130, "sm_130")),
        ),
    ),
    (
        "torchvision-torchaudio-version-mismatch",
        "PyPI's files carry no label",
        machine(packages=(package("torchvision", "0.24.1", "torch==2.9.1"),)),
    ),
    (
        "cuda-library-pin-mismatch",
        "the version that is required",
        machine(
            torch=torch(requires=(requirement("nvidia-cudnn-cu12", "==9.10.2.21", "9.10.2.21"),))
        ),
    ),
    (
        "cuda-wheel-library-missing",
        "the system's copy is on the loader's path",
        machine(
            torch=torch(requires=(requirement("nvidia-cudnn-cu12", "==9.10.2.21", None),)),
            loader=(on_path("cudnn", "/usr/lib/libcudnn.so.9", "9.10.2", "ld.so.conf"),),
        ),
    ),
    (
        "nvidia-wheels-two-cuda-majors",
        "file names of cuBLAS carry the major",
        machine(
            packages=(
                package("nvidia-cublas-cu12", "12.8.4.1"),
                package("nvidia-cublas", "13.0.0.19"),
            )
        ),
    ),
    (
        "nvjitlink-older-on-library-path",
        "what ld.so.conf lists comes after torch's own",
        machine(
            packages=(package("nvidia-nvjitlink-cu12", "12.8.93"),),
            loader=(on_path("nvjitlink", f"{PATH}/libnvJitLink.so.12", "12.2.140", "ld.so.conf"),),
        ),
    ),
    (
        "nvjitlink-older-on-library-path",
        "a newer one has all the symbols",
        machine(
            packages=(package("nvidia-nvjitlink-cu12", "12.8.93"),),
            loader=(on_path("nvjitlink", f"{PATH}/libnvJitLink.so.12", "12.9.86"),),
        ),
    ),
    (
        "cudnn-version-incompatible",
        "another major has another file name",
        machine(
            packages=(package("nvidia-cudnn-cu12", "9.10.2.21"),),
            loader=(on_path("cudnn", "/opt/libcudnn.so.8", "8.9.7"),),
        ),
    ),
    (
        "cublas-mixed-with-system-cuda",
        "the file's name tells only the major",
        machine(
            packages=(package("nvidia-cublas-cu12", "12.8.4.1"),),
            loader=(on_path("cublas", f"{PATH}/libcublas.so.12", "12"),),
        ),
    ),
    (
        "nccl-older-copy-loaded",
        "the folder is that of the wheel itself",
        machine(
            packages=(package("nvidia-nccl-cu12", "2.27.5"),),
            loader=(
                on_path(
                    "nccl",
                    "/env/lib/python3.12/site-packages/nvidia/nccl/lib/libnccl.so.2",
                    "2.18.1",
                ),
            ),
        ),
    ),
    (
        "cupti-older-on-library-path",
        "torch brings none",
        machine(loader=(on_path("cupti", f"{PATH}/libcupti.so.12", "12.2.142"),)),
    ),
    (
        "extension-torch-abi-mismatch",
        "built for this torch",
        machine(packages=(package("flash-attn", "2.8.3", build="cu12torch2.9cxx11abiTRUE"),)),
    ),
    (
        "extension-torch-abi-mismatch",
        "a package without compiled code may pin what it likes",
        machine(packages=(package("some-trainer", "1.0", "torch==2.6.0"),)),
    ),
    (
        "extension-cxx11abi-flag-mismatch",
        "the same ABI",
        machine(packages=(package("flash-attn", "2.8.3", build="cu12torch2.9cxx11abiTRUE"),)),
    ),
    (
        "extension-other-cuda-major",
        "cupy brings a CUDA of its own",
        machine(packages=(package("cupy-cuda11x", "13.6.0"),)),
    ),
    (
        "xformers-built-for-other-torch",
        "built for this torch",
        machine(packages=(package("xformers", "0.0.33.post2", "torch==2.9.1"),)),
    ),
    (
        "bitsandbytes-no-binary-for-cuda",
        "one of its libraries is for this CUDA",
        machine(
            packages=(package("bitsandbytes", "0.48.0"),),
            libraries=tuple(
                library(
                    f"bitsandbytes/libbitsandbytes_cuda{n}.so",
                    "bitsandbytes",
                    group("sm_80", "sm_89"),
                )
                for n in (124, 128)
            ),
        ),
    ),
    (
        "triton-torch-version-mismatch",
        "the Triton that is required",
        machine(torch=torch(requires=(requirement("triton", "==3.5.1", "3.5.1"),))),
    ),
    (
        "triton-ptxas-too-old",
        "a ptxas is named by the environment",
        env(
            {"TRITON_PTXAS_PATH": "/usr/local/cuda/bin/ptxas"},
            gpus=(RTX_5090,),
            torch=torch(ptxas_architectures=("sm_80", "sm_90")),
        ),
    ),
    (
        "triton-ptxas-too-old",
        "Triton 3.6 and newer hear another variable for Blackwell",
        env(
            {"TRITON_PTXAS_BLACKWELL_PATH": "/usr/local/cuda/bin/ptxas"},
            gpus=(RTX_5090,),
            torch=torch(ptxas_architectures=("sm_80", "sm_90")),
            packages=(package("triton", "3.7.1"),),
        ),
    ),
    (
        "triton-ptxas-too-old",
        "it knows the GPU",
        machine(torch=torch(ptxas_architectures=("sm_80", "sm_89", "sm_90a"))),
    ),
    (
        "c-compiler-missing-for-triton",
        "Windows' Triton brings one",
        windows(compiler=None, packages=(package("triton", "3.5.1"),)),
    ),
    (
        "python-headers-missing",
        "no Triton is installed",
        machine(python=dataclasses.replace(PYTHON, headers=False)),
    ),
]

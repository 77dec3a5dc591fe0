"""For each rule about the Python environment: a machine on which it fires."""

from __future__ import annotations

import dataclasses

from gpudoctor.collect.reason import Reason
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Host, WindowsSystem
from gpudoctor.model.sheet import FactSheet
from unit.rules.make import (
    CU124,
    CU130,
    driver,
    gpu,
    group,
    jetson,
    library,
    machine,
    module,
    on_path,
    package,
    requirement,
    torch,
    windows,
)
from unit.rules.parts import (
    CPU,
    GTX_1080,
    ORIN,
    PASCAL,
    PATH,
    PYTHON,
    RTX_5090,
    T4,
    V100,
)

ON_WINDOWS = dataclasses.replace(
    PYTHON, executable=r"C:\ComfyUI\python_embeded\python.exe", prefix=r"C:\ComfyUI\python_embeded"
)


def on_windows(host: dict[str, object], **python: object) -> FactSheet:
    """A Windows machine with these settings, and this of its Python."""
    system = WindowsSystem(**host)
    whole = Host(os="windows", arch="x86_64", memory_bytes=16 << 30, windows=system)
    return windows(host=whole, python=dataclasses.replace(ON_WINDOWS, **python))


FIRES: dict[str, FactSheet] = {
    "windows-commit-limit-low": on_windows(
        {"commit_limit_bytes": 16 << 30, "commit_free_bytes": 3 << 30}
    ),
    "windows-path-too-long": on_windows({"long_paths": False}, site_path_length=180),
    "environment-in-cloud-folder": on_windows({}, synchronised_by="OneDrive"),
    "starter-runs-other-python": on_windows(
        {}, started_by=r"C:\ComfyUI\run_nvidia_gpu.bat", starts=r"C:\Python312\python.exe"
    ),
    "windows-files-blocked": on_windows({}, blocked=(r"C:\ComfyUI\run_nvidia_gpu.bat",)),
    "windows-vc-redist-outdated": on_windows({}, runtime_version="14.36.32532.0"),
    "windows-vc-runtime-missing": windows(
        python=dataclasses.replace(PYTHON, missing_runtime=("msvcp140.dll", "vcruntime140_1.dll"))
    ),
    "torch-library-damaged": machine(
        unknown={
            "libraries[torch/lib/libtorch_cuda.so]": Reason("damaged", "a section ends too late")
        }
    ),
    "environment-unreadable": machine(
        unknown={"torch": Reason("denied", "/env cannot be read: Permission denied")}
    ),
    "torch-missing": machine(torch=None),
    "torch-metadata-missing": machine(torch=torch(metadata=False)),
    "python-unsupported": machine(
        torch=None, python=dataclasses.replace(PYTHON, version="3.6.9", tag="cp36")
    ),
    "wrong-torch-copy-imported": machine(
        torch=torch(copies=("/home/x/.local/lib/torch", "/env/lib/torch"))
    ),
    "user-site-leak": machine(
        torch=torch(path="/home/x/.local/lib/python3.12/site-packages/torch"),
        python=dataclasses.replace(PYTHON, user_site="/home/x/.local/lib/python3.12/site-packages"),
    ),
    "unfinished-fix": machine(unfinished_fix="/env/.gpudoctor/journal.json"),
    "fix-journal-damaged": FactSheet(
        machine().facts,
        (Unknown("unfinished_fix", "line 3 of journal.jsonl is damaged", "/state/1", "damaged"),),
    ),
    "cpu-only-torch": machine(torch=CPU),
    "torch-lacks-arch-new-gpu": machine(
        gpus=(RTX_5090,), torch=torch("2.6.0+cu124", "12.4", sass=CU124)
    ),
    "torch-dropped-arch-old-gpu": machine(**{**PASCAL, "torch": torch()}),
    "jetson-needs-own-wheel": machine(
        host=jetson(),
        gpus=(ORIN,),
        kernel_module=None,
        driver=driver("540.4.0", "12.6"),
        torch=torch("2.9.1+cu126", "12.6", sass=("sm_80", "sm_90")),
    ),
    "ptx-unsupported-toolchain": machine(
        gpus=(RTX_5090,),
        driver=driver("570.172.08", "12.8"),
        torch=torch("2.9.1", "12.9", sass=("sm_80",), ptx=("compute_90",)),
    ),
    "runs-through-jit": machine(
        gpus=(RTX_5090,), torch=torch("2.9.1", "12.8", sass=("sm_80",), ptx=("compute_90",))
    ),
    "gpu-newer-than-knowledge": machine(
        gpus=(gpu("NVIDIA GeForce RTX 6090", "13.0"),),
        torch=torch("2.16.0.dev20261009+cu134", "13.4", sass=CU130, ptx=("compute_120",)),
    ),
    "mixed-gpus-no-common-wheel": machine(
        gpus=(RTX_5090, dataclasses.replace(GTX_1080, index=1, cuda_index=1)), torch=torch()
    ),
    "cudnn-dropped-gpu": machine(**PASCAL, packages=(package("nvidia-cudnn-cu12", "9.11.0.98"),)),
    "partial-kernel-coverage": machine(
        gpus=(T4,),
        torch=torch(sass=CU130),
        libraries=(
            library("torch/lib/libtorch_cuda.so", "torch", group(*CU130, count=400)),
            library("torch/lib/libtorch_cuda_linalg.so", "torch", group("sm_80", "sm_90")),
        ),
    ),
    "flash-attn-unsupported-gpu": machine(
        gpus=(T4,), torch=torch(sass=CU130), packages=(package("flash-attn", "2.8.3", "torch"),)
    ),
    "package-needs-newer-gpu": machine(
        gpus=(V100,), torch=torch(sass=CU124), packages=(package("vllm", "0.21.0"),)
    ),
    "extension-lacks-arch": machine(
        gpus=(RTX_5090,),
        packages=(package("flash-attn", "2.7.4", "torch"),),
        libraries=(library("flash_attn_2_cuda.so", "flash-attn", group("sm_80", "sm_90")),),
    ),
    "torchvision-torchaudio-version-mismatch": machine(
        packages=(package("torchvision", "0.21.0", "torch==2.6.0"),)
    ),
    "cuda-library-pin-mismatch": machine(
        torch=torch(requires=(requirement("nvidia-cudnn-cu12", "==9.10.2.21", "9.1.0.70"),))
    ),
    "cuda-wheel-library-missing": machine(
        torch=torch(requires=(requirement("nvidia-cudnn-cu12", "==9.10.2.21", None),))
    ),
    "nvidia-wheels-two-cuda-majors": machine(
        packages=(package("nvidia-nccl-cu12", "2.27.5"), package("nvidia-nccl-cu13", "2.28.9"))
    ),
    "nvjitlink-older-on-library-path": machine(
        packages=(package("nvidia-nvjitlink-cu12", "12.8.93"),),
        loader=(on_path("nvjitlink", f"{PATH}/libnvJitLink.so.12", "12.2.140"),),
    ),
    "cudnn-version-incompatible": machine(
        packages=(package("nvidia-cudnn-cu12", "9.10.2.21"),),
        loader=(on_path("cudnn", "/opt/cudnn/libcudnn.so.9", "9.1.0"),),
    ),
    "cublas-mixed-with-system-cuda": machine(
        packages=(package("nvidia-cublas-cu12", "12.8.4.1"),),
        loader=(on_path("cublas", f"{PATH}/libcublas.so.12", "12.2.5.6"),),
    ),
    "nccl-older-copy-loaded": machine(
        packages=(package("nvidia-nccl-cu12", "2.27.5"),),
        loader=(on_path("nccl", "/opt/nccl/libnccl.so.2", "2.18.1"),),
    ),
    "cupti-older-on-library-path": machine(
        packages=(package("nvidia-cuda-cupti-cu12", "12.8.90"),),
        loader=(on_path("cupti", f"{PATH}/libcupti.so.12", "12.2.142"),),
    ),
    "extension-torch-abi-mismatch": machine(
        packages=(package("flash-attn", "2.7.4", build="cu12torch2.6cxx11abiTRUE"),)
    ),
    "extension-cxx11abi-flag-mismatch": machine(
        packages=(package("flash-attn", "2.8.3", build="cu12torch2.9cxx11abiFALSE"),)
    ),
    "extension-other-cuda-major": machine(
        packages=(package("mamba-ssm", "2.2.4+cu11torch2.9cxx11abiTRUE"),)
    ),
    "xformers-built-for-other-torch": machine(
        packages=(package("xformers", "0.0.29.post3", "torch==2.6.0"),)
    ),
    "bitsandbytes-no-binary-for-cuda": machine(
        torch=torch("2.9.1+cu130", "13.0", sass=CU130),
        driver=driver("580.95.05", "13.0"),
        kernel_module=module("580.95.05"),
        packages=(package("bitsandbytes", "0.45.0"),),
        libraries=(
            library(
                "bitsandbytes/libbitsandbytes_cuda124.so", "bitsandbytes", group("sm_80", "sm_89")
            ),
        ),
    ),
    "triton-torch-version-mismatch": machine(
        torch=torch(requires=(requirement("triton", "==3.5.1", "3.2.0"),))
    ),
    "triton-ptxas-too-old": machine(
        gpus=(gpu("NVIDIA GB10", "12.1"),),
        driver=driver("580.95.05", "13.0"),
        kernel_module=module("580.95.05"),
        torch=torch(ptxas_architectures=("sm_90", "sm_100", "sm_120"), ptxas_version="12.8"),
    ),
    "c-compiler-missing-for-triton": machine(compiler=None, packages=(package("triton", "3.5.1"),)),
    "python-headers-missing": machine(
        python=dataclasses.replace(PYTHON, headers=False), packages=(package("triton", "3.5.1"),)
    ),
}

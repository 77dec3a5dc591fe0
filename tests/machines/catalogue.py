"""The machines: each shows one thing going wrong, or one false alarm that must not sound.

`finds` names the errors and warnings that the doctor must make, and all of them; a healthy
machine has none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from machines import cards, sheets, wheels
from machines import catalogue_jetson as jetson
from machines import catalogue_vendor_code as vendor_code
from machines import catalogue_vendors as vendors
from machines.build import Driver, Machine, card_uuid
from machines.case import CONTAINER, NO_DRIVER, Case
from machines.trees import Module, System

_OLD = Driver(version="470.256.02", cuda=11040)
_535 = Driver(version="535.183.01", cuda=12020)
_550 = Driver(version="550.54.15", cuda=12040)
_570 = Driver(version="570.172.08", cuda=12080)
_580 = Driver(version="580.95.05", cuda=13000)
_590 = Driver(version="590.44.01", cuda=13010)
_PROPRIETARY = Module(flavour="proprietary")
_ARM = System(arch="aarch64", cpu="Cortex-X925", distribution="NVIDIA DGX OS 7.2.3")
_WSL = System(
    kernel="5.15.167.4-microsoft-standard-WSL2",
    wsl=True,
    secure_boot=None,
    cpu="13th Gen Intel(R) Core(TM) i9-13900K",
    memory_gib=32,
)
_IN_WSL = {"libcuda_folder": "usr/lib/wsl/lib"}


def _healthy() -> dict[str, Case]:
    """False alarms that must not sound."""
    machines = {
        "gtx-1080-on-cu126": Machine(
            cards=(cards.GTX_1080,),
            driver=_570,
            module=_PROPRIETARY,
            torch=wheels.TORCH_2_7_CU126,
        ),
        "rtx-4090-on-sm-86": Machine(
            cards=(cards.RTX_4090,), driver=_570, torch=wheels.TORCH_2_9_CU128
        ),
        "gb10-on-sm-120": Machine(
            cards=(cards.GB10,),
            driver=_580,
            system=_ARM,
            torch=replace(wheels.TORCH_2_9_CU130, sass="80 90 100 110 120", ptx="120"),
        ),
        "b300-on-sm-100": Machine(
            cards=(cards.B300,) * 2, driver=_580, torch=wheels.TORCH_2_9_CU130
        ),
        "a100-driver-535-on-cu128": Machine(
            cards=(cards.A100,), driver=_535, module=_PROPRIETARY, torch=wheels.TORCH_2_9_CU128
        ),
        "sixteen-gpus": Machine(
            cards=(cards.V100,) * 16, driver=_570, module=_PROPRIETARY, torch=wheels.TORCH_2_7_CU126
        ),
        "healthy-in-wsl": Machine(
            cards=(replace(cards.RTX_4090, on_pci=False),),
            driver=replace(_570, version="572.83", libcuda_version="1.1", **_IN_WSL),
            system=_WSL,
            torch=wheels.TORCH_2_9_CU128,
        ),
        "healthy-in-container": Machine(
            cards=(cards.H100,),
            driver=_570,
            module=Module(built_for=(), packages=True),
            system=System(files=CONTAINER, secure_boot=None),
            torch=wheels.TORCH_2_9_CU128,
        ),
        "compat-package-that-works": Machine(
            cards=(cards.H100,),
            driver=replace(
                _535, cuda=13000, libcuda_folder="cuda/compat", libcuda_version="580.95.05"
            ),
            module=_PROPRIETARY,
            torch=wheels.TORCH_2_9_CU130,
        ),
        "mask-by-uuid": Machine(
            cards=(cards.H100, cards.H100),
            driver=_570,
            torch=wheels.TORCH_2_9_CU128,
            env={"CUDA_VISIBLE_DEVICES": card_uuid(1, cards.H100)[:12]},
        ),
        "link-resting-at-generation-1": Machine(
            cards=(replace(cards.RTX_3090, pcie=(1, 4, 16, 16)),),
            driver=_570,
            torch=wheels.TORCH_2_9_CU128,
        ),
        "intel-graphics-beside-nvidia": Machine(
            cards=(cards.RTX_4090,),
            others=(cards.UHD_770,),
            driver=_570,
            torch=wheels.TORCH_2_9_CU128,
        ),
        "amd-graphics-beside-nvidia": Machine(
            cards=(cards.RTX_4090,),
            others=(cards.RAPHAEL,),
            driver=_570,
            torch=wheels.TORCH_2_9_CU128,
        ),
        "secure-boot-with-signed-module": Machine(
            cards=(cards.RTX_4090,),
            driver=_570,
            system=System(secure_boot=True),
            torch=wheels.TORCH_2_9_CU128,
        ),
        "one-gpu-given-to-a-virtual-machine": Machine(
            cards=(cards.RTX_4090, replace(cards.RTX_3090, bound="vfio-pci", nvml_error=6)),
            driver=_570,
            torch=wheels.TORCH_2_9_CU128,
        ),
        "pypi-wheel-without-local-label": Machine(
            cards=(cards.RTX_4090,),
            driver=_570,
            torch=replace(wheels.TORCH_2_9_CU128, local_in_metadata=False),
        ),
    }
    return {name: Case(machine=machine) for name, machine in machines.items()}


def _architecture() -> dict[str, Case]:
    """Machine code and GPU do not meet."""
    return {
        "rtx-5060-ti-on-cu124": Case(
            machine=Machine(cards=(cards.RTX_5060_TI,), driver=_570, torch=wheels.TORCH_2_6_CU124),
            finds=("torch-lacks-arch-new-gpu",),
        ),
        "gtx-1080-on-cu128": Case(
            machine=Machine(
                cards=(cards.GTX_1080,),
                driver=_570,
                module=_PROPRIETARY,
                torch=wheels.TORCH_2_9_CU128,
            ),
            finds=("torch-dropped-arch-old-gpu",),
        ),
        "v100-on-cu130": Case(
            machine=Machine(
                cards=(cards.V100,),
                driver=_580,
                module=_PROPRIETARY,
                torch=wheels.TORCH_2_9_CU130,
            ),
            finds=("torch-dropped-arch-old-gpu",),
        ),
        "orin-with-index-wheel": Case(
            machine=Machine(
                cards=(cards.ORIN,),
                driver=Driver(
                    version="540.3.0", cuda=12060, nvml="missing", smi=None, libcuda_version="1.1"
                ),
                module=Module(version="540.3.0", packages=False, nodes=False),
                system=System(
                    arch="aarch64",
                    distribution="Ubuntu 22.04.5 LTS",
                    distribution_version="22.04",
                    glibc="2.35",
                    kernel="5.15.148-tegra",
                    cpu="ARMv8 Processor rev 1 (v8l)",
                    memory_gib=61,
                    secure_boot=None,
                    files={
                        "/etc/nv_tegra_release": "# R36 (release), REVISION: 4.3, GCID: 38968081, "
                        "BOARD: generic, EABI: aarch64, DATE: Wed Jan  8 01:49:37 UTC 2025\n",
                        "/proc/device-tree/model": "NVIDIA Jetson AGX Orin Developer Kit\0",
                        "/proc/device-tree/compatible": "nvidia,p3737-0000+p3701-0005\0"
                        "nvidia,tegra234\0",
                    },
                ),
                torch=replace(wheels.TORCH_2_9_CU126, sass="80 90"),
                python="3.10.12",
            ),
            finds=("jetson-needs-own-wheel",),
        ),
        "rtx-4090-beside-5090-on-cu126": Case(
            machine=Machine(
                cards=(cards.RTX_4090, cards.RTX_5090), driver=_570, torch=wheels.TORCH_2_9_CU126
            ),
            finds=("torch-lacks-arch-new-gpu",),
        ),
        "pascal-beside-blackwell": Case(
            machine=Machine(
                # No kernel module serves both: the open one leaves Pascal alone.
                cards=(cards.RTX_5090, replace(cards.GTX_1080, bound=None)),
                driver=replace(_570, listed=1),
                torch=wheels.TORCH_2_9_CU128,
            ),
            finds=(
                "open-kernel-module-required",
                "mixed-gpus-no-common-wheel",
                "torch-dropped-arch-old-gpu",
            ),
        ),
        "kepler-beside-ada": Case(
            machine=Machine(
                cards=(cards.RTX_4090, replace(cards.TESLA_K80, bound=None)),
                driver=replace(_570, listed=1),
                module=_PROPRIETARY,
                torch=wheels.TORCH_2_9_CU128,
            ),
            finds=("gpu-needs-other-driver-branch", "torch-dropped-arch-old-gpu"),
        ),
        "cudnn-left-pascal-behind": Case(
            machine=Machine(
                cards=(cards.GTX_1080,),
                driver=_570,
                module=_PROPRIETARY,
                torch=replace(wheels.TORCH_2_7_CU126, installed={"nvidia-cudnn-cu12": "9.11.0.98"}),
            ),
            finds=("cudnn-dropped-gpu", "cuda-library-pin-mismatch"),
        ),
    }


def _driver() -> dict[str, Case]:
    """The driver, its libraries and its kernel module."""
    new = wheels.TORCH_2_9_CU130
    torch = wheels.TORCH_2_9_CU128
    return {
        "no-gpu": Case(machine=Machine(torch=torch, **NO_DRIVER), finds=("no-gpu-found",)),
        "no-gpu-but-allowed": Case(
            machine=Machine(torch=wheels.TORCH_2_9_CPU, **NO_DRIVER),
            finds=("no-gpu-found",),
            arguments=("--allow-cpu",),
        ),
        "driver-535-on-cu130": Case(
            machine=Machine(cards=(cards.A100,), driver=_535, module=_PROPRIETARY, torch=new),
            finds=("driver-too-old",),
        ),
        "driver-470-on-cu128": Case(
            machine=Machine(cards=(cards.RTX_3090,), driver=_OLD, module=_PROPRIETARY, torch=torch),
            finds=("driver-too-old",),
        ),
        "driver-590-with-pascal": Case(
            machine=Machine(
                # The module finds no GPU that it serves and does not stay loaded.
                cards=(replace(cards.GTX_1080, bound=None),),
                driver=replace(_590, nvml_init=9, cuda_init=100, smi=_SMI_NO_DRIVER),
                module=Module(loaded=False),
                torch=wheels.TORCH_2_9_CU126,
            ),
            finds=("gpu-needs-other-driver-branch", "driver-not-loaded"),
        ),
        "driver-never-installed": Case(
            machine=Machine(cards=(cards.RTX_4090,), torch=torch, **NO_DRIVER),
            finds=("driver-not-loaded",),
        ),
        "nouveau": Case(
            machine=Machine(
                cards=(replace(cards.RTX_4090, bound="nouveau"),),
                driver=None,
                module=Module(loaded=False, nouveau=True, built_for=(), packages=False),
                torch=torch,
            ),
            finds=("nouveau-owns-gpu",),
        ),
        "module-missing-for-running-kernel": Case(
            machine=Machine(
                cards=(replace(cards.RTX_4090, bound=None),),
                driver=replace(_570, nvml_init=9, cuda_init=100, smi=_SMI_NO_DRIVER),
                module=Module(loaded=False, built_for=("6.8.0-48-generic",)),
                torch=torch,
            ),
            finds=("kernel-module-missing-after-kernel-update",),
        ),
        "secure-boot-keeps-module-out": Case(
            machine=Machine(
                cards=(replace(cards.RTX_4090, bound=None),),
                driver=replace(_570, nvml_init=9, cuda_init=100, smi=_SMI_NO_DRIVER),
                module=Module(loaded=False),
                system=System(secure_boot=True),
                torch=torch,
            ),
            finds=("secure-boot-module-rejected",),
        ),
        "blackwell-under-proprietary-module": Case(
            machine=Machine(
                cards=(cards.RTX_5090,),
                driver=replace(_570, listed=0, smi="No devices were found"),
                module=_PROPRIETARY,
                torch=torch,
            ),
            finds=("open-kernel-module-required",),
        ),
        "nodes-closed-to-this-user": Case(
            machine=Machine(
                cards=(cards.RTX_4090,),
                driver=replace(_570, nvml_init=4, cuda_init=100, smi="Insufficient Permissions"),
                module=Module(node_mode=0o400),
                torch=torch,
            ),
            finds=("device-node-permissions",),
            plain_user=True,
        ),
        "library-and-module-differ": Case(
            machine=Machine(
                cards=(cards.A100,),
                driver=replace(_550, nvml_init=18, cuda_init=803, smi=_SMI_MISMATCH),
                module=Module(version="550.40.07", flavour="proprietary"),
                torch=torch,
            ),
            finds=("nvml-driver-library-mismatch",),
        ),
        "compat-package-on-geforce": Case(
            machine=Machine(
                cards=(cards.RTX_3090,),
                driver=replace(
                    _535,
                    cuda=13000,
                    cuda_init=804,
                    libcuda_folder="cuda/compat",
                    libcuda_version="580.95.05",
                ),
                module=_PROPRIETARY,
                torch=new,
            ),
            finds=("forward-compat-unsupported-gpu",),
        ),
        "fabric-manager-not-running": Case(
            machine=Machine(
                cards=(cards.H100,) * 8, driver=replace(_570, cuda_init=802), torch=torch
            ),
            finds=("fabric-manager-not-running",),
        ),
        "unknown-error-999": Case(
            machine=Machine(
                cards=(cards.RTX_4090,), driver=replace(_570, cuda_init=999), torch=torch
            ),
            finds=("cuda-unknown-999-uvm-after-suspend",),
        ),
        "stub-library-on-path": Case(
            machine=Machine(
                cards=(cards.RTX_4090,),
                driver=replace(_570, cuda_init=34, libcuda_folder="cuda/lib64/stubs"),
                torch=torch,
            ),
            finds=("stub-libcuda-on-path",),
        ),
        "container-without-gpu": Case(
            machine=Machine(
                cards=(cards.H100,),
                driver=None,
                module=Module(nodes=False, packages=False, built_for=()),
                system=System(files=CONTAINER, secure_boot=None),
                torch=torch,
            ),
            finds=("container-started-without-gpu",),
        ),
        "container-for-utilities-only": Case(
            machine=Machine(
                cards=(cards.H100,),
                driver=replace(_570, libcuda="missing"),
                system=System(files=CONTAINER, secure_boot=None),
                torch=torch,
            ),
            finds=("libcuda-missing",),
        ),
        "linux-driver-inside-wsl": Case(
            machine=Machine(
                cards=(replace(cards.RTX_4090, on_pci=False),),
                driver=replace(_570, cuda_init=100, nvml_init=9, smi=_SMI_NO_DRIVER),
                system=replace(
                    _WSL, files={"/usr/lib/x86_64-linux-gnu/libcuda.so.1": "", "/dev/dxg": ""}
                ),
                torch=torch,
            ),
            finds=("wsl-linux-driver-installed",),
        ),
        "wsl-1": Case(
            machine=Machine(
                system=replace(_WSL, kernel="4.4.0-19041-Microsoft", wsl=False),
                torch=torch,
                **NO_DRIVER,
            ),
            finds=("wsl1-has-no-gpu",),
        ),
        "nvml-hangs": Case(
            machine=Machine(
                cards=(cards.RTX_4090,), driver=replace(_570, nvml="hang"), torch=torch
            ),
            finds=("driver-not-answering",),
            arguments=("--timeout", "3"),
        ),
        "nvml-missing": Case(
            machine=Machine(
                cards=(cards.RTX_4090,), driver=replace(_570, nvml="missing", smi=None), torch=torch
            ),
            finds=("nvml-unavailable",),
        ),
    }


_SMI_NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn''t communicate with the NVIDIA driver. Make sure "
    "that the latest NVIDIA driver is installed and running."
)
_SMI_MISMATCH = "Failed to initialize NVML: Driver/library version mismatch"


def _environment() -> dict[str, Case]:
    """Masks, packages, and torch itself."""
    torch = wheels.TORCH_2_9_CU128
    pair = (cards.H100, cards.H100)
    return {
        "mask-hides-all": Case(
            machine=Machine(
                cards=pair, driver=_570, torch=torch, env={"CUDA_VISIBLE_DEVICES": "-1"}
            ),
            finds=("cuda-visible-devices-hides-gpus",),
        ),
        "mask-that-fits-two-gpus": Case(
            machine=Machine(
                cards=pair, driver=_570, torch=torch, env={"CUDA_VISIBLE_DEVICES": "GPU-"}
            ),
            finds=("cuda-visible-devices-hides-gpus",),
        ),
        "mask-that-names-one-twice": Case(
            machine=Machine(
                cards=pair, driver=_570, torch=torch, env={"CUDA_VISIBLE_DEVICES": "1,1"}
            ),
            finds=("cuda-visible-devices-hides-gpus",),
        ),
        "mask-counts-too-far": Case(
            machine=Machine(
                cards=pair, driver=_570, torch=torch, env={"CUDA_VISIBLE_DEVICES": "0,5"}
            ),
            finds=("cuda-visible-devices-wrong-index",),
        ),
        "mask-orders-differ": Case(
            machine=Machine(
                cards=(
                    replace(cards.GTX_1080, cuda_rank=1),
                    replace(cards.RTX_4090, cuda_rank=0),
                ),
                driver=_570,
                module=_PROPRIETARY,
                torch=wheels.TORCH_2_7_CU126,
                env={"CUDA_VISIBLE_DEVICES": "0"},
            ),
        ),
        "torch-missing": Case(
            machine=Machine(cards=(cards.RTX_4090,), driver=_570), finds=("torch-missing",)
        ),
        "cpu-only-torch": Case(
            machine=Machine(cards=(cards.RTX_4090,), driver=_570, torch=wheels.TORCH_2_9_CPU),
            finds=("cpu-only-torch",),
        ),
        "cpu-only-torch-without-label": Case(
            machine=Machine(
                cards=(cards.RTX_4090,),
                driver=_570,
                torch=replace(wheels.TORCH_2_9_CPU, version="2.9.1"),
            ),
            finds=("cpu-only-torch",),
        ),
        "torchvision-out-of-step": Case(
            machine=Machine(
                cards=(cards.RTX_4090,),
                driver=_570,
                torch=torch,
                packages={"torchvision": ("0.21.0+cu124", "torch==2.6.0")},
            ),
            finds=("torchvision-torchaudio-version-mismatch",),
        ),
        "cublas-not-the-one-required": Case(
            machine=Machine(
                cards=(cards.RTX_4090,),
                driver=_570,
                torch=replace(torch, installed={"nvidia-cublas-cu12": "12.1.3.1"}),
            ),
            finds=("cuda-library-pin-mismatch",),
        ),
        "mig-mode-without-instance": Case(
            machine=Machine(
                cards=(replace(cards.A100, mig=1),),
                driver=replace(_570, cuda_init=100),
                torch=torch,
            ),
            finds=("mig-visibility",),
        ),
        "rx-6800-xt-with-cuda-torch": Case(
            machine=Machine(
                others=(cards.RX_6800_XT,),
                torch=torch,
                system=System(
                    files={
                        "/usr/share/libdrm/amdgpu.ids": "1.0.0\n73BF,\tC0,\tAMD Radeon RX 6900 XT\n"
                        "73BF,\tC1,\tAMD Radeon RX 6800 XT\n"
                    }
                ),
                **NO_DRIVER,
            ),
            finds=("amd-gpu-needs-rocm-torch",),
        ),
        "rx-580": Case(
            machine=Machine(others=(cards.RX_580,), torch=wheels.TORCH_2_9_CPU, **NO_DRIVER),
            finds=("amd-gpu-unsupported",),
        ),
        "arc-a770-with-cuda-torch": Case(
            machine=Machine(others=(cards.ARC_A770,), torch=torch, **NO_DRIVER),
            finds=("intel-gpu-needs-xpu-torch",),
        ),
        "old-intel-graphics-alone": Case(
            machine=Machine(others=(cards.UHD_770,), torch=torch, **NO_DRIVER),
            finds=("no-gpu-found",),
        ),
        "python-that-no-wheel-serves": Case(
            machine=Machine(cards=(cards.RTX_4090,), driver=_570, python="3.7.17"),
            finds=("torch-missing",),
        ),
        "uncorrectable-memory-error": Case(
            machine=Machine(
                cards=(replace(cards.A100, extra={"ecc_errors": "4"}),), driver=_570, torch=torch
            ),
            finds=("ecc-uncorrectable",),
        ),
        "exclusive-process-mode": Case(
            machine=Machine(
                cards=(replace(cards.A100, compute_mode=3, extra={"pids": "4711"}),),
                driver=_570,
                torch=torch,
            ),
            finds=("gpu-exclusive-process-mode",),
        ),
    }


def _further() -> dict[str, Case]:
    """Containers, laptops, loaders, extensions, other vendors."""
    torch = wheels.TORCH_2_9_CU128
    ada = Machine(cards=(cards.RTX_4090,), driver=_570, torch=torch)
    blackwell = Machine(cards=(cards.RTX_5090,), driver=_570, torch=torch)
    in_container = System(files=CONTAINER, secure_boot=None)
    return {
        "laptop-switched-to-intel": Case(
            machine=replace(
                ada,
                cards=(replace(cards.RTX_4090, bound=None),),
                driver=replace(_570, nvml_init=9, cuda_init=100, smi=_SMI_NO_DRIVER),
                module=Module(loaded=False),
                system=System(files={"/etc/prime-discrete": "off\n"}),
            ),
            finds=("prime-profile-hides-gpu",),
        ),
        "container-that-lost-its-gpus": Case(
            machine=replace(
                ada,
                driver=replace(
                    _570,
                    nvml_init=999,
                    cuda_init=100,
                    smi="Failed to initialize NVML: Unknown Error",
                ),
                system=in_container,
            ),
            finds=("container-cgroup-device-loss",),
        ),
        "container-with-little-shared-memory": Case(
            machine=replace(ada, cards=(cards.H100, cards.H100), system=in_container),
            finds=("container-shm-too-small",),
        ),
        "gpu-that-the-driver-does-not-list": Case(
            machine=replace(ada, cards=(cards.H100, cards.H100), driver=replace(_570, listed=1)),
            finds=("gpu-not-visible-to-driver",),
        ),
        "ptx-alone-for-blackwell": Case(
            machine=replace(blackwell, torch=replace(torch, sass="80 86 90", ptx="90")),
        ),
        "ptx-newer-than-the-driver": Case(
            machine=replace(
                ada,
                cards=(cards.H100,),
                driver=_535,
                torch=replace(torch, sass="80 86", ptx="90"),
            ),
            finds=("ptx-unsupported-toolchain",),
        ),
        "old-cudnn-on-library-path": Case(
            machine=replace(
                ada,
                files={"old/libcudnn.so.9.1.0": b"\x7fELF"},
                links={"old/libcudnn.so.9": "libcudnn.so.9.1.0"},
                env={"LD_LIBRARY_PATH": "{folder}/old:{folder}/lib"},
            ),
            finds=("cudnn-version-incompatible",),
        ),
        "second-torch-through-pythonpath": Case(
            machine=replace(
                ada,
                files={
                    "other/torch/__init__.py": b"",
                    "other/torch/version.py": b"__version__ = '2.4.0+cpu'\ncuda = None\n",
                },
                env={"PYTHONPATH": "{folder}/other"},
            ),
            finds=("wrong-torch-copy-imported", "cpu-only-torch"),
        ),
        "nccl-of-two-cuda-majors": Case(
            machine=replace(ada, packages={"nvidia-nccl-cu13": ("2.28.9",)}),
            finds=("nvidia-wheels-two-cuda-majors",),
        ),
        "ptx-forced-where-there-is-none": Case(
            machine=replace(ada, env={"CUDA_FORCE_PTX_JIT": "1"}),
            finds=("harmful-environment-variable",),
        ),
        "flash-attention-without-blackwell": Case(
            machine=replace(
                blackwell,
                packages={"flash-attn": ("2.7.4", "torch")},
                site_files={
                    "flash_attn_2_cuda.so": wheels.cuda_library(["80", "90"], []),
                },
            ),
            finds=("extension-lacks-arch",),
        ),
    }


def _sheets() -> dict[str, Case]:
    """Systems that cannot stand here, and sheets as other programs write them."""
    found: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
        "windows-healthy": (sheets.windows(), ()),
        "windows-rtx-5090-on-cu124": (
            sheets.windows(sheets.RTX_5090, torch=sheets.TORCH_2_6_CU124),
            ("torch-lacks-arch-new-gpu",),
        ),
        "windows-driver-below-floor": (
            sheets.windows(driver="522.06", cuda="11.8"),
            ("driver-too-old",),
        ),
        "windows-cpu-only-from-pypi": (
            sheets.windows(torch=sheets.TORCH_2_9_CPU),
            ("cpu-only-torch",),
        ),
        "windows-pascal-beside-blackwell": (
            sheets.windows(sheets.RTX_5090, sheets.GTX_1080),
            ("torch-dropped-arch-old-gpu",),  # torch 2.8 for Windows serves both
        ),
        "mac-with-apple-silicon": (sheets.mac(), ()),
        "intel-mac": (sheets.mac(arch="x86_64"), ("platform-dropped-intel-mac",)),
        "as-the-contract-shows-it": (sheets.as_in_the_contract(), ("torch-lacks-arch-new-gpu",)),
        "sheet-that-says-nothing": ({"schema_version": "1.0", "facts": {}, "unknown": []}, ()),
    }
    codes = {"sheet-that-says-nothing": 3}
    return {
        name: Case(sheet=sheet, finds=finds, exit_code=codes.get(name))
        for name, (sheet, finds) in found.items()
    }


MACHINES: dict[str, Case] = {
    **_healthy(),
    **_architecture(),
    **_driver(),
    **_environment(),
    **_further(),
    **vendors.healthy(),
    **vendors.ill(),
    **vendor_code.healthy(),
    **vendor_code.ill(),
    **jetson.machines(),
    **_sheets(),
}

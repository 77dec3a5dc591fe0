"""For each rule about other vendors, and what is known: a machine on which it fires."""

from __future__ import annotations

from typing import Any

from gpudoctor.collect.reason import Reason
from gpudoctor.model.facts import Host, MissingLibrary
from gpudoctor.model.sheet import FactSheet
from unit.rules.make import (
    amd,
    amd_stack,
    device_file,
    hip_library,
    intel,
    intel_stack,
    linux,
    machine,
    no_module,
    package,
    torch,
    xpu_library,
)
from unit.rules.parts import (
    CPU,
    PASCAL,
    env,
)

ROCM = torch("2.9.1+rocm6.4", None, hip="6.4.43484")
XTX: dict[str, Any] = {
    "gpus": (amd("AMD Radeon RX 7900 XTX", "gfx1100"),),
    "driver": None,
    "kernel_module": no_module(),
    "torch": ROCM,
}
ARC: dict[str, Any] = {
    "gpus": (intel("Intel Arc A770 Graphics", integrated=False),),
    "driver": None,
    "kernel_module": no_module(),
    "torch": torch("2.9.1+xpu", None, xpu="20250302"),
}

MAC: dict[str, Any] = {"driver": None, "kernel_module": None, "gpus": (), "torch": CPU}


def mac(version: str = "15.5", **more: Any) -> Host:
    """A Mac with Apple silicon."""
    return Host(os="macos", arch="arm64", distribution_version=version, **more)


FIRES: dict[str, FactSheet] = {
    "amd-gpu-unsupported": machine(
        gpus=(amd("AMD Radeon RX 580", "gfx803"),), driver=None, torch=CPU
    ),
    "amd-gpu-needs-rocm-torch": machine(
        gpus=(amd("AMD Radeon RX 7900 XTX", "gfx1100"),), driver=None, kernel_module=no_module()
    ),
    "amd-device-permissions": machine(
        **XTX,
        amd=amd_stack(
            device_files=(
                device_file("/dev/kfd"),
                device_file(
                    "/dev/dri/renderD128",
                    openable=False,
                    member=False,
                    group=None,
                    pci_address="0000:03:00.0",
                ),
            )
        ),
    ),
    "amd-driver-not-bound": machine(
        **{**XTX, "gpus": (amd("AMD Radeon RX 7900 XTX", "gfx1100", driver=None),)},
        amd=amd_stack(modules=(), device_files=()),
    ),
    "amd-device-files-missing": machine(
        **XTX, amd=amd_stack(device_files=(device_file("/dev/dri/renderD128"),))
    ),
    "intel-driver-not-bound": machine(
        **{**ARC, "gpus": (intel("Intel Arc B580 Graphics", integrated=False, driver=None),)},
        intel=intel_stack(modules=(), device_files=()),
    ),
    "intel-device-files-missing": machine(
        **ARC, intel=intel_stack(device_files=(), absent_nodes=("/dev/dri/renderD128",))
    ),
    "intel-device-permissions": machine(
        **ARC,
        intel=intel_stack(
            device_files=(device_file("/dev/dri/renderD128", openable=False, member=False),)
        ),
    ),
    "intel-user-driver-missing": machine(**ARC, intel=intel_stack(libraries=())),
    "xpu-torch-lacks-gpu": machine(
        **ARC,
        intel=intel_stack(),
        libraries=(xpu_library("torch/lib/libtorch_xpu.so", "12.60.7", "12.74.4"),),
    ),
    "xpu-compiles-at-first-use": machine(
        **ARC,
        intel=intel_stack(),
        libraries=(xpu_library("torch/lib/libtorch_xpu.so", "12.60.7", "spirv"),),
    ),
    "extension-lacks-intel-gpu": machine(
        **ARC,
        intel=intel_stack(),
        packages=(package("bitsandbytes", "0.50.2"),),
        libraries=(
            xpu_library("bitsandbytes/libbitsandbytes_xpu.so", "12.60.7", owner="bitsandbytes"),
        ),
    ),
    "ray-refuses-rocr-mask": machine(
        **XTX,
        amd=amd_stack(),
        environment={"ROCR_VISIBLE_DEVICES": "0", "SLURM_JOB_ID": "7"},
        packages=(package("ray", "2.55.1"),),
    ),
    "amd-driver-outside-matrix": machine(
        **{**XTX, "torch": torch("2.12.1+rocm7.2", None, hip="7.2.26015")},
        amd=amd_stack(version="6.8.5", in_tree=False),
    ),
    "undeclared-library-missing": machine(
        host=linux(arch="aarch64", jetson="NVIDIA Jetson AGX Thor"),
        torch=torch("2.9.1", "13.0", sass=("sm_110",)),
        missing_libraries=(
            MissingLibrary(name="libnvpl_lapack_lp64_gomp.so.0", needed_by="libtorch_cpu.so"),
            MissingLibrary(name="libcudss.so.0", needed_by="libtorch_cuda.so"),
        ),
    ),
    "rocm-torch-lacks-gfx": machine(
        gpus=(amd("AMD Radeon RX 9070 XT", "gfx1201"),),
        driver=None,
        torch=torch("2.5.1+rocm6.2", None, hip="6.2.41133"),
    ),
    "extension-lacks-gfx": machine(
        **XTX,
        amd=amd_stack(),
        packages=(package("bitsandbytes", "0.50.2"),),
        libraries=(hip_library("bitsandbytes/libbitsandbytes_rocm64.so", "gfx90a", "gfx942"),),
    ),
    "rocm-blas-lacks-gfx": machine(
        **{
            **XTX,
            "gpus": (amd("AMD Radeon VII", "gfx906"),),
            "torch": torch("2.9.1+rocm6.4", None, hip="6.4.43484"),
        },
        amd=amd_stack(),
    ),
    "hsa-override-wrong": env(
        {"HSA_OVERRIDE_GFX_VERSION": "10.3.0"},
        driver=None,
        gpus=(amd("AMD Radeon RX 7900 XTX", "gfx1100"),),
        torch=torch("2.9.1+rocm6.4", None, hip="6.4.2"),
    ),
    "intel-gpu-unsupported": machine(
        gpus=(intel("Intel Iris Xe MAX Graphics", integrated=False),), driver=None, torch=CPU
    ),
    "intel-gpu-needs-xpu-torch": machine(
        gpus=(intel("Intel Arc A770 Graphics", integrated=False),), driver=None, torch=CPU
    ),
    "no-cuda-on-mac": machine(
        host=Host(os="macos", arch="arm64"), driver=None, kernel_module=None, gpus=(), torch=CPU
    ),
    "python-under-rosetta": machine(**MAC, host=mac(rosetta=True)),
    "macos-too-old-for-torch": machine(
        **{**MAC, "torch": torch("2.15.0", None, macos="14.0")}, host=mac("13.6")
    ),
    "platform-dropped-intel-mac": machine(
        host=Host(os="macos", arch="x86_64"),
        driver=None,
        kernel_module=None,
        gpus=(),
        torch=torch("2.2.2", None),
    ),
    "collector-crashed": machine(unknown={"loader": Reason.of_error(ValueError("a mistake"))}),
    "knowledge-too-old": machine(torch=torch("9.0.0+cu128", "12.8")),
    "wheel-line-ending": machine(**PASCAL),
}

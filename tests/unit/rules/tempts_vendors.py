"""For each rule about other vendors, and what is known: machines that only tempt it."""

from __future__ import annotations

from gpudoctor.collect.reason import Reason
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import replace
from unit.rules.fires_vendors import ARC, MAC, XTX, mac
from unit.rules.fires_vendors import FIRES as VENDORS
from unit.rules.make import (
    CU130,
    amd,
    amd_stack,
    device_file,
    driver,
    gpu,
    hip_library,
    intel,
    intel_stack,
    linux,
    machine,
    module,
    package,
    torch,
    xpu_library,
)
from unit.rules.parts import (
    A100,
    CPU,
    env,
)

TEMPTS: list[tuple[str, str, FactSheet]] = [
    (
        "collector-crashed",
        "a file that may not be read is no fault of the program",
        machine(unknown={"loader": Reason("denied", "/etc/ld.so.cache cannot be read")}),
    ),
    (
        "amd-gpu-unsupported",
        "the RX 580 is beside an RX 7900 XTX",
        machine(
            driver=None,
            torch=CPU,
            gpus=(amd("AMD Radeon RX 580", "gfx803"), amd("AMD Radeon RX 7900 XTX", "gfx1100")),
        ),
    ),
    (
        "amd-gpu-needs-rocm-torch",
        "the processor's graphics beside an NVIDIA card",
        machine(gpus=(gpu(), amd("AMD Radeon Graphics", "gfx1036", integrated=True))),
    ),
    (
        "amd-gpu-needs-rocm-torch",
        "the processor's graphics alone are no GPU to train on",
        machine(
            gpus=(amd("AMD Radeon Graphics", "gfx1036", integrated=True),), driver=None, torch=CPU
        ),
    ),
    (
        "amd-device-permissions",
        "the processor's graphics, and a build for the NVIDIA card beside it",
        machine(
            gpus=(gpu(), amd("AMD Radeon Graphics", "gfx1036", integrated=True)),
            amd=amd_stack(device_files=(device_file("/dev/kfd", openable=False),)),
        ),
    ),
    (
        "amd-device-permissions",
        "the closed render node is that of the processor's graphics",
        machine(
            **{
                **XTX,
                "gpus": (
                    amd("AMD Radeon RX 7900 XTX", "gfx1100"),
                    amd(
                        "AMD Radeon Graphics",
                        "gfx1036",
                        integrated=True,
                        pci_address="0000:6c:00.0",
                    ),
                ),
            },
            amd=amd_stack(
                device_files=(
                    device_file("/dev/kfd"),
                    device_file("/dev/dri/renderD128", pci_address="0000:03:00.0"),
                    device_file("/dev/dri/renderD129", openable=False, pci_address="0000:6c:00.0"),
                )
            ),
        ),
    ),
    (
        "amd-driver-not-bound",
        "under WSL no kernel module is needed",
        machine(
            **{
                **XTX,
                "gpus": (amd("AMD Radeon RX 7900 XTX", "gfx1100", driver=None),),
                "kernel_module": None,
            },
            host=linux(wsl=True, wsl_version=2),
        ),
    ),
    (
        "amd-device-files-missing",
        "under WSL there is no /dev/kfd by design",
        machine(
            **{**XTX, "kernel_module": None},
            host=linux(wsl=True, wsl_version=2),
            amd=amd_stack(device_files=(), libraries=("/opt/rocm/lib/librocdxg.so",)),
        ),
    ),
    (
        "amd-device-files-missing",
        "one card of two was passed into the container",
        machine(
            **{
                **XTX,
                "gpus": (
                    amd("AMD Radeon RX 7900 XTX", "gfx1100"),
                    amd("AMD Radeon RX 7900 XTX", "gfx1100", visible=False),
                ),
            },
            host=linux(container="docker"),
            amd=amd_stack(absent_nodes=("/dev/dri/renderD129",)),
        ),
    ),
    (
        "intel-driver-not-bound",
        "xe drives the card",
        machine(**{**ARC, "gpus": (intel("Intel Arc B580 Graphics", driver="xe"),)}),
    ),
    ("intel-device-files-missing", "the render node is there", machine(**ARC, intel=intel_stack())),
    (
        "intel-device-permissions",
        "a login at the screen has opened it, though the user is in no group",
        machine(
            **ARC,
            intel=intel_stack(device_files=(device_file("/dev/dri/renderD128", member=False),)),
        ),
    ),
    (
        "intel-user-driver-missing",
        "the build of torch is one for the CPU",
        machine(**{**ARC, "torch": CPU}, intel=intel_stack(libraries=())),
    ),
    (
        "rocm-torch-lacks-gfx",
        "the graphics inside the processor beside a card that is served",
        machine(
            **{
                **XTX,
                "gpus": (
                    amd("AMD Radeon RX 7900 XTX", "gfx1100"),
                    amd("AMD Radeon Graphics", "gfx1036", integrated=True),
                ),
            }
        ),
    ),
    (
        "rocm-torch-lacks-gfx",
        "the build of that release has it",
        machine(
            gpus=(amd("AMD Radeon RX 9070 XT", "gfx1201"),),
            driver=None,
            torch=torch("2.9.1+rocm6.4", None, hip="6.4"),
        ),
    ),
    (
        "extension-lacks-gfx",
        "another library of the package has it",
        machine(
            **XTX,
            amd=amd_stack(),
            packages=(package("bitsandbytes", "0.50.2"),),
            libraries=(
                hip_library("bitsandbytes/libbitsandbytes_rocm62.so", "gfx90a", "gfx942"),
                hip_library("bitsandbytes/libbitsandbytes_rocm64.so", "gfx90a", "gfx1100"),
            ),
        ),
    ),
    *(
        (
            name,
            f"an Arc A380 with {', '.join(images)}",
            machine(
                **{**ARC, "gpus": (intel("Intel Arc A380 Graphics", integrated=False),)},
                intel=intel_stack(),
                libraries=(
                    xpu_library("torch/lib/libtorch_xpu.so", *images),
                    xpu_library("x/libx.so", *images, owner="x"),
                ),
            ),
        )
        for name, images in (
            ("xpu-torch-lacks-gpu", ("12.60.7", "12.55.8")),  # its relative's image
            ("xpu-torch-lacks-gpu", ("12.60.7", "other")),  # something that nobody can read
            ("xpu-torch-lacks-gpu", ("spirv",)),
            ("extension-lacks-intel-gpu", ("12.60.7", "spirv")),
            ("xpu-compiles-at-first-use", ("12.56.4", "spirv")),  # another stepping of it
        )
    ),
    (
        "xpu-torch-lacks-gpu",
        "nobody knows which GPU the name means",
        machine(
            **{**ARC, "gpus": (intel("Intel Graphics", integrated=False),)},
            intel=intel_stack(),
            libraries=(xpu_library("torch/lib/libtorch_xpu.so", "12.60.7"),),
        ),
    ),
    *(
        (
            "ray-refuses-rocr-mask",
            f"Ray {version} with {', '.join(variables)}",
            machine(
                **XTX,
                amd=amd_stack(),
                environment=variables,
                packages=(package("ray", version),),
            ),
        )
        for version, variables in (
            ("2.44.1", {"ROCR_VISIBLE_DEVICES": "0"}),
            ("2.55.1", {"ROCR_VISIBLE_DEVICES": "0", "HIP_VISIBLE_DEVICES": "0"}),
            ("2.55.1", {"HIP_VISIBLE_DEVICES": "0"}),
        )
    ),
    *(
        (
            "amd-driver-outside-matrix",
            f"amdgpu {module} with ROCm {hip}",
            machine(
                **{**XTX, "torch": torch(f"{release}+rocm{hip[:3]}", None, hip=hip)},
                amd=amd_stack(version=module, in_tree=module is None),
            ),
        )
        for module, release, hip in (
            (None, "2.12.1", "7.2.26015"),  # the kernel's own
            ("6.14.14", "2.12.1", "7.2.26015"),
            ("6.12.12", "2.12.1", "7.2.26015"),
            ("6.8.5", "2.9.1", "6.4.43484"),
            ("6.16.13", "2.14.1", "7.14.60850"),  # newer than the matrix
            ("6.99.1", "2.12.1", "7.2.26015"),  # a module that no table has
        )
    ),
    ("undeclared-library-missing", "all that torch is linked to is there", machine()),
    (
        "rocm-blas-lacks-gfx",
        "the rocBLAS of ROCm 6.3 still has it",
        machine(
            **{
                **XTX,
                "gpus": (amd("AMD Radeon VII", "gfx906"),),
                "torch": torch("2.9.1+rocm6.3", None, hip="6.3.42131"),
            },
            amd=amd_stack(),
        ),
    ),
    (
        "hsa-override-wrong",
        "10.3.0 on a gfx1031 usually works",
        env(
            {"HSA_OVERRIDE_GFX_VERSION": "10.3.0"},
            driver=None,
            gpus=(amd("AMD Radeon RX 6700 XT", "gfx1031"),),
            torch=torch("2.9.1+rocm6.4", None, hip="6.4"),
        ),
    ),
    (
        "intel-gpu-unsupported",
        "a newer Arc that the knowledge base does not have",
        machine(gpus=(intel("Intel Arc C990 Graphics", integrated=False),), driver=None, torch=CPU),
    ),
    (
        "intel-gpu-needs-xpu-torch",
        "the processor's graphics beside an NVIDIA card",
        machine(gpus=(gpu(), intel("Intel UHD Graphics 770", integrated=True))),
    ),
    (
        "intel-gpu-needs-xpu-torch",
        "old graphics of a processor are no GPU to train on",
        machine(gpus=(intel("Intel UHD Graphics 630", integrated=True),), driver=None, torch=CPU),
    ),
    ("python-under-rosetta", "a Python for Apple silicon", machine(**MAC, host=mac())),
    (
        "macos-too-old-for-torch",
        "exactly the system that it names",
        machine(**{**MAC, "torch": torch("2.15.0", None, macos="14.0")}, host=mac("14.0")),
    ),
    ("no-cuda-on-mac", "Linux on ARM", machine(host=linux(arch="aarch64"))),
    (
        "platform-dropped-intel-mac",
        "a Python for Intel on a Mac with Apple silicon",
        machine(**MAC, host=replace(mac(rosetta=True), arch="x86_64")),
    ),
    ("platform-dropped-intel-mac", "a Mac with Apple silicon", VENDORS["no-cuda-on-mac"]),
    (
        "knowledge-too-old",
        "a nightly is not newer than what is known of nightlies",
        machine(
            torch=torch("2.16.0.dev20261008+cu130", "13.0", sass=CU130),
            driver=driver("580.95.05", "13.0"),
            kernel_module=module("580.95.05"),
        ),
    ),
    ("wheel-line-ending", "an Ampere card goes on", machine(gpus=(A100,))),
]

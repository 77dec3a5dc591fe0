"""For each rule about host, driver and GPUs: machines that only look as if it should fire."""

from __future__ import annotations

import dataclasses

from gpudoctor.collect.reason import Reason
from gpudoctor.model.sheet import FactSheet
from unit.rules.fires_machine import FIRES as MACHINE
from unit.rules.fires_python import on_windows
from unit.rules.make import (
    CU130,
    amd,
    docker,
    driver,
    gpu,
    intel,
    jetson,
    linux,
    machine,
    module,
    no_module,
    on_pci,
    torch,
    windows,
    wsl,
)
from unit.rules.parts import (
    A100,
    GT_710,
    GTX_1080,
    MASKED,
    MIG,
    NO_DRIVER,
    ORIN,
    PASCAL,
    PYTHON,
    T4,
    XID,
    env,
)

TEMPTS: list[tuple[str, str, FactSheet]] = [
    (
        "driver-not-loaded",
        "torch uses the AMD GPU beside it",
        machine(
            driver=None,
            kernel_module=no_module(packages_installed=False),
            gpus=(on_pci(), amd("AMD Radeon RX 7900 XTX", "gfx1100")),
            torch=torch("2.9.1+rocm6.4", None, hip="6.4.2"),
        ),
    ),
    (
        "driver-not-loaded",
        "the only GPU is older than every build, whatever its driver",
        machine(
            driver=None,
            kernel_module=no_module(packages_installed=False),
            gpus=(on_pci("NVIDIA GeForce GT 710", "3.5"),),
        ),
    ),
    (
        "nouveau-owns-gpu",
        "nouveau drives the only GPU, which is older than every build",
        machine(
            driver=None,
            kernel_module=no_module(nouveau_loaded=True),
            gpus=(on_pci("NVIDIA GeForce GT 710", "3.5", driver="nouveau"),),
        ),
    ),
    (
        "no-gpu-found",
        "an RX 6800 XT is a GPU",
        machine(gpus=(amd("AMD Radeon RX 6800 XT", "gfx1030"),), driver=None),
    ),
    ("container-started-without-gpu", "the GPU was passed in", machine(host=docker())),
    (
        "container-started-without-gpu",
        "a container on a machine without GPU",
        machine(host=docker(container_gpus=False), gpus=(), driver=None, kernel_module=no_module()),
    ),
    (
        "container-shm-too-small",
        "one GPU exchanges nothing",
        machine(host=docker(shm_bytes=64 * 2**20)),
    ),
    (
        "container-cgroup-device-loss",
        "CUDA works all the same",
        machine(host=docker(), driver=driver(nvml_error="NVML_ERROR_UNKNOWN")),
    ),
    (
        "cuda-visible-devices-hides-gpus",
        "one GPU of two is left",
        env({"CUDA_VISIBLE_DEVICES": "0"}, gpus=(gpu(), gpu(index=1, visible=False))),
    ),
    (
        "cuda-visible-devices-wrong-index",
        "the last GPU is index 1 of two",
        env({"CUDA_VISIBLE_DEVICES": "1"}, gpus=(gpu(visible=False), gpu(index=1))),
    ),
    (
        "cuda-visible-devices-wrong-index",
        "a UUID may be shortened",
        env({"CUDA_VISIBLE_DEVICES": "GPU-000"}),
    ),
    ("harmful-environment-variable", "0 switches it off", env({"CUDA_LAUNCH_BLOCKING": "0"})),
    (
        "harmful-environment-variable",
        "the build has the PTX that is forced",
        env({"CUDA_FORCE_PTX_JIT": "1"}, torch=torch(ptx=("compute_80",))),
    ),
    (
        "device-node-permissions",
        "only the nodes of MIG are closed",
        machine(
            kernel_module=module(unreadable_nodes=("/dev/nvidia-caps/nvidia-cap1",)),
            driver=driver(cu_init=100),
        ),
    ),
    ("wsl1-has-no-gpu", "WSL 2", machine(host=wsl(), kernel_module=None)),
    (
        "wsl-linux-driver-installed",
        "packages lie there, but Windows' libcuda is loaded and works",
        machine(host=wsl(), driver=driver(libcuda_kind="wsl"), kernel_module=no_module()),
    ),
    (
        "wsl-too-many-gpus",
        "out of memory with one GPU",
        machine(host=wsl(), driver=driver(cu_init=2, libcuda_kind="wsl"), kernel_module=None),
    ),
    (
        "nouveau-owns-gpu",
        "nouveau drives a GT 710 beside an A100",
        machine(
            gpus=(A100, on_pci("NVIDIA GeForce GT 710", "3.5", index=1, driver="nouveau")),
            kernel_module=module(nouveau_loaded=True),
        ),
    ),
    (
        "kernel-module-missing-after-kernel-update",
        "a container has no /lib/modules of the host",
        machine(
            host=docker(container_gpus=False),
            **NO_DRIVER,
            kernel_module=no_module(built_for_kernel=False),
        ),
    ),
    (
        "kernel-module-missing-after-kernel-update",
        "no driver was ever installed",
        machine(
            **NO_DRIVER, kernel_module=no_module(built_for_kernel=False, packages_installed=False)
        ),
    ),
    (
        "secure-boot-module-rejected",
        "Secure Boot with a signed module that is loaded",
        machine(host=linux(secure_boot=True)),
    ),
    (
        "secure-boot-module-rejected",
        "no module was built",
        machine(
            host=linux(secure_boot=True),
            **NO_DRIVER,
            kernel_module=no_module(built_for_kernel=False),
        ),
    ),
    (
        "prime-profile-hides-gpu",
        "on-demand leaves the GPU to programs",
        machine(kernel_module=module(prime_profile="on-demand")),
    ),
    ("open-kernel-module-required", "Turing takes either", machine(gpus=(T4,))),
    (
        "open-kernel-module-required",
        "a Jetson has its own driver",
        machine(
            host=jetson(),
            gpus=(gpu("NVIDIA Thor", "11.0"),),
            kernel_module=module(flavour="proprietary"),
        ),
    ),
    (
        "nvml-driver-library-mismatch",
        "NVML fails for another reason",
        machine(driver=driver(nvml_error="NVML_ERROR_NO_PERMISSION", cu_init=100)),
    ),
    ("libcuda-missing", "no module runs either", machine(**NO_DRIVER, kernel_module=no_module())),
    ("driver-not-loaded", "nouveau is the finer cause", MACHINE["nouveau-owns-gpu"]),
    (
        "driver-not-loaded",
        "there is no NVIDIA GPU",
        machine(
            gpus=(intel("Intel UHD Graphics 630", integrated=True),),
            driver=None,
            kernel_module=no_module(),
        ),
    ),
    (
        "driver-not-answering",
        "a fact sheet that does not mention the driver",
        machine(unknown={"driver": Reason("not-stated", "the fact sheet does not mention it")}),
    ),
    (
        "gpu-needs-other-driver-branch",
        "580 still knows Pascal, on Windows as 582",
        windows(gpus=(GTX_1080,), driver=driver("582.28", "13.0"), torch=PASCAL["torch"]),
    ),
    (
        "gpu-needs-other-driver-branch",
        "a GT 710 display card beside an A100",
        machine(gpus=(A100, dataclasses.replace(GT_710, cuda_index=None))),
    ),
    (
        "gpu-needs-other-driver-branch",
        "a Jetson counts its driver otherwise",
        machine(host=jetson(), gpus=(ORIN,), driver=driver("540.4.0", "12.6"), kernel_module=None),
    ),
    (
        "driver-too-old",
        "minor-version compatibility: 535 runs CUDA 12.8",
        machine(
            gpus=(A100,), driver=driver("535.183.01", "12.2"), kernel_module=module("535.183.01")
        ),
    ),
    (
        "driver-too-old",
        "a working forward-compatibility package",
        machine(
            gpus=(A100,),
            driver=driver("535.183.01", "13.0", libcuda_kind="compat"),
            kernel_module=module("535.183.01"),
            torch=torch("2.9.1+cu130", "13.0", sass=CU130),
        ),
    ),
    (
        "driver-too-old",
        "WSL reports the number of the Windows driver",
        machine(host=wsl(), driver=driver("528.49", None, libcuda_kind="wsl"), kernel_module=None),
    ),
    (
        "gpu-not-visible-to-driver",
        "vfio-pci holds it for a virtual machine",
        machine(gpus=(A100, on_pci("NVIDIA A100", "8.0", index=1, driver="vfio-pci"))),
    ),
    (
        "nvml-unavailable",
        "a Jetson has no NVML",
        machine(host=jetson(), gpus=(ORIN,), driver=driver(nvml_error="NVML_ERROR_NOT_FOUND")),
    ),
    (
        "stub-libcuda-on-path",
        "stubs are on LIBRARY_PATH alone",
        env({"LIBRARY_PATH": "/usr/local/cuda/lib64/stubs"}),
    ),
    (
        "libcuda-kernel-module-mismatch",
        "a compat library is newer than the module by design",
        machine(
            driver=driver("535.183.01", "13.0", libcuda_kind="compat", libcuda_version="580.65.06"),
            kernel_module=module("535.183.01"),
        ),
    ),
    (
        "libcuda-kernel-module-mismatch",
        "NVML has said it more precisely",
        MACHINE["nvml-driver-library-mismatch"],
    ),
    (
        "forward-compat-unsupported-gpu",
        "compat on an A100 that works",
        machine(gpus=(A100,), driver=driver("535.183.01", "13.0", libcuda_kind="compat")),
    ),
    (
        "fabric-manager-not-running",
        "cuInit succeeds",
        machine(gpus=tuple(gpu("NVIDIA H200", "9.0", index=i) for i in range(8))),
    ),
    ("cuda-unknown-999-uvm-after-suspend", "another error", machine(driver=driver(cu_init=3))),
    ("cuda-init-failed", "802 has a cause of its own", MACHINE["fabric-manager-not-running"]),
    (
        "cuda-init-failed",
        "the mask explains error 100",
        env({"CUDA_VISIBLE_DEVICES": "-1"}, gpus=MASKED, driver=driver(cu_init=100)),
    ),
    ("gpu-fell-off-bus", "Xid 13 is a program's fault", machine(log=(XID.format(13),))),
    ("gsp-firmware-timeout", "Xid 31 is a program's fault", machine(log=(XID.format(31),))),
    (
        "ecc-uncorrectable",
        "the counter stands at zero",
        machine(gpus=(dataclasses.replace(A100, ecc_uncorrected=0),), log=(XID.format(31),)),
    ),
    (
        "gpu-exclusive-process-mode",
        "exclusive, and nobody is there",
        machine(gpus=(gpu(compute_mode="exclusive_process"),)),
    ),
    (
        "mig-visibility",
        "a process on one of two instances",
        env({"CUDA_VISIBLE_DEVICES": "MIG-aa"}, gpus=(MIG,)),
    ),
    (
        "unknown-gpu",
        "known by its PCI id",
        machine(gpus=(gpu("Graphics Device", "12.0", pci_id="10de:2d04"),)),
    ),
    (
        "windows-vc-runtime-missing",
        "Linux has no such runtime",
        machine(python=dataclasses.replace(PYTHON, missing_runtime=("msvcp140.dll",))),
    ),
    ("windows-vc-runtime-missing", "all of it is there", windows()),
    (
        "windows-vc-redist-outdated",
        "the first that is new enough",
        on_windows({}, runtime_version="14.40.33810.0"),
    ),
    ("windows-vc-redist-outdated", "it states none", on_windows({})),
    (
        "windows-vc-redist-outdated",
        "conda brings its own",
        on_windows({}, runtime_version="14.36.32532.0", environment="conda"),
    ),
    (
        "windows-vc-redist-outdated",
        "nobody looked",
        windows(unknown={"python.runtime_version": "not said"}),
    ),
    (
        "windows-commit-limit-low",
        "a page file can grow",
        on_windows({"commit_limit_bytes": 24 << 30, "commit_free_bytes": 3 << 30}),
    ),
    (
        "windows-commit-limit-low",
        "no page file, and much left",
        on_windows({"commit_limit_bytes": 16 << 30, "commit_free_bytes": 9 << 30}),
    ),
    (
        "windows-path-too-long",
        "a short path",
        on_windows({"long_paths": False}, site_path_length=60),
    ),
    ("windows-path-too-long", "lifted", on_windows({"long_paths": True}, site_path_length=200)),
    ("windows-path-too-long", "the policy is unknown", on_windows({}, site_path_length=200)),
    ("environment-in-cloud-folder", "a folder of its own", on_windows({})),
    (
        "starter-runs-other-python",
        "nobody knows what it starts",
        on_windows({}, started_by="run.bat"),
    ),
    (
        "starter-runs-other-python",
        "the same in capitals",
        on_windows({}, started_by="run.bat", starts=r"c:\comfyui\PYTHON_embeded\Python.exe"),
    ),
    ("windows-files-blocked", "no marks", on_windows({})),
    (
        "windows-files-blocked",
        "nobody looked",
        windows(unknown={"python.blocked": "not said", "python.starts": "not said"}),
    ),
    (
        "windows-vc-runtime-missing",
        "nobody looked",
        windows(unknown={"python.missing_runtime": "not said"}),
    ),
]

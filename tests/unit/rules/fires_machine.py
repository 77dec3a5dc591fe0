"""For each rule about host, driver and GPUs: a machine on which it fires."""

from __future__ import annotations

import dataclasses

from gpudoctor.collect.reason import Reason
from gpudoctor.model.sheet import FactSheet
from unit.rules.make import (
    CU130,
    docker,
    driver,
    gpu,
    linux,
    machine,
    module,
    no_module,
    on_pci,
    torch,
    wsl,
)
from unit.rules.parts import (
    A100,
    CPU,
    MASKED,
    MIG,
    NO_DRIVER,
    PASCAL,
    XID,
    env,
)

FIRES: dict[str, FactSheet] = {
    "no-gpu-found": machine(gpus=(), driver=None, kernel_module=no_module(), torch=CPU),
    "container-started-without-gpu": machine(
        host=docker(container_gpus=False),
        **NO_DRIVER,
        kernel_module=module(device_nodes=(), built_for_kernel=None),
    ),
    "container-shm-too-small": machine(
        host=docker(shm_bytes=64 * 2**20), gpus=(A100, dataclasses.replace(A100, index=1))
    ),
    "container-cgroup-device-loss": machine(
        host=docker(), driver=driver(nvml_error="NVML_ERROR_UNKNOWN", cu_init=100)
    ),
    "cuda-visible-devices-hides-gpus": env({"CUDA_VISIBLE_DEVICES": ""}, gpus=MASKED),
    "cuda-visible-devices-wrong-index": env({"CUDA_VISIBLE_DEVICES": "1"}, gpus=MASKED),
    "harmful-environment-variable": env({"CUDA_FORCE_PTX_JIT": "1"}),
    "device-node-permissions": machine(
        driver=driver(cu_init=100), kernel_module=module(unreadable_nodes=("/dev/nvidiactl",))
    ),
    "wsl1-has-no-gpu": machine(
        host=linux(wsl=True, wsl_version=1), gpus=(), driver=None, kernel_module=None
    ),
    "wsl-linux-driver-installed": machine(
        host=wsl(), driver=driver(cu_init=100), kernel_module=no_module()
    ),
    "wsl-too-many-gpus": machine(
        host=wsl(),
        driver=driver(cu_init=2, libcuda_kind="wsl"),
        kernel_module=None,
        gpus=tuple(gpu(index=i) for i in range(7)),
    ),
    "nouveau-owns-gpu": machine(
        driver=None, gpus=(on_pci(driver="nouveau"),), kernel_module=no_module(nouveau_loaded=True)
    ),
    "kernel-module-missing-after-kernel-update": machine(
        **NO_DRIVER,
        kernel_module=no_module(built_for_kernel=False, other_kernels=("6.8.0-44-generic",)),
    ),
    "secure-boot-module-rejected": machine(
        host=linux(secure_boot=True), **NO_DRIVER, kernel_module=no_module()
    ),
    "prime-profile-hides-gpu": machine(
        gpus=(), driver=None, kernel_module=no_module(prime_profile="off"), torch=CPU
    ),
    "open-kernel-module-required": machine(
        gpus=(on_pci("NVIDIA GeForce RTX 5090", "12.0", driver="nvidia"),),
        driver=driver(cu_init=100),
        kernel_module=module(flavour="proprietary"),
    ),
    "nvml-driver-library-mismatch": machine(
        driver=driver("570.195.03", nvml_error="NVML_ERROR_LIB_RM_VERSION_MISMATCH", cu_init=803)
    ),
    "libcuda-missing": machine(driver=None, gpus=(on_pci(driver="nvidia"),)),
    "driver-not-loaded": machine(
        **NO_DRIVER, kernel_module=no_module(packages_installed=False, built_for_kernel=False)
    ),
    "driver-not-answering": machine(
        unknown={
            "driver": Reason("late", "NVML did not answer within 2 s"),
            "gpus": Reason("late", "NVML did not answer within 2 s"),
        }
    ),
    "gpu-needs-other-driver-branch": machine(
        **{
            **PASCAL,
            "driver": driver("595.58.03", "13.2", cu_init=100),
            "kernel_module": module("595.58.03", flavour="proprietary"),
        }
    ),
    "driver-too-old": machine(
        driver=driver("535.183.01", "12.2"), torch=torch("2.9.1+cu130", "13.0", sass=CU130)
    ),
    "gpu-not-visible-to-driver": machine(
        gpus=(A100, on_pci("NVIDIA A100-SXM4-80GB", "8.0", index=1))
    ),
    "nvml-unavailable": machine(driver=driver(nvml_error="NVML_ERROR_UNKNOWN")),
    "stub-libcuda-on-path": machine(
        driver=driver(cu_init=34, libcuda_kind="stub", libcuda_path="/usr/local/cuda/lib64/stubs")
    ),
    "libcuda-kernel-module-mismatch": machine(
        driver=driver("570.172.08", cu_init=803, libcuda_version="580.65.06")
    ),
    "forward-compat-unsupported-gpu": machine(
        driver=driver("535.183.01", "13.0", cu_init=804, libcuda_kind="compat")
    ),
    "fabric-manager-not-running": machine(
        gpus=tuple(gpu("NVIDIA H200", "9.0", index=i) for i in range(8)), driver=driver(cu_init=802)
    ),
    "cuda-unknown-999-uvm-after-suspend": machine(driver=driver(cu_init=999)),
    "cuda-init-failed": machine(driver=driver(cu_init=3)),
    "gpu-fell-off-bus": machine(log=(XID.format(79),), driver=driver(cu_init=100)),
    "gsp-firmware-timeout": machine(log=(XID.format(119),)),
    "ecc-uncorrectable": machine(gpus=(dataclasses.replace(A100, ecc_uncorrected=3),)),
    "gpu-exclusive-process-mode": machine(
        gpus=(gpu(compute_mode="exclusive_process", processes=(4711,)),)
    ),
    "mig-visibility": machine(gpus=(dataclasses.replace(MIG, mig_devices=()),)),
    "unknown-gpu": machine(gpus=(gpu("NVIDIA GeForce RTX 9999", "19.0"),)),
}

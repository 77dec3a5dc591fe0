"""Machines with GPUs of AMD and Intel: what goes wrong on them, and what only looks as if."""

from __future__ import annotations

from dataclasses import replace

from machines import cards, wheels
from machines.build import Driver, Machine
from machines.case import CONTAINER, IN_CONTAINER, NO_DRIVER, Case
from machines.trees import Module, System

_ROCM = wheels.TORCH_2_9_ROCM
_XPU = wheels.TORCH_2_9_XPU
_LEVEL_ZERO = {
    "lib/libze_intel_gpu.so.1": b"\x7fELF",
    "lib/libze_loader.so.1": b"\x7fELF",
}
_PATH = {"LD_LIBRARY_PATH": "{folder}/lib"}
_SECOND = replace(cards.RX_7900_XTX, address="0000:83:00.0", unique_id=0xAAAA0002)
_FIRST = replace(cards.RX_7900_XTX, unique_id=0xAAAA0001)


def _amd(*others: cards.OtherCard, **more: object) -> Machine:
    machine = Machine(others=others or (cards.RX_7900_XTX,), torch=_ROCM, **NO_DRIVER)  # type: ignore[arg-type]  # a driver and a module
    return replace(machine, **more)  # type: ignore[arg-type]  # named by the caller as fields


def _intel(*others: cards.OtherCard, **more: object) -> Machine:
    machine = Machine(
        others=others or (cards.ARC_A770,), torch=_XPU, files=_LEVEL_ZERO, env=_PATH, **NO_DRIVER
    )  # type: ignore[arg-type]  # a driver and a module
    return replace(machine, **more)  # type: ignore[arg-type]  # named by the caller as fields


def in_container(kind: str) -> System:
    """A container of Docker or podman."""
    mark = "/run/.containerenv" if kind == "podman" else "/.dockerenv"
    files = {path: text for path, text in CONTAINER.items() if path != "/.dockerenv"}
    return System(files={**files, mark: ""}, secure_boot=None)


def healthy() -> dict[str, Case]:
    """False alarms that must not sound."""
    machines = {
        "rx-7900-xtx-with-rocm": _amd(),
        "rx-7900-xtx-beside-processor-graphics": _amd(cards.RX_7900_XTX, cards.RAPHAEL),
        "two-rx-7900-xtx": _amd(_FIRST, _SECOND),
        "rx-7900-xtx-in-container": _amd(system=IN_CONTAINER),
        "one-of-two-amd-gpus-passed-in": _amd(
            _FIRST, replace(_SECOND, node_mode=None), system=IN_CONTAINER
        ),
        "amd-gpu-for-a-virtual-machine": _amd(
            _FIRST, replace(_SECOND, bound="vfio-pci", kfd_target=None)
        ),
        "amd-packaged-module": _amd(
            system=System(files={"/sys/module/amdgpu/version": "6.14.14\n"})
        ),
        "amd-masks-that-leave-one": _amd(
            _FIRST, _SECOND, env={"ROCR_VISIBLE_DEVICES": "1", "HIP_VISIBLE_DEVICES": "0"}
        ),
        "amd-mask-by-uuid": _amd(
            _FIRST, _SECOND, env={"ROCR_VISIBLE_DEVICES": "GPU-00000000aaaa0002"}
        ),
        "amd-empty-hip-mask": _amd(env={"HIP_VISIBLE_DEVICES": ""}),
        "amd-beside-old-nvidia-card": replace(
            _amd(), cards=(replace(cards.TESLA_K80, bound="nouveau"),)
        ),
        "closed-node-of-processor-graphics": _amd(
            cards.RX_7900_XTX, replace(cards.RAPHAEL, node_mode=0o000)
        ),
        "arc-a770-with-xpu": _intel(),
        "arc-b580-under-xe": _intel(cards.ARC_B580),
        "arc-a770-beside-processor-graphics": _intel(cards.ARC_A770, cards.UHD_770),
        "arc-a770-in-container": _intel(system=IN_CONTAINER),
    }
    machines |= {
        "mi300x-in-podman": _amd(cards.MI300X, system=in_container("podman")),
        "eight-mi300x": _amd(
            *(
                replace(cards.MI300X, address=f"0000:{bus:02x}:00.0", unique_id=0xBBBB0000 + bus)
                for bus in range(0x11, 0x19)
            )
        ),
        "rx-9070-xt-with-rocm": _amd(cards.RX_9070_XT),
        "rx-6800-xt-with-rocm": _amd(cards.RX_6800_XT),
        "strix-halo-alone": _amd(cards.STRIX_HALO, torch=wheels.TORCH_2_11_ROCM_7_2),
        "rx-6700-xt-with-the-override-it-needs": _amd(
            cards.RX_6700_XT, env={"HSA_OVERRIDE_GFX_VERSION": "10.3.0"}
        ),
        "radeon-vii-on-rocm-6-3": _amd(cards.RADEON_VII, torch=wheels.TORCH_2_9_ROCM_6_3),
        "amd-device-order-of-the-job": _amd(
            _FIRST, _SECOND, env={"CUDA_VISIBLE_DEVICES": "1", "SLURM_JOB_GPUS": "1"}
        ),
        "nvidia-card-with-amd-graphics-without-kfd": replace(
            _amd(cards.RAPHAEL, compute_mode=None, torch=wheels.TORCH_2_9_CU128),
            cards=(cards.RTX_4090,),
            driver=Driver(),
            module=Module(),
        ),
        "amd-in-kubernetes": _amd(
            system=in_container("docker"), env={"KUBERNETES_SERVICE_HOST": "10.96.0.1"}
        ),
        "meteor-lake-graphics-with-xpu": _intel(cards.METEOR_LAKE),
        "two-arc-with-a-mask-for-one": _intel(
            cards.ARC_A770,
            replace(cards.ARC_B580, address="0000:05:00.0"),
            env={**_PATH, "ZE_AFFINITY_MASK": "1"},
        ),
        "arc-with-a-selector-for-level-zero": _intel(
            env={**_PATH, "ONEAPI_DEVICE_SELECTOR": "level_zero:gpu"}
        ),
        "arc-compute-runtime-in-the-system": _intel(
            files={},
            env={},
            system=System(files={"/usr/lib/x86_64-linux-gnu/libze_intel_gpu.so.1": "\x7fELF"}),
        ),
    }
    return {name: Case(machine=machine, plain_user=True) for name, machine in machines.items()}


def ill() -> dict[str, Case]:
    """One fault each."""
    return {
        "amd-without-kernel-module": Case(
            machine=_amd(replace(cards.RX_7900_XTX, bound=None, kfd_target=None)),
            finds=("amd-driver-not-bound",),
        ),
        "amd-container-without-devices": Case(
            machine=_amd(
                replace(cards.RX_7900_XTX, node_mode=None),
                compute_mode=None,
                system=IN_CONTAINER,
            ),
            finds=("amd-device-files-missing",),
        ),
        "amd-container-without-kfd": Case(
            machine=_amd(compute_mode=None, system=IN_CONTAINER),
            finds=("amd-device-files-missing",),
        ),
        "amd-container-without-render-node": Case(
            machine=_amd(replace(cards.RX_7900_XTX, node_mode=None), system=IN_CONTAINER),
            finds=("amd-device-files-missing",),
        ),
        "amd-kernel-without-compute": Case(
            machine=_amd(compute_mode=None), finds=("amd-device-files-missing",)
        ),
        "amd-kfd-closed": Case(
            machine=_amd(compute_mode=0o000), finds=("amd-device-permissions",), plain_user=True
        ),
        "amd-render-node-closed": Case(
            machine=_amd(replace(cards.RX_7900_XTX, node_mode=0o000)),
            finds=("amd-device-permissions",),
            plain_user=True,
        ),
        "amd-container-of-another-group": Case(
            machine=_amd(
                replace(cards.RX_7900_XTX, node_mode=0o000),
                system=System(files={**CONTAINER, "/etc/group": "root:x:0:\n"}, secure_boot=None),
            ),
            finds=("amd-device-permissions",),
            plain_user=True,
        ),
        "amd-masks-that-leave-none": Case(
            machine=_amd(
                _FIRST, _SECOND, env={"ROCR_VISIBLE_DEVICES": "1", "HIP_VISIBLE_DEVICES": "1"}
            ),
            finds=("cuda-visible-devices-hides-gpus",),
        ),
        "rx-9070-xt-with-old-rocm": Case(
            machine=_amd(cards.RX_9070_XT, torch=wheels.TORCH_2_5_ROCM),
            finds=("rocm-torch-lacks-gfx",),
        ),
        "hsa-override-of-another-generation": Case(
            machine=_amd(env={"HSA_OVERRIDE_GFX_VERSION": "10.3.0"}),
            finds=("hsa-override-wrong",),
        ),
        "radeon-vii-on-rocm-6-4": Case(
            machine=_amd(cards.RADEON_VII), finds=("rocm-blas-lacks-gfx",)
        ),
        "override-that-is-no-version": Case(
            machine=_amd(env={"HSA_OVERRIDE_GFX_VERSION": "1100"}),
            finds=("hsa-override-wrong",),
        ),
        "rx-6700-xt-without-override": Case(
            machine=_amd(cards.RX_6700_XT), finds=("rocm-torch-lacks-gfx",)
        ),
        "steam-deck-with-the-override-of-others": Case(
            machine=_amd(cards.STEAM_DECK, env={"HSA_OVERRIDE_GFX_VERSION": "10.3.0"}),
            finds=("hsa-override-wrong",),
        ),
        "rx-7900-xtx-with-cpu-torch": Case(
            machine=_amd(torch=wheels.TORCH_2_9_CPU), finds=("amd-gpu-needs-rocm-torch",)
        ),
        "amd-podman-without-devices": Case(
            machine=_amd(
                replace(cards.RX_7900_XTX, node_mode=None),
                compute_mode=None,
                system=in_container("podman"),
            ),
            finds=("amd-device-files-missing",),
        ),
        "amd-pod-without-devices": Case(
            machine=_amd(
                replace(cards.MI300X, node_mode=None),
                compute_mode=None,
                system=in_container("docker"),
                env={"KUBERNETES_SERVICE_HOST": "10.96.0.1"},
            ),
            finds=("amd-device-files-missing",),
        ),
        "amd-module-gave-the-card-to-radeon": Case(
            machine=_amd(replace(cards.RX_6800_XT, bound="radeon", kfd_target=None)),
            finds=("amd-driver-not-bound",),
        ),
        "meteor-lake-graphics-with-cuda-torch": Case(
            machine=_intel(cards.METEOR_LAKE, torch=wheels.TORCH_2_9_CU128),
            finds=("intel-gpu-needs-xpu-torch",),
        ),
        "arc-podman-without-devices": Case(
            machine=_intel(replace(cards.ARC_A770, node_mode=None), system=in_container("podman")),
            finds=("intel-device-files-missing",),
        ),
        "arc-mask-counts-too-far": Case(
            machine=_intel(env={**_PATH, "ZE_AFFINITY_MASK": "3"}),
            finds=("cuda-visible-devices-hides-gpus",),
        ),
        "arc-b580-without-kernel-module": Case(
            machine=_intel(replace(cards.ARC_B580, bound=None)),
            finds=("intel-driver-not-bound",),
        ),
        "arc-a770-container-without-devices": Case(
            machine=_intel(replace(cards.ARC_A770, node_mode=None), system=IN_CONTAINER),
            finds=("intel-device-files-missing",),
        ),
        "arc-a770-over-ssh": Case(
            machine=_intel(replace(cards.ARC_A770, node_mode=0o000)),
            finds=("intel-device-permissions",),
            plain_user=True,
        ),
        "arc-a770-without-compute-runtime": Case(
            machine=_intel(files={}), finds=("intel-user-driver-missing",)
        ),
        "intel-selector-for-the-processor": Case(
            machine=_intel(env={**_PATH, "ONEAPI_DEVICE_SELECTOR": "opencl:cpu"}),
            finds=("cuda-visible-devices-hides-gpus",),
        ),
    }

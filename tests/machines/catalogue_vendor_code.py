"""AMD, Intel, Jetson and Mac machines whose torch brings a true library: its code decides."""

from __future__ import annotations

import struct
from dataclasses import replace

from machines import cards, sheets, wheels
from machines.build import Driver, Machine
from machines.case import NO_DRIVER, Case
from machines.catalogue_jetson import board
from machines.trees import Module, System
from xray.made import Section, elf
from xray.made_vendors import SPIRV, bundle, compressed, hip_fatbin, intel_image, wrappers

_LEVEL_ZERO = {"lib/libze_intel_gpu.so.1": b"\x7fELF", "lib/libze_loader.so.1": b"\x7fELF"}
_PATH = {"LD_LIBRARY_PATH": "{folder}/lib"}
_AHEAD = "__CLANG_OFFLOAD_BUNDLE__sycl-spir64_gen"
_JIT = "__CLANG_OFFLOAD_BUNDLE__sycl-spir64"
_HOST = Section(".text", bytes(4096))
"""What makes a library large enough to be one: smaller ones are not looked at."""
_NVPL = "libnvpl_lapack_lp64_gomp.so.0"

_ARC_A380 = replace(cards.ARC_A770, pci_id="8086:56a5")
_LUNAR_LAKE = replace(cards.METEOR_LAKE, pci_id="8086:64a0", bound="xe")
_RX_7800_XT = replace(cards.RX_7900_XTX, pci_id="1002:747e", revision="c8", kfd_target=110001)
_MI210 = replace(cards.MI300X, pci_id="1002:740f", kfd_target=90010)


def hip(*targets: str, packed: bool = False) -> dict[str, bytes]:
    """torch's library for ROCm with a bundle for these targets, and one for the host's part."""
    code = bundle(*targets)
    section, _ = hip_fatbin(compressed(code) if packed else code)
    data = elf(section, wrappers(64), _HOST)
    return {"torch/lib/libtorch_hip.so": data}


def xpu(*versions: str, jit: bool = True) -> dict[str, bytes]:
    """torch's library for Intel GPUs: images ahead of time, and SPIR-V for the driver."""
    sections = [Section(_AHEAD, intel_image(*versions, packed=False))] if versions else []
    sections += [Section(_JIT, SPIRV)] if jit else []
    return {"torch/lib/libtorch_xpu.so": elf(*sections, _HOST)}


def linked(*names: str) -> bytes:
    """A library that is linked to others."""
    strings, entries = b"\0", b""
    for name in names:
        entries += struct.pack("<QQ", 1, len(strings))
        strings += name.encode() + b"\0"
    return elf(Section(".dynamic", entries + bytes(16)), Section(".dynstr", strings))


def _amd(
    card: cards.OtherCard, code: dict[str, bytes], *, module: str | None = None, **more: object
) -> Machine:
    files = {"/sys/module/amdgpu/version": f"{module}\n"} if module else {}
    machine = Machine(
        others=(card,),
        torch=wheels.TORCH_2_9_ROCM,
        site_files=code,
        system=System(files=files),
        **NO_DRIVER,  # type: ignore[arg-type]  # a driver and a module
    )
    return replace(machine, **more)  # type: ignore[arg-type]  # named by the caller as fields


def _intel(card: cards.OtherCard, code: dict[str, bytes]) -> Machine:
    return Machine(
        others=(card,),
        torch=wheels.TORCH_2_9_XPU,
        site_files=code,
        files=_LEVEL_ZERO,
        env=_PATH,
        **NO_DRIVER,  # type: ignore[arg-type]  # a driver and a module
    )


def _thor(**more: object) -> Machine:
    machine = Machine(
        cards=(replace(cards.ORIN, name="NVIDIA Thor", capability="11.0"),),
        driver=Driver(version="580.00", cuda=13000, smi=None),
        module=Module(loaded=False, built_for=(), packages=False),
        system=board("38.2.0", "tegra264", "AGX Thor"),
        torch=replace(
            wheels.TORCH_2_9_CU130, version="2.9.1", sass="80 90 100 110 120", ptx="", requires={}
        ),
        site_files={"torch/lib/libtorch_cpu.so": linked(_NVPL, "libc.so.6", "libstdc++.so.6")},
        python="3.12.3",
    )
    return replace(machine, **more)  # type: ignore[arg-type]  # named by the caller as fields


def healthy() -> dict[str, Case]:
    """What the code in the binary clears, whatever tables say."""
    two = (
        replace(cards.RX_7900_XTX, unique_id=0xAAAA0001),
        replace(cards.RX_7900_XTX, address="0000:83:00.0", unique_id=0xAAAA0002),
    )
    served = hip("gfx90a", "gfx942", "gfx1100", "gfx1101")
    machines = {
        "rx-7900-xtx-by-its-own-library": _amd(cards.RX_7900_XTX, served),
        "rx-7800-xt-by-a-generic-target": _amd(_RX_7800_XT, hip("gfx90a", "gfx11-generic")),
        "rx-9070-xt-by-spirv": _amd(cards.RX_9070_XT, hip("gfx90a", "amdgcnspirv")),
        "mi210-with-code-for-both-xnack": _amd(_MI210, hip("gfx90a:xnack+", "gfx90a:xnack-")),
        "mi300x-in-a-plain-bundle": _amd(cards.MI300X, hip("gfx942", "gfx950")),
        "amd-package-of-rocm-6-4": _amd(cards.RX_7900_XTX, served, module="6.12.12"),
        "amd-package-newer-than-its-rocm": _amd(cards.RX_7900_XTX, served, module="6.16.13"),
        "amd-package-that-nobody-knows": _amd(cards.RX_7900_XTX, served, module="7.3.1"),
        "amd-masks-in-another-order": _amd(
            cards.RX_7900_XTX, served, others=two, env={"HIP_VISIBLE_DEVICES": "1,0"}
        ),
        "amd-mask-of-opencl-alone": _amd(
            cards.RX_7900_XTX, served, env={"GPU_DEVICE_ORDINAL": "7"}
        ),
        "amd-job-with-ray-and-its-own-mask": _amd(
            cards.RX_7900_XTX,
            served,
            packages={"ray": ("2.55.1",)},
            env={"HIP_VISIBLE_DEVICES": "0", "SLURM_JOB_ID": "7"},
        ),
        "arc-a770-by-its-own-image": _intel(cards.ARC_A770, xpu("12.60.7", "12.55.8", jit=False)),
        "arc-a380-by-its-relatives-image": _intel(_ARC_A380, xpu("12.55.8", jit=False)),
        "arc-b580-by-another-stepping": _intel(cards.ARC_B580, xpu("20.1.4", jit=False)),
        "lunar-lake-by-the-image-of-battlemage": _intel(_LUNAR_LAKE, xpu("20.1.0", jit=False)),
        "arc-b580-by-spirv": _intel(cards.ARC_B580, xpu("12.55.8", "12.60.7")),
        "jetson-thor-with-all-that-it-is-linked-to": _thor(
            site_files={
                "torch/lib/libtorch_cpu.so": linked(_NVPL, "libc.so.6"),
                f"nvpl/lib/{_NVPL}": b"\x7fELF",
            }
        ),
    }
    return {name: Case(machine=machine, plain_user=True) for name, machine in machines.items()} | {
        "mac-with-macos-26": Case(sheet=sheets.mac_with("26.1", "2.15.0", "14.0")),
        "mac-on-the-oldest-system-that-serves": Case(
            sheet=sheets.mac_with("14.0", "2.11.0", "11.0")
        ),
    }


def ill() -> dict[str, Case]:
    """What the code in the binary, or what it is linked to, lacks."""
    both = {"ROCR_VISIBLE_DEVICES": "1", "CUDA_VISIBLE_DEVICES": "1", "SLURM_JOB_ID": "7"}
    two = (
        replace(cards.MI300X, unique_id=0xBBBB0001),
        replace(cards.MI300X, address="0000:83:00.0", unique_id=0xBBBB0002),
    )
    return {
        "rx-9070-xt-that-its-library-leaves-out": Case(
            machine=_amd(cards.RX_9070_XT, hip("gfx90a", "gfx942", "gfx1100")),
            finds=("rocm-torch-lacks-gfx",),
        ),
        "mi210-with-code-for-xnack-alone": Case(
            machine=_amd(_MI210, hip("gfx90a:xnack+")), finds=("rocm-torch-lacks-gfx",)
        ),
        "rx-7900-xtx-with-the-generic-target-of-others": Case(
            machine=_amd(cards.RX_7900_XTX, hip("gfx12-generic", "gfx9-4-generic")),
            finds=("rocm-torch-lacks-gfx",),
        ),
        "amd-package-left-behind-by-rocm": Case(
            machine=_amd(
                cards.RX_7900_XTX,
                hip("gfx1100"),
                module="6.8.5",
                torch=wheels.TORCH_2_11_ROCM_7_2,
            ),
            finds=("amd-driver-outside-matrix",),
        ),
        "slurm-masks-of-all-vendors": Case(
            machine=_amd(cards.MI300X, hip("gfx942"), others=two, env=both),
            finds=("cuda-visible-devices-hides-gpus",),
        ),
        "slurm-mask-that-ray-refuses": Case(
            machine=_amd(
                cards.MI300X,
                hip("gfx942"),
                packages={"ray": ("2.55.1",)},
                env={"ROCR_VISIBLE_DEVICES": "0", "SLURM_JOB_ID": "7"},
            ),
            finds=("ray-refuses-rocr-mask",),
        ),
        "arc-b580-that-its-library-leaves-out": Case(
            machine=_intel(cards.ARC_B580, xpu("12.55.8", "12.60.7", jit=False)),
            finds=("xpu-torch-lacks-gpu",),
        ),
        "arc-a770-with-the-image-of-its-smaller-relative": Case(
            machine=_intel(cards.ARC_A770, xpu("12.56.5", jit=False)),
            finds=("xpu-torch-lacks-gpu",),
        ),
        "jetson-thor-without-nvpl": Case(machine=_thor(), finds=("undeclared-library-missing",)),
        "mac-too-old-for-its-gpu-kernels": Case(
            sheet=sheets.mac_with("13.6", "2.11.0", "11.0"), finds=("macos-too-old-for-torch",)
        ),
        "mac-too-old-for-its-torch": Case(
            sheet=sheets.mac_with("13.6", "2.15.0", "14.0"), finds=("macos-too-old-for-torch",)
        ),
        "mac-python-under-rosetta": Case(
            sheet=sheets.mac_with("15.5", "2.2.2", "10.13", rosetta=True),
            finds=("python-under-rosetta",),
        ),
    }

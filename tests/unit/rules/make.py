"""Fact sheets for tests of rules: a healthy machine, and small changes to it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from gpudoctor import rules
from gpudoctor.collect.reason import Reason
from gpudoctor.model.facts import (
    CodeGroup,
    Compiler,
    DeviceFile,
    Driver,
    Facts,
    Gpu,
    Host,
    KernelModule,
    Library,
    LoaderLibrary,
    Package,
    Python,
    Requirement,
    Torch,
    VendorDriver,
)
from gpudoctor.model.finding import Finding
from gpudoctor.model.sheet import FactSheet

GIB = 2**30
CU124 = ("sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90")
CU126 = CU124
CU128 = ("sm_70", "sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120")
CU130 = ("sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120")
ARM130 = ("sm_80", "sm_90", "sm_100", "sm_110", "sm_120")


def gpu(name: str = "NVIDIA GeForce RTX 4090", cc: str | None = "8.9", **more: Any) -> Gpu:
    """An NVIDIA GPU that the driver listed."""
    index = more.pop("index", 0)
    values: dict[str, Any] = {
        "index": index,
        "cuda_index": index,
        "name": name,
        "compute_capability": cc,
        "memory_bytes": 24 * GIB,
        "pci_address": f"0000:0{index + 1}:00.0",
        "uuid": f"GPU-{index}0000000-0000-0000-0000-000000000000",
        "driver": "nvidia",
    }
    return Gpu(**{**values, **more})


def on_pci(name: str = "NVIDIA GeForce RTX 4090", cc: str | None = "8.9", **more: Any) -> Gpu:
    """The same GPU as sysfs alone shows it: no driver has listed it."""
    blank = {"cuda_index": None, "memory_bytes": None, "uuid": None, "driver": None}
    return gpu(name, cc, **{**blank, **more})


def amd(name: str, gfx: str | None, **more: Any) -> Gpu:
    usual = {"index": 0, "driver": "amdgpu", "pci_address": "0000:03:00.0"}
    values: dict[str, Any] = {**usual, **more}
    return Gpu(name=name, vendor="amd", gfx=gfx, **values)


def intel(name: str, **more: Any) -> Gpu:
    values: dict[str, Any] = {"driver": "i915", "pci_address": "0000:03:00.0", **more}
    return Gpu(index=0, name=name, vendor="intel", **values)


def amd_stack(**more: Any) -> VendorDriver:
    """amdgpu with all that ROCm needs."""
    values: dict[str, Any] = {
        "modules": ("amdgpu",),
        "in_tree": True,
        "device_files": (device_file("/dev/kfd"), device_file("/dev/dri/renderD128")),
    }
    return VendorDriver(**{**values, **more})


def intel_stack(**more: Any) -> VendorDriver:
    """i915 with all that level-zero needs."""
    values: dict[str, Any] = {
        "modules": ("i915",),
        "device_files": (device_file("/dev/dri/renderD128"),),
        "libraries": ("/usr/lib/x86_64-linux-gnu/libze_intel_gpu.so.1",),
    }
    return VendorDriver(**{**values, **more})


def device_file(path: str, **more: Any) -> DeviceFile:
    values: dict[str, Any] = {
        "openable": True,
        "group_id": 992,
        "group": "render",
        "member": True,
    }
    return DeviceFile(path=path, **{**values, **more})


def driver(version: str = "570.172.08", cuda: str | None = "12.8", **more: Any) -> Driver:
    values: dict[str, Any] = {
        "version": version,
        "cuda": cuda,
        "source": "nvml",
        "libcuda_path": "/usr/lib/x86_64-linux-gnu/libcuda.so.1",
        "libcuda_version": version,
        "libcuda_kind": "driver",
        "cu_init": 0,
        "nvml_version": version,
    }
    return Driver(**{**values, **more})


def module(version: str | None = "570.172.08", **more: Any) -> KernelModule:
    values: dict[str, Any] = {
        "loaded": True,
        "version": version,
        "flavour": "open",
        "built_for_kernel": True,
        "packages_installed": True,
        "nouveau_loaded": False,
        "device_nodes": ("/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm"),
        "uvm_loaded": True,
    }
    return KernelModule(**{**values, **more})


def no_module(**more: Any) -> KernelModule:
    """A kernel in which no nvidia module runs."""
    blank = {"loaded": False, "flavour": None, "device_nodes": (), "uvm_loaded": False}
    return module(None, **{**blank, **more})


def torch(version: str = "2.9.1+cu128", cuda: str | None = "12.8", **more: Any) -> Torch:
    values: dict[str, Any] = {
        "version": version,
        "cuda": cuda,
        "sass": CU128 if cuda else (),
        "arch_source": "binary",
        "path": "/env/lib/python3.12/site-packages/torch",
        "copies": ("/env/lib/python3.12/site-packages/torch",),
        "cxx11_abi": True,
    }
    return Torch(**{**values, **more})


def package(name: str, version: str, *requires: str, **more: Any) -> Package:
    return Package(name=name, version=version, requires=requires, location="/env/sp", **more)


def library(path: str, owner: str, *groups: CodeGroup) -> Library:
    """A library whose containers carry the groups."""
    sass: dict[str, int] = {}
    for group in groups:
        for name in group.sass:
            sass[name] = sass.get(name, 0) + group.count
    fatbins = sum(group.count for group in groups)
    return Library(path=path, distribution=owner, fatbins=fatbins, sass=sass, groups=groups)


def hip_library(path: str, *targets: str, owner: str = "bitsandbytes") -> Library:
    """A library with AMD's device code for these targets."""
    return Library(path=path, distribution=owner, hip=dict.fromkeys(targets, 2))


def xpu_library(path: str, *images: str, owner: str = "torch") -> Library:
    """A library with images for Intel GPUs: IP versions, or `spirv`."""
    return Library(path=path, distribution=owner, xpu=dict.fromkeys(images, 2))


def group(
    *sass: str, ptx: tuple[str, ...] = (), count: int = 10, isa: str | None = None
) -> CodeGroup:
    return CodeGroup(sass=sass, ptx=ptx, count=count, ptx_isa=isa)


def on_path(name: str, path: str, version: str, via: str = "LD_LIBRARY_PATH") -> LoaderLibrary:
    return LoaderLibrary(name=name, path=path, version=version, via=via)


def requirement(name: str, specifier: str, installed: str | None) -> Requirement:
    return Requirement(name=name, specifier=specifier, installed=installed)


def linux(**more: Any) -> Host:
    values: dict[str, Any] = {
        "os": "linux",
        "arch": "x86_64",
        "distribution": "Ubuntu 24.04.1 LTS",
        "distribution_id": "ubuntu",
        "kernel": "6.8.0-45-generic",
        "libc": "glibc",
        "glibc": "2.39",
        "secure_boot": False,
        "shm_bytes": 32 * GIB,
    }
    return Host(**{**values, **more})


def wsl(**more: Any) -> Host:
    return linux(wsl=True, wsl_version=2, kernel="5.15.167.4-microsoft-standard-WSL2", **more)


def docker(**more: Any) -> Host:
    return linux(**{"container": "docker", "container_gpus": True, **more})


def jetson(**more: Any) -> Host:
    board = {"arch": "aarch64", "jetson": "NVIDIA Jetson AGX Orin", "l4t": "36.4.0"}
    return linux(**{**board, **more})


def facts(**changes: Any) -> Facts:
    """A workstation on which nothing is wrong, with some of its facts changed."""
    values: dict[str, Any] = {
        "host": linux(),
        "driver": driver(),
        "kernel_module": module(),
        "gpus": (gpu(),),
        "python": Python(
            executable="/env/bin/python",
            version="3.12.4",
            implementation="cpython",
            environment="venv",
            chosen_because="VIRTUAL_ENV",
            prefix="/env",
            tag="cp312",
            bits=64,
            headers=True,
        ),
        "torch": torch(),
        "compiler": Compiler(path="/usr/bin/gcc", name="gcc", version="13.2"),
    }
    return Facts(**{**values, **changes})


def machine(unknown: Mapping[str, str | Reason] | None = None, **changes: Any) -> FactSheet:
    """The sheet of `facts(**changes)`; `unknown` maps paths to why, a mere text being any why."""
    reasons = {
        path: Reason("not-asked", why) if isinstance(why, str) else why
        for path, why in (unknown or {}).items()
    }
    entries = tuple(why.unknown(path, "test") for path, why in reasons.items())
    return FactSheet(facts(**changes), entries)


def windows(**changes: Any) -> FactSheet:
    host = Host(os="windows", arch="x86_64", distribution="Windows 11")
    given = {"host": host, "kernel_module": None, "driver": driver("576.57", "12.9")}
    return machine(**{**given, **changes})


def judged(sheet: FactSheet) -> dict[str, Finding]:
    """The findings by name."""
    return {found.name: found for found in rules.judge(sheet).findings}


def with_environment(sheet: FactSheet, **variables: str) -> FactSheet:
    return dataclasses.replace(sheet, facts=dataclasses.replace(sheet.facts, environment=variables))

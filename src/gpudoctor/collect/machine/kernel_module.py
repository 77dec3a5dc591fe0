"""The kernel's side of the NVIDIA driver: module, flavour, device nodes, and what is on disk."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Literal

from gpudoctor.collect.gpus.pci import PciGpu
from gpudoctor.collect.system.sysroot import Sysroot
from gpudoctor.model.facts import KernelModule
from gpudoctor.model.pattern import late_pattern

_MODULES = "/lib/modules"
# `nvidia.ko`, Debian's `nvidia-current.ko`, `nvidia-open.ko`; compressed or not. Not nvidiafb.
_MODULE_FILE = late_pattern(
    r"(?:^|/)nvidia(?:-(?:current|open|legacy|tesla)[\w.-]*)?\.ko(?:\.\w+)?$", re.ASCII
)
_FOLDERS = ("updates/dkms", "extra", "extra/nvidia", "weak-updates/nvidia", "kernel/drivers/video")
_LIBRARY_FOLDERS = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/lib/x86_64-linux-gnu/nvidia/current",
)
_NODE = late_pattern(r"nvidia(?:\d+|ctl|-uvm|-modeset)$", re.ASCII)
_VERSION = late_pattern(r"\s(\d{3,}\.\d+(?:\.\d+)?)\s")


def read_kernel_module(root: Sysroot, kernel: str | None, gpus: Iterable[PciGpu]) -> KernelModule:
    """What /sys, /proc, /dev and /lib/modules say of the module. `kernel` is the running one.

    Raises:
        OSError: a file that decides cannot be read.
    """
    text = root.read("/proc/driver/nvidia/version")
    version = root.read("/sys/module/nvidia/version") or parse_version(text)
    loaded = root.is_dir("/sys/module/nvidia") or text is not None
    built: bool | None = True
    others: tuple[str, ...] = ()
    if not loaded:
        built, others = _on_disk(root, kernel)
    nodes = tuple(f"/dev/{name}" for name in root.names("/dev") if _NODE.match(name))
    return KernelModule(
        loaded=loaded,
        version=version,
        flavour=flavour(root, text) if loaded else None,
        built_for_kernel=built,
        other_kernels=others,
        packages_installed=_packages(root),
        nouveau_loaded=root.is_dir("/sys/module/nouveau"),
        pci_drivers={gpu.address: gpu.driver or "" for gpu in gpus if gpu.vendor == "nvidia"},
        device_nodes=nodes,
        unreadable_nodes=tuple(
            node for node in nodes if not os.access(root.place(node), os.R_OK | os.W_OK)
        ),
        # What prime-select of Ubuntu writes: `on`, `off`, `on-demand`.
        prime_profile=root.read_or_none("/etc/prime-discrete") or None,
        uvm_loaded=root.is_dir("/sys/module/nvidia_uvm"),
        power_state={
            gpu.address: gpu.power_state
            for gpu in gpus
            if gpu.vendor == "nvidia" and gpu.power_state
        },
    )


def parse_version(text: str | None) -> str | None:
    """Version in the first line of `/proc/driver/nvidia/version`.

    `NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024`
    """
    match = _VERSION.search((text or "").partition("\n")[0] + " ")
    return match[1] if match else None


def flavour(root: Sysroot, text: str | None) -> Literal["open", "proprietary"] | None:
    """`open` or `proprietary`: from the version line, else from the module's licence.

    The open module says `NVIDIA UNIX Open Kernel Module for x86_64`; its licence is
    `Dual MIT/GPL`, the other's `NVIDIA`.
    """
    line = (text or "").partition("\n")[0]
    if "Open Kernel Module" in line:
        return "open"
    if "Kernel Module" in line:
        return "proprietary"
    licence = root.read_or_none("/sys/module/nvidia/license")
    if licence:
        return "proprietary" if licence == "NVIDIA" else "open"
    return None


def _on_disk(root: Sysroot, kernel: str | None) -> tuple[bool | None, tuple[str, ...]]:
    """Whether a module for the running kernel is on disk, and the kernels that have one."""
    kernels = [name for name in root.names(_MODULES) if root.is_dir(f"{_MODULES}/{name}")]
    having = tuple(name for name in kernels if _has_module(root, name))
    if kernel is None or kernel not in kernels:
        # In a container the folder of the host's kernel is not there: nothing can be said.
        return (None, having)
    return (kernel in having, tuple(name for name in having if name != kernel))


def _has_module(root: Sysroot, kernel: str) -> bool:
    folder = f"{_MODULES}/{kernel}"
    listing = root.read_or_none(f"{folder}/modules.dep") or ""
    for name in (line.partition(":")[0] for line in listing.splitlines()):
        if _MODULE_FILE.search(name) and root.exists(f"{folder}/{name}"):
            return True
    # Not yet known to depmod, or Ubuntu's own builds, each in a folder named for its branch.
    folders = [f"{folder}/{name}" for name in _FOLDERS]
    branches = f"{folder}/kernel"
    folders += [f"{branches}/{name}" for name in root.names(branches) if name.startswith("nvidia")]
    return any(_MODULE_FILE.search(name) for place in folders for name in root.names(place))


def _packages(root: Sysroot) -> bool:
    names = ("libcuda.so.1", "libnvidia-ml.so.1")
    return any(
        root.exists(f"{folder}/{name}") for folder in _LIBRARY_FOLDERS for name in names
    ) or root.exists("/usr/bin/nvidia-smi")

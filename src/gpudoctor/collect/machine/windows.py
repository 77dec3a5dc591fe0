"""Host and GPUs of Windows: from the registry and from `sys`, no process is started."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Mapping
from typing import Any

from gpudoctor.collect.gpus.pci import PciGpu
from gpudoctor.collect.machine.machine_files import MachineFiles
from gpudoctor.collect.system.sysroot import Sysroot
from gpudoctor.model.facts import Host

_DISPLAY_CLASS = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
"""The device setup class of display adapters (learn.microsoft.com, "System-Defined Device Setup
Classes Available to Vendors", read 2026-11-20)."""
_HARDWARE_ID = re.compile(r"ven_([0-9a-f]{4})&dev_([0-9a-f]{4})", re.IGNORECASE | re.ASCII)
_VENDORS = {"10de": "nvidia", "1002": "amd", "8086": "intel"}
_ARCHES = {"AMD64": "x86_64", "ARM64": "arm64"}


def read(root: Sysroot, environ: Mapping[str, str], into: MachineFiles) -> None:
    """Read everything that the registry says."""
    del root, environ
    into.host = into.recorder.part("host", ("host",), read_windows)
    found = into.recorder.part("pci", (), find_gpus)
    if found is not None:
        into.pci, into.labels = found


def read_windows() -> Host:
    """The host under Windows."""
    version = platform.win32_ver()
    name = f"Windows {version[0]}" if version[0] else "Windows"
    arch = os.environ.get("PROCESSOR_ARCHITEW6432") or os.environ.get("PROCESSOR_ARCHITECTURE", "")
    return Host(
        os="windows",
        arch=_ARCHES.get(arch.upper(), arch.lower() or None),
        distribution=name,
        distribution_id="windows",
        distribution_version=version[1] or None,
        kernel=version[1] or None,
        secure_boot=_secure_boot(),
        cpu_model=os.environ.get("PROCESSOR_IDENTIFIER"),
        cpu_count=os.cpu_count(),
        memory_bytes=_memory(),
    )


def find_gpus() -> tuple[tuple[PciGpu, ...], Mapping[str, str]]:
    """Display adapters in the registry, and what their drivers call them."""
    found: list[PciGpu] = []
    labels: dict[str, str] = {}
    for number, entry in enumerate(_adapters()):
        gpu = adapter(entry, f"adapter {number}")
        if gpu is not None:
            found.append(gpu)
            if name := entry.get("DriverDesc"):
                labels[gpu.address] = str(name)
    return tuple(found), labels


def adapter(entry: Mapping[str, Any], address: str) -> PciGpu | None:
    """One adapter of the registry as a GPU; `None` if its vendor is none that torch serves.

    `MatchingDeviceId` reads `pci\\ven_10de&dev_2d04&subsys_…`; the memory is in
    `HardwareInformation.qwMemorySize`, bytes.
    """
    match = _HARDWARE_ID.search(str(entry.get("MatchingDeviceId", "")))
    vendor = _VENDORS.get(match[1].lower()) if match else None
    if match is None or vendor is None:
        return None
    size = entry.get("HardwareInformation.qwMemorySize")
    return PciGpu(
        address=address,
        on_bus=False,
        vendor=vendor,
        pci_id=f"{match[1]}:{match[2]}".lower(),
        memory_bytes=size if isinstance(size, int) and size > 0 else None,
    )


def _adapters() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if sys.platform == "win32":
        import winreg

        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _DISPLAY_CLASS) as folder:
            for number in range(winreg.QueryInfoKey(folder)[0]):
                try:
                    with winreg.OpenKey(folder, winreg.EnumKey(folder, number)) as key:
                        values = (
                            winreg.EnumValue(key, i) for i in range(winreg.QueryInfoKey(key)[1])
                        )
                        found.append({name: value for name, value, _ in values})
                except OSError:  # one that only the system may read
                    continue
    return found


def _secure_boot() -> bool | None:
    if sys.platform == "win32":
        import winreg

        place = r"SYSTEM\CurrentControlSet\Control\SecureBoot\State"
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:
                return bool(winreg.QueryValueEx(key, "UEFISecureBootEnabled")[0])
        except OSError:
            return None
    return None


def _memory() -> int | None:
    """Bytes of main memory, from GlobalMemoryStatusEx."""
    if sys.platform == "win32":
        import ctypes

        class Status(ctypes.Structure):
            _fields_ = (
                ("length", ctypes.c_ulong),
                ("load", ctypes.c_ulong),
                *((name, ctypes.c_ulonglong) for name in ("total", "b", "c", "d", "e", "f", "g")),
            )

        status = Status()
        status.length = ctypes.sizeof(Status)
        if ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
            return int(status.total)
    return None

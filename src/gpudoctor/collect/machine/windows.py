"""Host and GPUs of Windows: from the registry and from `sys`, no process is started."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gpudoctor.collect.gpus.pci import PciGpu
from gpudoctor.collect.machine.machine_files import MachineFiles
from gpudoctor.collect.machine.windows_settings import (
    read_settings,
    this_machine,
    this_memory,
    this_registry,
)
from gpudoctor.collect.system.sysroot import Sysroot
from gpudoctor.model.facts import PCI_VENDORS, Host
from gpudoctor.model.value import dataclass, replace

if sys.platform == "win32":
    import winreg

_DISPLAY_GUID = "{4d36e968-e325-11ce-bfc1-08002be10318}"
_DISPLAY_CLASS = rf"SYSTEM\CurrentControlSet\Control\Class\{_DISPLAY_GUID}"
"""The device setup class of display adapters (learn.microsoft.com, "System-Defined Device Setup
Classes Available to Vendors", read 2026-11-20)."""
_PCI = r"SYSTEM\CurrentControlSet\Enum\PCI"
_DISPLAY_SERVICES = frozenset({"basicdisplay", "nvlddmkm", "amdwddmg", "amdkmdag", "igfx", "igfxn"})
_HARDWARE_ID = re.compile(r"ven_([0-9a-f]{4})&dev_([0-9a-f]{4})", re.IGNORECASE | re.ASCII)
_WORKSTATION = 1
_CLIENTS = ((22000, "Windows 11"), (10240, "Windows 10"), (9600, "Windows 8.1"))
_SERVERS = (
    (26100, "Windows Server 2025"),
    (20348, "Windows Server 2022"),
    (17763, "Windows Server 2019"),
    (14393, "Windows Server 2016"),
)
_ARCHES = {"AMD64": "x86_64", "ARM64": "arm64"}


def read(root: Sysroot, environ: Mapping[str, str], into: MachineFiles) -> None:
    """Read everything that the registry says."""
    del root, environ
    into.host = into.recorder.part("host", ("host",), read_windows)
    settings = into.recorder.part(
        "windows settings",
        ("host.windows",),
        lambda: read_settings(this_registry(), this_memory(), this_machine()),
    )
    if into.host is not None:
        into.host = replace(into.host, windows=settings)
    found = into.recorder.part("pci", (), find_gpus)
    if found is not None:
        into.pci, into.labels = found


def read_windows() -> Host:
    """The host under Windows."""
    version = _version()
    number = ".".join(map(str, version[:3])) if version else None
    arch = os.environ.get("PROCESSOR_ARCHITEW6432") or os.environ.get("PROCESSOR_ARCHITECTURE", "")
    return Host(
        os="windows",
        arch=_ARCHES.get(arch.upper(), arch.lower() or None),
        distribution=windows_name(version[2], server=version[3]) if version else "Windows",
        distribution_id="windows",
        distribution_version=number,
        kernel=number,
        secure_boot=_secure_boot(),
        cpu_model=os.environ.get("PROCESSOR_IDENTIFIER"),
        cpu_count=os.cpu_count(),
        memory_bytes=memory.total if (memory := this_memory()) else None,
    )


def windows_name(build: int, *, server: bool) -> str:
    """What a build of Windows is sold as; the version number is 10.0 of all of them.

    Source: https://learn.microsoft.com/windows/release-health/ (release information of Windows 10,
    Windows 11 and Windows Server; read 2026-11-22).
    """
    names = _SERVERS if server else _CLIENTS
    return next((name for first, name in names if build >= first), "Windows")


def _version() -> tuple[int, int, int, bool] | None:
    """Major, minor, build, and whether it is a server; no process and no WMI is asked."""
    if sys.platform == "win32":
        found = sys.getwindowsversion()
        return found.major, found.minor, found.build, found.product_type != _WORKSTATION
    return None


def find_gpus() -> tuple[tuple[PciGpu, ...], Mapping[str, str]]:
    """Display adapters in the registry, and what their drivers call them.

    An adapter with a driver of its vendor has an entry in the class of display adapters. One under
    the Microsoft Basic Display Adapter, or with no driver at all, is named below `Enum\\PCI` alone.
    """
    return adapters(_class_entries(), _devices())


def adapters(
    entries: Iterable[Mapping[str, Any]], devices: Iterable[EnumeratedDevice]
) -> tuple[tuple[PciGpu, ...], Mapping[str, str]]:
    """The GPUs that the entries of the class and the devices on the bus show together."""
    devices = [device for device in devices if device.is_display]
    if any(device.present for device in devices):
        devices = [device for device in devices if device.present]
    found: list[PciGpu] = []
    labels: dict[str, str] = {}
    on_bus = [each for each in (device.gpu() for device in devices) if each is not None]
    ids = {gpu.pci_id for gpu in on_bus}
    for number, entry in enumerate(entries):
        gpu = adapter(entry, f"adapter {number}")
        # The entry of a card that was taken out stays for ever; the bus knows better.
        if gpu is None or (any(device.present for device in devices) and gpu.pci_id not in ids):
            continue
        found.append(gpu)
        if name := entry.get("DriverDesc"):
            labels[gpu.address] = str(name)
    taken = [gpu.pci_id for gpu in found]
    for gpu in on_bus:
        if gpu.pci_id in taken:
            taken.remove(gpu.pci_id)
        else:
            found.append(gpu)
    return tuple(found), labels


def adapter(entry: Mapping[str, Any], address: str) -> PciGpu | None:
    """One adapter of the class as a GPU; `None` if its vendor is none that torch serves.

    `MatchingDeviceId` reads `pci\\ven_10de&dev_2d04&subsys_…`; the memory is in
    `HardwareInformation.qwMemorySize`, bytes.
    """
    size = entry.get("HardwareInformation.qwMemorySize")
    memory = size if isinstance(size, int) and size > 0 else None
    return _gpu(str(entry.get("MatchingDeviceId", "")), address, memory=memory)


@dataclass(frozen=True, slots=True)
class EnumeratedDevice:
    """One device below `Enum\\PCI`."""

    hardware: str
    """Its key: `VEN_10DE&DEV_2D04&SUBSYS_…`."""
    instance: str
    values: Mapping[str, Any]
    present: bool
    """Whether it has the key `Control`, which lasts only while the device is there."""

    @property
    def is_display(self) -> bool:
        """Whether it is a display controller: by its class, its driver, or the bus's own word."""
        values = {name.lower(): value for name, value in self.values.items()}
        group = str(values.get("classguid", "")).lower()
        if group:
            return group == _DISPLAY_GUID
        if str(values.get("service", "")).lower() in _DISPLAY_SERVICES:
            return True
        names = [values.get("compatibleids"), values.get("hardwareid"), values.get("class")]
        text = " ".join(" ".join(n) if isinstance(n, list) else str(n) for n in names if n)
        return re.search(r"CC_03|\bDisplay\b", text, re.IGNORECASE) is not None

    def gpu(self) -> PciGpu | None:
        """The same as a GPU; `None` if its vendor is none that torch serves."""
        service = str(self.values.get("Service", "")).lower() or None
        return _gpu(self.hardware, f"{self.hardware} {self.instance}", driver=service)


def _gpu(
    hardware: str, address: str, *, memory: int | None = None, driver: str | None = None
) -> PciGpu | None:
    match = _HARDWARE_ID.search(hardware)
    vendor = PCI_VENDORS.get(match[1].lower()) if match else None
    if match is None or vendor is None:
        return None
    return PciGpu(
        address=address,
        on_bus=False,
        vendor=vendor,
        pci_id=f"{match[1]}:{match[2]}".lower(),
        memory_bytes=memory,
        driver=driver,
    )


def _class_entries() -> list[dict[str, Any]]:
    return [values for _, values, _ in _keys(_DISPLAY_CLASS)]


def _devices() -> list[EnumeratedDevice]:
    return [
        EnumeratedDevice(hardware, instance, values, "Control" in below)
        for hardware, _, instances in _keys(_PCI)
        if _HARDWARE_ID.search(hardware)
        for instance, values, below in (_keys(f"{_PCI}\\{hardware}") if instances else ())
    ]


def _keys(path: str) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
    """The keys below a key of the machine: name, values, names of the keys below it."""
    yield from ()  # nothing on other systems
    if sys.platform == "win32":
        try:
            folder = winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path)
        except FileNotFoundError:
            return
        with folder:
            for number in range(winreg.QueryInfoKey(folder)[0]):
                try:
                    name = winreg.EnumKey(folder, number)
                    with winreg.OpenKey(folder, name) as key:
                        below, count, _ = winreg.QueryInfoKey(key)
                        pairs = (winreg.EnumValue(key, each) for each in range(count))
                        values = {label: value for label, value, _ in pairs}
                        names = [winreg.EnumKey(key, each) for each in range(below)]
                except OSError:  # one that only the system may read
                    continue
                yield name, values, names


def _secure_boot() -> bool | None:
    if sys.platform == "win32":
        place = r"SYSTEM\CurrentControlSet\Control\SecureBoot\State"
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:
                return bool(winreg.QueryValueEx(key, "UEFISecureBootEnabled")[0])
        except OSError:
            return None
    return None

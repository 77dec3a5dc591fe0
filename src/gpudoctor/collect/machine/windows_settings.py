"""Settings of Windows from its registry, and what memory it may still promise.

Sources (2026-11-21): the long path policy,
https://learn.microsoft.com/windows/win32/fileio/maximum-file-path-limitation; commit,
https://learn.microsoft.com/windows/win32/api/sysinfoapi/ns-sysinfoapi-memorystatusex;
`HwSchMode`, 2 for on, is what the system's own switch writes. WSL keeps its distributions under
`Lxss` (github.com/microsoft/WSL).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from gpudoctor.model.lazy import later
from gpudoctor.model.parts.host_facts import WindowsSystem
from gpudoctor.model.value import dataclass

if sys.platform == "win32":
    import winreg

if TYPE_CHECKING:
    import ctypes
else:
    ctypes = later("ctypes")

Hive = Literal["HKEY_CURRENT_USER", "HKEY_LOCAL_MACHINE"]
_FILES = r"SYSTEM\CurrentControlSet\Control\FileSystem"
_GRAPHICS = r"SYSTEM\CurrentControlSet\Control\GraphicsDrivers"
_WSL = r"Software\Microsoft\Windows\CurrentVersion\Lxss"
_ON = 2
_MOST = 50
_MACHINES = {0x8664: "x86_64", 0xAA64: "arm64"}
"""IMAGE_FILE_MACHINE_AMD64 and …_ARM64 (learn.microsoft.com, "Image File Machine Constants")."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The two questions that the registry is asked; a recorded one answers them in tests."""

    value: Callable[[Hive, str, str], object]
    """The value of a name under a key; `None` where there is none."""
    keys: Callable[[Hive, str], list[str]]
    """The names of the keys below one."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What GlobalMemoryStatusEx answers, in bytes."""

    total: int
    commit_limit: int
    commit_free: int


def read_settings(
    registry: Registry, memory: Memory | None, machine: int | None = None
) -> WindowsSystem:
    """The settings that decide over torch."""
    mode = registry.value("HKEY_LOCAL_MACHINE", _GRAPHICS, "HwSchMode")
    # Windows without the value does not lift its limit.
    lifted = registry.value("HKEY_LOCAL_MACHINE", _FILES, "LongPathsEnabled")
    return WindowsSystem(
        long_paths=lifted == 1,
        native_arch=_MACHINES.get(machine) if machine is not None else None,
        gpu_scheduling=None if mode is None else mode == _ON,
        commit_limit_bytes=memory.commit_limit if memory else None,
        commit_free_bytes=memory.commit_free if memory else None,
        wsl=tuple(_distributions(registry)),
    )


def _distributions(registry: Registry) -> list[str]:
    found = []
    for key in registry.keys("HKEY_CURRENT_USER", _WSL)[:_MOST]:
        place = rf"{_WSL}\{key}"
        name = registry.value("HKEY_CURRENT_USER", place, "DistributionName")
        version = registry.value("HKEY_CURRENT_USER", place, "Version")
        if name:
            found.append(f"{name} (WSL {version})" if version else str(name))
    return sorted(found)


def this_registry() -> Registry:
    """The registry of this machine; one that knows nothing on other systems."""
    return Registry(_value, _keys)


def this_memory() -> Memory | None:
    """What this machine's memory is; `None` where it does not say."""
    if sys.platform == "win32":

        class Status(ctypes.Structure):
            """MEMORYSTATUSEX."""

            _fields_ = (
                ("length", ctypes.c_ulong),
                ("load", ctypes.c_ulong),
                *(
                    (name, ctypes.c_ulonglong)
                    for name in ("total", "free", "limit", "left", "space", "space_left", "more")
                ),
            )

        status = Status()
        status.length = ctypes.sizeof(Status)
        if ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
            return Memory(int(status.total), int(status.limit), int(status.left))
    return None


def this_machine() -> int | None:
    """The processor's own machine number, also where this process is emulated; `None` if unsaid.

    An x64 process on ARM64 reads AMD64 from every older source
    (https://learn.microsoft.com/windows/win32/api/wow64apiset/nf-wow64apiset-iswow64process2).
    """
    if sys.platform == "win32":
        kernel = ctypes.WinDLL("kernel32")
        process, native = ctypes.c_ushort(), ctypes.c_ushort()
        try:
            kernel.GetCurrentProcess.restype = ctypes.c_void_p
            asked = kernel.IsWow64Process2
            asked.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
        except AttributeError:  # before Windows 10 1511
            return None
        this = kernel.GetCurrentProcess()
        if asked(this, ctypes.byref(process), ctypes.byref(native)):
            return native.value
    return None


def _value(hive: Hive, place: str, name: str) -> object:
    if sys.platform == "win32":
        try:
            with winreg.OpenKey(getattr(winreg, hive), place) as key:
                found: object = winreg.QueryValueEx(key, name)[0]
                return found
        except OSError:
            pass
    return None


def _keys(hive: Hive, place: str) -> list[str]:
    if sys.platform == "win32":
        try:
            with winreg.OpenKey(getattr(winreg, hive), place) as key:
                return [winreg.EnumKey(key, n) for n in range(winreg.QueryInfoKey(key)[0])]
        except OSError:
            pass
    return []

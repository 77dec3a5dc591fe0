"""What Windows and macOS say, as far as it can be tried elsewhere."""

from __future__ import annotations

import pytest

from gpudoctor.collect.machine import macos, windows
from gpudoctor.model.facts import Host


def test_a_display_adapter_of_the_registry_is_a_gpu() -> None:
    entry = {
        "MatchingDeviceId": r"pci\ven_10de&dev_2D04&subsys_53511462",
        "DriverDesc": "NVIDIA GeForce RTX 5060 Ti",
        "HardwareInformation.qwMemorySize": 17179869184,
    }
    gpu = windows.adapter(entry, "adapter 0")
    assert gpu is not None
    assert (gpu.vendor, gpu.pci_id, gpu.memory_bytes) == ("nvidia", "10de:2d04", 17179869184)
    assert not gpu.on_bus


def test_a_virtual_display_is_none() -> None:
    assert windows.adapter({"MatchingDeviceId": r"root\basicdisplay"}, "adapter 1") is None
    assert windows.adapter({"MatchingDeviceId": r"pci\ven_1414&dev_5353"}, "adapter 2") is None
    assert windows.adapter({}, "adapter 3") is None


def test_the_host_of_windows_can_be_read_without_windows(monkeypatch) -> None:
    monkeypatch.setenv("PROCESSOR_ARCHITECTURE", "AMD64")
    host = windows.read_windows()
    assert (host.os, host.arch) == ("windows", "x86_64")
    monkeypatch.setenv("PROCESSOR_ARCHITEW6432", "ARM64")
    assert windows.read_windows().arch == "arm64"
    assert windows.find_gpus() == ((), {})


@pytest.mark.parametrize(
    ("build", "server", "name"),
    [
        (19045, False, "Windows 10"),
        (21999, False, "Windows 10"),
        (22000, False, "Windows 11"),
        (26200, False, "Windows 11"),
        (20348, True, "Windows Server 2022"),
        (26100, True, "Windows Server 2025"),
        (7601, False, "Windows"),
    ],
)
def test_a_build_of_windows_is_called_as_it_is_sold(build: int, server: bool, name: str) -> None:
    assert windows.windows_name(build, server=server) == name


def test_apple_silicon_has_a_gpu_and_an_intel_mac_none_that_serves() -> None:
    m3 = Host(os="macos", arch="arm64", cpu_model="Apple M3 Max", memory_bytes=64 << 30)
    (gpu,) = macos.find_gpus(m3)
    assert (gpu.vendor, gpu.name, gpu.memory_bytes) == ("apple", "Apple M3 Max", 64 << 30)
    assert macos.find_gpus(Host(os="macos", arch="x86_64")) == ()


def test_a_system_without_sysctl_by_name_says_nothing() -> None:
    assert macos.ask_kernel("machdep.cpu.brand_string") is None
    assert macos.read_macos().os == "macos"

"""What Windows and macOS say, as far as it can be tried elsewhere."""

from __future__ import annotations

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


def test_apple_silicon_has_a_gpu_and_an_intel_mac_none_that_serves() -> None:
    m3 = Host(os="macos", arch="arm64", cpu_model="Apple M3 Max", memory_bytes=64 << 30)
    (gpu,) = macos.find_gpus(m3)
    assert (gpu.vendor, gpu.name, gpu.memory_bytes) == ("apple", "Apple M3 Max", 64 << 30)
    assert macos.find_gpus(Host(os="macos", arch="x86_64")) == ()


def test_a_system_without_sysctl_by_name_says_nothing() -> None:
    assert macos.ask_kernel("machdep.cpu.brand_string") is None
    assert macos.read_macos().os == "macos"

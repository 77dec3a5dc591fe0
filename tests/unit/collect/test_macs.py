"""Macs, from what their kernels answered and how Python lies on them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from gpudoctor.collect.driver.presence import may_have_nvidia
from gpudoctor.collect.machine import machine_files, macos
from gpudoctor.collect.machine.machine_files import MachineFiles, read_machine
from gpudoctor.collect.python.environments import environments
from gpudoctor.collect.python.interpreter import choose
from gpudoctor.collect.system.sysroot import Sysroot
from unit.collect.environments import clean_environ, installation, venv

Kernel = Mapping[str, str | int]
M4: Kernel = {
    "machdep.cpu.brand_string": "Apple M4 Max",
    "hw.memsize": 128 << 30,
    "kern.osproductversion": "15.5",
}
ROSETTA: Kernel = {**M4, "sysctl.proc_translated": 1}
INTEL: Kernel = {
    "machdep.cpu.brand_string": "Intel(R) Core(TM) i9-9980HK CPU @ 2.40GHz",
    "hw.memsize": 64 << 30,
    "kern.osproductversion": "13.7.6",
}


def machine(monkeypatch: pytest.MonkeyPatch, kernel: Kernel, arch: str) -> MachineFiles:
    """What is read of a Mac whose kernel answers so, by a Python of this architecture."""

    def answer(name: str) -> bytes | None:
        value = kernel.get(name)
        if isinstance(value, int):
            return value.to_bytes(8 if value > 1 else 4, sys.byteorder)
        return value.encode() + b"\0" if value is not None else None

    monkeypatch.setattr(macos, "_raw", answer)
    monkeypatch.setattr(macos.platform, "machine", lambda: arch)
    monkeypatch.setattr(macos.platform, "mac_ver", lambda: ("10.16", ("", "", ""), arch))
    monkeypatch.setattr(machine_files, "this_machine", lambda: macos)
    found = MachineFiles(has_module=False)
    read_machine(Sysroot("/"), {}, found)
    assert found.recorder.problems == {}
    return found


def test_a_mac_of_apple_has_the_chip_s_gpu_with_the_chip_s_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = machine(monkeypatch, M4, "arm64")
    assert found.host is not None
    assert (found.host.arch, found.host.distribution) == ("arm64", "macOS 15.5")
    (gpu,) = found.apple
    assert (gpu.vendor, gpu.name, gpu.memory_bytes) == ("apple", "Apple M4 Max", 128 << 30)


def test_a_python_for_intel_on_it_is_one_that_rosetta_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    host = machine(monkeypatch, ROSETTA, "x86_64").host
    assert host is not None
    assert (host.rosetta, host.arch) == (True, "arm64")


def test_an_intel_mac_has_no_gpu_for_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    found = machine(monkeypatch, INTEL, "x86_64")
    assert found.host is not None
    assert (found.host.rosetta, found.host.arch, found.apple) == (False, "x86_64", ())


def test_a_kernel_that_says_nothing_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    host = machine(monkeypatch, {}, "arm64").host
    assert host is not None
    assert (host.distribution_version, host.memory_bytes) == ("10.16", None)


def test_no_mac_has_an_nvidia_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not may_have_nvidia({})


def framework(root: Path) -> Path:
    """python.org's Python for macOS: a framework, and links to it on the PATH."""
    prefix = root / "Library/Frameworks/Python.framework/Versions/3.12"
    installation(prefix, "3.12.7")
    commands = root / "usr/local/bin"
    commands.mkdir(parents=True)
    (commands / "python3").symlink_to(prefix / "bin/python3.12")
    return commands


def homebrew(root: Path) -> Path:
    """Homebrew's: a cellar, a framework in it, and links in two steps."""
    prefix = (
        root / "opt/homebrew/Cellar/python@3.12/3.12.7/Frameworks/Python.framework/Versions/3.12"
    )
    installation(prefix, "3.12.7")
    commands = root / "opt/homebrew/bin"
    commands.mkdir(parents=True)
    below = root / "opt/homebrew/Cellar/python@3.12/3.12.7/bin"
    below.mkdir(parents=True)
    (below / "python3").symlink_to(prefix / "bin/python3.12")
    (commands / "python3").symlink_to(below / "python3")
    return commands


@pytest.mark.parametrize("lay", [framework, homebrew])
def test_the_python_of_a_framework_is_found_behind_its_links(tmp_path: Path, lay) -> None:
    commands = lay(tmp_path)
    environ = clean_environ(tmp_path, PATH=str(commands))
    choice = choose(None, str(tmp_path), environ, "/nowhere")
    assert choice is not None
    assert choice.prefix.endswith("Python.framework/Versions/3.12")
    assert [each.keeper for each in environments(str(tmp_path), environ)] == ["system"]


def test_what_tools_keep_below_library_is_found(tmp_path: Path) -> None:
    base = installation(tmp_path / "base")
    place = "Library/Caches/pypoetry/virtualenvs/train-x-py3.11"
    venv(tmp_path / place, base)
    found = environments(str(tmp_path), clean_environ(tmp_path))
    assert [str(Path(each.prefix).relative_to(tmp_path)) for each in found] == [place]

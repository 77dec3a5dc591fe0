"""Whether a machine can have an NVIDIA GPU at all."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gpudoctor.collect.driver import presence
from gpudoctor.collect.driver.presence import may_have_nvidia

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux' files")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without anything."""
    monkeypatch.setattr(presence, "_FOLDERS", (str(tmp_path / "lib"),))
    monkeypatch.setattr(presence, "_LOADER_CACHE", str(tmp_path / "cache"))
    return tmp_path


def put(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@LINUX
def test_a_machine_without_a_driver_and_without_a_card_has_none(machine: Path) -> None:
    put(machine / "sys/bus/pci/devices/0000:00:02.0/vendor", "0x1002\n")
    assert not may_have_nvidia({"GPUDOCTOR_SYSROOT": str(machine)})


@LINUX
@pytest.mark.parametrize("path", ["dev/nvidiactl", "dev/dxg", "lib/libcuda.so.1"])
def test_a_device_or_a_library_speaks_for_one(machine: Path, path: str) -> None:
    put(machine / path)
    assert may_have_nvidia({"GPUDOCTOR_SYSROOT": str(machine)})


@LINUX
def test_a_card_without_a_driver_is_one(machine: Path) -> None:
    put(machine / "sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n")
    assert may_have_nvidia({"GPUDOCTOR_SYSROOT": str(machine)})


@LINUX
def test_a_library_on_the_loaders_path_is_found(machine: Path) -> None:
    put(machine / "elsewhere/libnvidia-ml.so.1")
    environ = {"GPUDOCTOR_SYSROOT": str(machine)}
    assert may_have_nvidia({**environ, "LD_LIBRARY_PATH": f":{machine / 'elsewhere'}"})
    (machine / "cache").write_bytes(b"x\0libcuda.so.1\0/opt/libcuda.so.1\0")
    assert may_have_nvidia(environ)

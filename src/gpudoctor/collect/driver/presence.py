"""Whether this machine can have an NVIDIA GPU at all: a glance, before anybody is asked.

Asking the driver takes two processes and, where there is no driver, finds nothing; that there is
neither a driver's library nor a GPU on the bus is seen in a millisecond.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping

from gpudoctor.collect.system.sysroot import Sysroot

_LIBRARIES = ("libcuda.so.1", "libnvidia-ml.so.1")
_WINDOWS_LIBRARIES = ("nvcuda.dll", "nvml.dll")
_FOLDERS = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib", "/usr/lib/wsl/lib")
_LOADER_CACHE = "/etc/ld.so.cache"
_DEVICES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/nvhost-gpu", "/dev/nvgpu")
_BUS, _NVIDIA = "/sys/bus/pci/devices", "0x10de"


def may_have_nvidia(environ: Mapping[str, str]) -> bool:
    """Whether anything speaks for an NVIDIA GPU or its driver; in doubt there is one."""
    if sys.platform == "darwin":
        return False
    if sys.platform == "win32":
        system = os.path.join(environ.get("SYSTEMROOT", r"C:\Windows"), "System32")
        return any(os.path.exists(os.path.join(system, name)) for name in _WINDOWS_LIBRARIES)
    root = Sysroot.from_environ(environ)
    return (
        any(os.path.exists(root.place(device)) for device in _DEVICES)
        or any(vendor == _NVIDIA for vendor in _vendors(root))
        or _has_library(environ)
    )


def _vendors(root: Sysroot) -> Iterator[str | None]:
    try:
        names = os.listdir(root.place(_BUS))
    except OSError:
        return
    for name in names:
        try:
            yield root.read(f"{_BUS}/{name}/vendor")
        except OSError:
            yield None


def _has_library(environ: Mapping[str, str]) -> bool:
    """Whether the loader would find a library of the driver; it is found the ordinary way."""
    folders = [*filter(None, environ.get("LD_LIBRARY_PATH", "").split(":")), *_FOLDERS]
    if any(os.path.exists(os.path.join(each, name)) for each in folders for name in _LIBRARIES):
        return True
    try:
        with open(_LOADER_CACHE, "rb") as file:
            cache = file.read()
    except OSError:  # musl has none: its folders are those above
        return False
    return any(name.encode() + b"\0" in cache for name in _LIBRARIES)

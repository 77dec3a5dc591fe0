"""Host and GPU of a Mac: asked from the kernel by `sysctl`'s function, no process is started."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping

from gpudoctor.collect.machine.machine_files import MachineFiles
from gpudoctor.collect.system.sysroot import Sysroot
from gpudoctor.model.facts import Gpu, Host


def read(root: Sysroot, environ: Mapping[str, str], into: MachineFiles) -> None:
    """Ask the kernel; a Mac has no bus that a GPU of torch could be on."""
    del root, environ
    into.pci = ()
    into.host = host = into.recorder.part("host", ("host",), read_macos)
    if host is not None:
        into.apple = into.recorder.part("gpus", ("gpus",), lambda: find_gpus(host)) or ()


def read_macos() -> Host:
    """The host under macOS."""
    # A Python built for an old macOS is told 10.16 of every newer one, unless it asks the kernel.
    release = ask_kernel("kern.osproductversion") or platform.mac_ver()[0]
    # A program for Intel that Rosetta runs is told x86_64; the kernel says what the Mac is.
    # https://developer.apple.com/documentation/apple-silicon/about-the-rosetta-translation-environment
    translated = _number("sysctl.proc_translated") == 1
    return Host(
        os="macos",
        arch="arm64" if translated else platform.machine() or None,
        rosetta=translated,
        distribution=f"macOS {release}" if release else "macOS",
        distribution_id="macos",
        distribution_version=release or None,
        kernel=platform.release() or None,
        cpu_model=ask_kernel("machdep.cpu.brand_string"),
        cpu_count=os.cpu_count(),
        memory_bytes=_number("hw.memsize"),
    )


def find_gpus(host: Host) -> tuple[Gpu, ...]:
    """The GPU of Apple silicon, which shares its chip's name and memory; none on Intel Macs."""
    if host.arch != "arm64":
        return ()
    return (
        Gpu(
            index=0,
            name=host.cpu_model or "Apple silicon",
            vendor="apple",
            memory_bytes=host.memory_bytes,
            integrated=True,
        ),
    )


def ask_kernel(name: str) -> str | None:
    """A text that the kernel keeps under `name`; `None` if there is none."""
    data = _raw(name)
    return data.rstrip(b"\0").decode("utf-8", "replace") or None if data else None


def _number(name: str) -> int | None:
    data = _raw(name)
    return int.from_bytes(data, sys.byteorder) if data else None


def _raw(name: str) -> bytes | None:
    import ctypes

    library = ctypes.CDLL(None)
    ask = getattr(library, "sysctlbyname", None)
    if ask is None:
        return None
    size = ctypes.c_size_t()
    if ask(name.encode(), None, ctypes.byref(size), None, 0) or not size.value:
        return None
    buffer = ctypes.create_string_buffer(size.value)
    if ask(name.encode(), buffer, ctypes.byref(size), None, 0):
        return None
    return buffer.raw[: size.value]

"""The computer and its operating system, from files; no process is started."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from typing import Literal

from gpudoctor.collect.machine import container, jetson
from gpudoctor.collect.system.sysroot import Sysroot
from gpudoctor.model.facts import Host
from gpudoctor.model.pattern import late_pattern

_EFI = "/sys/firmware/efi/efivars"
_GLIBC = late_pattern(rb"GNU C Library [^\n]{0,80}?version (\d+\.\d+)")
_LIBC_PLACES = (
    "/lib/x86_64-linux-gnu/libc.so.6",
    "/lib/aarch64-linux-gnu/libc.so.6",
    "/lib64/libc.so.6",
    "/usr/lib/libc.so.6",
)
_KIBIBYTE = 1024
_SIZES = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def read_linux(root: Sysroot, environ: Mapping[str, str]) -> Host:
    """The host under Linux (WSL and containers included)."""
    kernel = read_kernel(root)
    wsl = container.wsl_version(root, kernel)
    kind = container.find_container(root, environ)
    release = os_release(root)
    glibc, libc = read_libc(root)
    model, count = read_cpu(root)
    return Host(
        os="linux",
        arch=machine(root),
        distribution=release.get("PRETTY_NAME") or release.get("NAME"),
        distribution_id=release.get("ID"),
        distribution_version=release.get("VERSION_ID"),
        kernel=kernel,
        glibc=glibc,
        libc=libc,
        wsl=wsl is not None,
        wsl_version=wsl,
        container=kind,
        container_gpus=container.has_gpus(root) if kind else None,
        jetson=jetson.find_board(root),
        l4t=jetson.read_l4t(root),
        secure_boot=secure_boot(root),
        cpu_model=model,
        cpu_count=count,
        memory_bytes=read_memory(root),
        shm_bytes=shm_bytes(root),
    )


def read_kernel(root: Sysroot) -> str | None:
    """Release of the running kernel, `6.8.0-45-generic`."""
    release = root.read_or_none("/proc/sys/kernel/osrelease")
    return release or (os.uname().release if root.is_real else None)


def machine(root: Sysroot) -> str | None:
    """`x86_64` or `aarch64`; the kernel says so itself from 6.1 on.

    Elsewhere than on this machine it stands in the name of the loader.
    """
    if root.is_real:
        name = os.uname().machine
    else:
        name = root.read_or_none("/proc/sys/kernel/arch") or ""
        if not name:
            folders = [n for n in ("x86_64", "aarch64") if root.exists(f"/lib/{n}-linux-gnu")]
            name = folders[0] if len(folders) == 1 else ""
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(name, name) or None


def os_release(root: Sysroot) -> dict[str, str]:
    """The pairs of `/etc/os-release` (freedesktop.org), quotes taken off."""
    text = root.read_or_none("/etc/os-release") or root.read_or_none("/usr/lib/os-release") or ""
    pairs = (line.partition("=") for line in text.splitlines())
    return {key.strip(): value.strip().strip("\"'") for key, sign, value in pairs if sign}


def read_libc(root: Sysroot) -> tuple[str | None, Literal["glibc", "musl"] | None]:
    """Version of glibc and which C library it is; the version of musl does not matter."""
    if root.is_real and "CS_GNU_LIBC_VERSION" in os.confstr_names:
        try:
            text = os.confstr("CS_GNU_LIBC_VERSION") or ""
        except (OSError, ValueError):
            text = ""
        if text.startswith("glibc "):
            return text.split()[1], "glibc"
    for place in _LIBC_PLACES:
        try:
            data = root.read_bytes(place, 4 << 20)
        except OSError:
            continue
        if data and (match := _GLIBC.search(data)):
            return match[1].decode(), "glibc"
    if any(name.startswith("ld-musl-") for name in root.names("/lib")):
        return None, "musl"
    return None, None


def read_cpu(root: Sysroot) -> tuple[str | None, int | None]:
    """The processor's name and the number of its threads, from `/proc/cpuinfo`."""
    text = root.read_or_none("/proc/cpuinfo") or ""
    name = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    count = len(re.findall(r"^processor\s*:", text, re.MULTILINE))
    return (name[1].strip() if name else None), count or None


def read_memory(root: Sysroot) -> int | None:
    """Bytes of main memory that the kernel manages (`MemTotal`)."""
    match = re.search(r"^MemTotal:\s*(\d{1,15}) kB", root.read_or_none("/proc/meminfo") or "", re.M)
    return int(match[1]) * _KIBIBYTE if match else None


def shm_bytes(root: Sysroot) -> int | None:
    """Size of `/dev/shm`: asked from the file system, elsewhere read from the mount's options."""
    if root.is_real:
        if sys.platform == "win32":
            return None
        try:
            status = os.statvfs("/dev/shm")  # noqa: S108  # its size is the question
        except OSError:
            return None
        return status.f_blocks * status.f_frsize
    for line in (root.read_or_none("/proc/self/mountinfo") or "").splitlines():
        cells = line.split()
        if cells[4:5] == ["/dev/shm"]:  # noqa: S108  # its size is the question
            match = re.search(r"\bsize=(\d{1,15})([kmg]?)\b", cells[-1])
            return int(match[1]) * _SIZES.get(match[2], 1) if match else None
    return None


def secure_boot(root: Sysroot) -> bool | None:
    """Whether the firmware enforces signatures; `None` where it does not say.

    The variable's last byte is 1 if so, after four bytes of attributes (UEFI Specification,
    "SecureBoot").
    """
    for name in root.names(_EFI):
        if name.startswith("SecureBoot-"):
            try:
                data = root.read_bytes(f"{_EFI}/{name}", 16)
            except OSError:
                return None
            return data[4] == 1 if data and len(data) >= 5 else None
    # A machine that booted without EFI has no Secure Boot; in a container the folder is empty.
    names = root.names("/sys/firmware")
    return False if names and "efi" not in names else None

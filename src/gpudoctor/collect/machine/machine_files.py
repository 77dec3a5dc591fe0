"""The machine's files, read by operating system: host, bus, kernel module. One guard each."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from gpudoctor.collect.gpus.pci import PciGpu
from gpudoctor.collect.system.sysroot import Sysroot
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Gpu, Host, KernelModule, VendorDriver
from gpudoctor.model.value import dataclass, field

T = TypeVar("T")


@dataclass(slots=True)
class MachineFiles:
    """What the files said so far; it is filled in this order, and a late part stays unknown."""

    host: Host | None = None
    pci: tuple[PciGpu, ...] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    """What the system itself calls a GPU, by its address (Windows)."""
    apple: tuple[Gpu, ...] = ()
    module: KernelModule | None = None
    amd: VendorDriver | None = None
    intel: VendorDriver | None = None
    has_module: bool = sys.platform.startswith("linux")
    """Whether this operating system has a kernel module to speak of."""
    problems: dict[str, str] = field(default_factory=dict)
    """Part → why it could not be read."""
    timings: dict[str, float] = field(default_factory=dict)


def read_machine(root: Sysroot, environ: Mapping[str, str], into: MachineFiles) -> None:
    """Read everything that lies in files of the machine into `into`; never raises."""
    if sys.platform == "win32":
        _read_windows(into)
    elif sys.platform == "darwin":
        _read_macos(into)
    else:
        _read_linux(root, environ, into)


def _read_linux(root: Sysroot, environ: Mapping[str, str], into: MachineFiles) -> None:
    from gpudoctor.collect.gpus.pci import find_gpus
    from gpudoctor.collect.machine.host import read_kernel, read_linux
    from gpudoctor.collect.machine.kernel_module import read_kernel_module
    from gpudoctor.collect.machine.vendor_drivers import read_vendor_driver

    into.host = guarded("host", into, lambda: read_linux(root, environ))
    into.pci = guarded("pci", into, lambda: find_gpus(root))
    if into.pci == () and not root.is_dir("/sys/bus"):
        into.pci, into.problems["pci"] = None, "/sys is not mounted"
    gpus = into.pci or ()
    kernel = into.host.kernel if into.host else read_kernel(root)
    into.module = guarded("kernel module", into, lambda: read_kernel_module(root, kernel, gpus))
    into.amd = guarded("amd", into, lambda: read_vendor_driver(root, "amd", gpus, environ))
    into.intel = guarded("intel", into, lambda: read_vendor_driver(root, "intel", gpus, environ))


def _read_windows(into: MachineFiles) -> None:
    from gpudoctor.collect.machine.windows import find_gpus, read_windows

    into.host = guarded("host", into, read_windows)
    found = guarded("pci", into, find_gpus)
    if found is not None:
        into.pci, into.labels = found


def _read_macos(into: MachineFiles) -> None:
    from gpudoctor.collect.machine.macos import find_gpus, read_macos

    into.pci = ()
    into.host = host = guarded("host", into, read_macos)
    if host is not None:
        into.apple = guarded("gpus", into, lambda: find_gpus(host)) or ()


def not_passed_in(files: MachineFiles) -> frozenset[str | None]:
    """Addresses of the host's AMD and Intel GPUs that this container was not given.

    Where none was given, that is a fault to be told, not a choice.
    """
    if not files.host or not files.host.container:
        return frozenset()
    gone: set[str | None] = set()
    for vendor, stack in (("amd", files.amd), ("intel", files.intel)):
        given = {node.pci_address for node in stack.render_nodes} if stack else set()
        if given and None not in given:
            own = {gpu.address for gpu in files.pci or () if gpu.vendor == vendor}
            gone |= own - given
    return frozenset(gone)


def guarded(part: str, into: MachineFiles, read: Callable[[], T]) -> T | None:
    """What `read` gives; if it fails, `None`, and why in `into.problems`."""
    started = time.perf_counter()
    try:
        return read()
    except OSError as error:
        place = f"{error.filename} cannot be read: " if error.filename else ""
        into.problems[part] = f"{place}{error.strerror or error}"
    except Exception as error:  # a collector's mistake must not take the others with it
        into.problems[part] = f"the collector failed ({type(error).__name__}: {error})"
    finally:
        into.timings[part] = (time.perf_counter() - started) * 1000
    return None


def unknown_parts(files: MachineFiles) -> list[Unknown]:
    """What could not be read, by the facts that it would have given, and why."""
    paths = {"host": "host", "kernel module": "kernel_module", "amd": "amd", "intel": "intel"}
    entries = [
        Unknown(paths[part], why, "files") for part, why in files.problems.items() if part in paths
    ]
    host, module = files.host, files.module
    if host is not None:
        if host.os != "macos" and host.secure_boot is None:
            why = "the firmware's variables cannot be read from here"
            entries.append(Unknown("host.secure_boot", why, "/sys/firmware/efi/efivars"))
        if host.os == "linux" and host.libc is None:
            for name in ("glibc", "libc"):
                why = "no C library was found where Linux keeps it"
                entries.append(Unknown(f"host.{name}", why, "files"))
        for name in ("arch", "memory_bytes", "kernel"):
            if getattr(host, name) is None:
                entries.append(Unknown(f"host.{name}", "the system does not say it", "/proc"))
    if module is not None and module.loaded:
        for name in ("version", "flavour"):
            if getattr(module, name) is None:
                why = "/proc/driver/nvidia and /sys/module/nvidia do not say it"
                entries.append(Unknown(f"kernel_module.{name}", why, "/proc"))
    if module is not None and module.built_for_kernel is None:
        why = "/lib/modules has no folder for the running kernel"
        entries.append(Unknown("kernel_module.built_for_kernel", why, "/lib/modules"))
    return entries

"""What the machine's own files say: host, bus, kernel module, whichever system it is."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Protocol

from gpudoctor.collect.gpus.pci import PciGpu
from gpudoctor.collect.reason import Reason
from gpudoctor.collect.recorder import Recorder
from gpudoctor.collect.system.sysroot import Sysroot
from gpudoctor.model.facts import Gpu, Host, KernelModule, VendorDriver
from gpudoctor.model.value import dataclass, field


@dataclass(slots=True)
class MachineFiles:
    """What the files said so far; it is filled in this order, and a late part stays unknown."""

    host: Host | None = None
    pci: tuple[PciGpu, ...] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    """What the system itself calls a GPU, by its address (Windows)."""
    apple: tuple[Gpu, ...] = ()
    jetson: Gpu | None = None
    """The GPU that a Jetson's device tree names."""
    module: KernelModule | None = None
    amd: VendorDriver | None = None
    intel: VendorDriver | None = None
    has_module: bool = sys.platform.startswith("linux")
    """Whether this operating system has a kernel module to speak of."""
    recorder: Recorder = field(default_factory=Recorder)
    """Which parts could not be read and why, and how long each took."""


class Machine(Protocol):
    """What the module of each operating system offers: `linux`, `windows`, `macos`."""

    def read(self, root: Sysroot, environ: Mapping[str, str], into: MachineFiles) -> None:
        """Read everything that lies in files into `into`, each part under its guard."""


def read_machine(root: Sysroot, environ: Mapping[str, str], into: MachineFiles) -> None:
    """Read everything that lies in files of the machine into `into`; never raises."""
    this_machine().read(root, environ, into)


def this_machine() -> Machine:
    """The module of this operating system."""
    if sys.platform == "win32":
        from gpudoctor.collect.machine import windows

        return windows
    if sys.platform == "darwin":
        from gpudoctor.collect.machine import macos

        return macos
    from gpudoctor.collect.machine import linux

    return linux


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


def note_unknown(files: MachineFiles) -> None:
    """Write down what the files that were read do not say, and why."""
    recorder, host, module = files.recorder, files.host, files.module
    if host is not None:
        if host.os != "macos" and host.secure_boot is None:
            why = Reason("denied", "the firmware's variables cannot be read from here")
            recorder.miss("host", {"secure_boot": why}, "/sys/firmware/efi/efivars")
        if host.os == "linux" and host.libc is None:
            why = Reason("not-asked", "no C library was found where Linux keeps it")
            recorder.miss("host", {"glibc": why, "libc": why}, "files")
        silent = Reason("not-asked", "the system does not say it")
        names = [n for n in ("arch", "memory_bytes", "kernel") if getattr(host, n) is None]
        recorder.miss("host", dict.fromkeys(names, silent), "/proc")
    if module is not None and module.loaded:
        why = Reason("not-asked", "/proc/driver/nvidia and /sys/module/nvidia do not say it")
        names = [name for name in ("version", "flavour") if getattr(module, name) is None]
        recorder.miss("kernel_module", dict.fromkeys(names, why), "/proc")
    if module is not None and module.built_for_kernel is None:
        why = Reason("not-asked", "/lib/modules has no folder for the running kernel")
        recorder.miss("kernel_module", {"built_for_kernel": why}, "/lib/modules")

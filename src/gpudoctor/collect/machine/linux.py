"""Linux, WSL and containers included: host, bus and kernel modules, each part under its guard."""

from __future__ import annotations

from collections.abc import Mapping

from gpudoctor.collect.gpus.pci import find_gpus
from gpudoctor.collect.machine.host import read_kernel, read_linux
from gpudoctor.collect.machine.jetson import board_gpu
from gpudoctor.collect.machine.kernel_module import read_kernel_module
from gpudoctor.collect.machine.machine_files import MachineFiles
from gpudoctor.collect.machine.vendor_drivers import read_vendor_driver
from gpudoctor.collect.reason import Reason
from gpudoctor.collect.system.sysroot import Sysroot


def read(root: Sysroot, environ: Mapping[str, str], into: MachineFiles) -> None:
    """Read everything that lies below /sys, /proc, /dev and /etc."""
    part = into.recorder.part
    into.host = part("host", ("host",), lambda: read_linux(root, environ))
    into.pci = part("pci", (), lambda: find_gpus(root))
    if into.pci == () and not root.is_dir("/sys/bus"):
        into.pci = None
        into.recorder.problems["pci"] = Reason("not-asked", "/sys is not mounted")
    gpus = into.pci or ()
    kernel = into.host.kernel if into.host else read_kernel(root)
    into.module = part(
        "kernel module", ("kernel_module",), lambda: read_kernel_module(root, kernel, gpus)
    )
    into.amd = part("amd", ("amd",), lambda: read_vendor_driver(root, "amd", gpus, environ))
    into.intel = part("intel", ("intel",), lambda: read_vendor_driver(root, "intel", gpus, environ))
    if into.host and into.host.jetson:
        into.jetson = part("jetson", (), lambda: board_gpu(root))

"""One scan: the binaries under some paths, judged for the GPUs named or those of this machine."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gpudoctor.binaries.scan import Progress, scan
from gpudoctor.binaries.table import ScanTable, judge
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.errors import UsageError

if TYPE_CHECKING:
    from gpudoctor.collect.drivers import DriverChildren

_DRIVER_SECONDS = 5.0


def scan_paths(
    paths: Sequence[str],
    gpus: Sequence[str] | None,
    environ: Mapping[str, str],
    progress: Progress | None = None,
) -> ScanTable:
    """Read what is under `paths` and judge it.

    `gpus` are names as people write them; without any it is judged for the GPUs of this
    machine and by its driver, and if there are none, for no GPU.

    Raises:
        UsageError: a path or a GPU is not known, or a named file cannot be read.
    """
    if gpus:
        return judge(scan(paths, progress), named(gpus))
    from gpudoctor.collect.drivers import start_children

    children = start_children(environ)  # they wait for the driver while files are read
    try:
        found = scan(paths, progress)
        here, cuda = _this_machine(children, environ)
    finally:
        from gpudoctor.collect.runner import kill_all

        kill_all()
    from gpudoctor.binaries.coverage import driver_compiles

    return judge(found, here, driver_compiles(cuda))


def named(gpus: Sequence[str]) -> list[ComputeCapability]:
    """The compute capabilities of GPUs that were named, each once, in the order given.

    Raises:
        UsageError: one is not known, or has none.
    """
    from gpudoctor.prescribe.gpu_names import gpu_of

    found: list[ComputeCapability] = []
    for index, text in enumerate(gpus):
        gpu = gpu_of(text, index)
        if gpu.compute_capability is None:
            raise UsageError(
                f"--gpu {text!r} is no NVIDIA GPU; scan reads the device code of CUDA alone"
            )
        capability = ComputeCapability.parse(gpu.compute_capability)
        if capability not in found:
            found.append(capability)
    return found


def _this_machine(
    children: DriverChildren, environ: Mapping[str, str]
) -> tuple[list[ComputeCapability], str | None]:
    """The capabilities of its NVIDIA GPUs, and the CUDA version that its driver serves."""
    from gpudoctor.collect.driver import merge_driver
    from gpudoctor.collect.drivers import ask_cuda, ask_nvml
    from gpudoctor.collect.gpus import GpuSources, merge_gpus
    from gpudoctor.collect.machine import MachineFiles, read_machine
    from gpudoctor.collect.sysroot import Sysroot

    end = time.monotonic() + _DRIVER_SECONDS
    files = MachineFiles()
    read_machine(Sysroot.from_environ(environ), environ, files)
    nvml = ask_nvml(children.nvml, end - time.monotonic())
    cuda = ask_cuda(children.cuda, max(0.1, end - time.monotonic()))
    found, _, _ = merge_gpus(
        GpuSources(
            pci=files.pci or (),
            naming=files.naming,
            nvml=nvml,
            cuda=cuda,
            environ=environ,
            in_container=bool(files.host and files.host.container),
        )
    )
    driver, _, _ = merge_driver(nvml, cuda, None, files.module)
    capabilities = {
        ComputeCapability.parse(gpu.compute_capability)
        for gpu in found
        if gpu.vendor == "nvidia" and gpu.compute_capability
    }
    return sorted(capabilities), driver.cuda if driver else None

"""One scan: the binaries under some paths, judged for the GPUs named or those of this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gpudoctor.binaries.judgement.coverage import GpuByGfx, IntelGpu, driver_compiles
from gpudoctor.binaries.scan import Progress, Scan, scan
from gpudoctor.binaries.table import Gpu, ScanTable, judge
from gpudoctor.collect.long_paths import extended, ordinary_text
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.errors import UsageError
from gpudoctor.kb.hardware.nvidia_gpus import all_capabilities
from gpudoctor.model.lazy import later
from gpudoctor.model.terms.inner_texts import with_texts
from gpudoctor.model.value import replace

if TYPE_CHECKING:
    from gpudoctor import collect
    from gpudoctor.collect.driver import asking, presence
    from gpudoctor.collect.driver.asking import DriverChildren
    from gpudoctor.collect.process import runner
    from gpudoctor.kb.hardware import intel_gpus as intel
    from gpudoctor.prescribe.request import gpu_names
else:  # loaded when they are needed
    asking = later("gpudoctor.collect.driver.asking")
    collect = later("gpudoctor.collect")
    gpu_names = later("gpudoctor.prescribe.request.gpu_names")
    intel = later("gpudoctor.kb.hardware.intel_gpus")
    presence = later("gpudoctor.collect.driver.presence")
    runner = later("gpudoctor.collect.process.runner")

_DRIVER_SECONDS = 10.0


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
        wanted = named(gpus)  # first: a name that nobody knows need not wait for gigabytes
        return replace(judge(_scan(paths, progress), wanted), named=True)

    if not presence.may_have_nvidia(environ):
        return judge(_scan(paths, progress), ())

    children = asking.start_children(environ)  # they wait for the driver while files are read
    try:
        found = _scan(paths, progress)
    except BaseException:
        runner.kill_all()
        raise
    here, cuda = _this_machine(children, environ)

    return judge(found, here, driver_compiles(cuda))


def _scan(paths: Sequence[str], progress: Progress | None) -> Scan:
    """As `scan`, of paths of any length, told as people write them."""
    if os.name != "nt":
        return scan(paths, progress)
    try:
        # Every folder in that form, since nobody knows how deep the files in it lie.
        return with_texts(scan([extended(path) for path in paths], progress), ordinary_text)
    except UsageError as error:
        raise UsageError(ordinary_text(str(error))) from error


def named(gpus: Sequence[str]) -> list[Gpu]:
    """The GPUs that were named, each once, in the order given.

    Raises:
        UsageError: one is not known, or has none.
    """
    found = [_gpu(text, index) for index, text in enumerate(gpus)]
    return list(dict.fromkeys(found))


def _gpu(text: str, index: int) -> Gpu:
    try:
        capability = ComputeCapability.parse(text)
        if str(capability) in all_capabilities():
            return capability
    except ValueError:
        pass
    # Names need the whole of `prescribe`, which takes as long to import as all else together.

    gpu = gpu_names.gpu_of(text, index)
    if gpu.gfx is not None:
        return GpuByGfx(gpu.gfx)
    if gpu.vendor == "intel":
        return _intel(text)
    if gpu.compute_capability is None:
        raise UsageError(f"--gpu {text!r}: scan judges for GPUs of NVIDIA, AMD and Intel alone")
    return ComputeCapability.parse(gpu.compute_capability)


def _intel(text: str) -> IntelGpu:
    version = intel.version_of_target(text) or intel.ip_version(None, text)
    if version is None:
        raise UsageError(
            f"--gpu {text!r} stands for several kinds of Intel GPUs; name the card (Arc A770) or "
            "its target (acm-g10)"
        )
    return IntelGpu(version, intel.target_of_version(version))


def _this_machine(
    children: DriverChildren, environ: Mapping[str, str]
) -> tuple[list[ComputeCapability], str | None]:
    """The capabilities of its NVIDIA GPUs, and the CUDA version that its driver serves."""
    facts = collect.collect(None, _DRIVER_SECONDS, os.getcwd(), environ, children).facts
    capabilities = {
        ComputeCapability.parse(gpu.compute_capability)
        for gpu in facts.gpus
        if gpu.vendor == "nvidia" and gpu.compute_capability
    }
    return sorted(capabilities), facts.driver.cuda if facts.driver else None

"""All collectors at once, each in a thread of its own and none waited for beyond the deadline."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping

from gpudoctor.collect.driver.answers import CudaAnswer, NvmlAnswer
from gpudoctor.collect.driver.asking import DriverChildren, ask_cuda, ask_nvml, take_children
from gpudoctor.collect.driver.merge_driver import NO_LIBRARY, merge_driver
from gpudoctor.collect.driver.smi import SmiAnswer, ask_nvidia_smi
from gpudoctor.collect.fragment import Fragment, merge
from gpudoctor.collect.gpus.merge_gpus import GpuSources, merge_gpus
from gpudoctor.collect.gpus.pci import PciGpu
from gpudoctor.collect.gpus.pci_names import Naming
from gpudoctor.collect.machine.machine_files import (
    MachineFiles,
    guarded,
    not_passed_in,
    read_machine,
    unknown_parts,
)
from gpudoctor.collect.process import runner
from gpudoctor.collect.system.sysroot import Sysroot
from gpudoctor.model.fact import Unknown
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import dataclass, field, replace

_RESERVE = runner.GRACE_SECONDS + 0.2
"""Seconds kept back for killing children and for merging."""
_LEAST = 0.2
_SMI_SECONDS = 10.0
"""More is not worth waiting for the words in which nvidia-smi says what NVML has said."""
_SLICE = 0.1
"""Seconds; on Windows a waiting main thread hears of Ctrl-C only between two waits."""
_PATIENT = ("python", "torch", "packages", "libraries", "toolkits", "compiler", "loader")


@dataclass(slots=True)
class _Machine:
    """What the threads found so far; what is late keeps its first value, which says so."""

    files: MachineFiles = field(default_factory=MachineFiles)
    nvml: NvmlAnswer = field(default_factory=lambda: NvmlAnswer(problem="NVML was not asked"))
    smi: SmiAnswer | None = None
    cuda: CudaAnswer = field(default_factory=lambda: CudaAnswer(problem="CUDA was not asked"))
    unmasked: CudaAnswer | None = None
    patient: Fragment | None = None
    patient_problem: str = ""
    timings: dict[str, float] = field(default_factory=dict)


def collect(
    target: str | None,
    deadline_seconds: float,
    cwd: str,
    environ: Mapping[str, str],
    children: DriverChildren | None = None,
) -> FactSheet:
    """Everything that can be known of this machine and of the environment `target`.

    Returns within `deadline_seconds`; what was not known by then is `unknown` with the reason.
    `children` are those that ask the driver, where the caller started them. On Ctrl-C every
    child is killed before the exception goes on.

    Raises:
        UsageError: `target` is no interpreter and no environment.
    """
    end = time.monotonic() + deadline_seconds
    children = children or take_children(environ)
    found = _Machine()
    try:
        _run_all(_jobs(found, children, target, cwd, environ, end), end, found)
    except BaseException:
        runner.kill_all()
        raise
    return merge([_machine_fragment(found, environ), _patient_fragment(found, deadline_seconds)])


def _jobs(
    found: _Machine,
    children: DriverChildren,
    target: str | None,
    cwd: str,
    environ: Mapping[str, str],
    end: float,
) -> dict[str, Callable[[], None]]:
    def left() -> float:
        return max(_LEAST, end - time.monotonic() - _RESERVE)

    def nvml() -> None:
        found.nvml = ask_nvml(children.nvml, left())
        if found.nvml.ok or (found.nvml.seconds and left() <= _LEAST):
            return
        started = time.perf_counter()
        found.smi = ask_nvidia_smi(environ, min(left(), _SMI_SECONDS))
        found.timings["nvidia-smi"] = (time.perf_counter() - started) * 1000

    def cuda() -> None:
        found.cuda = ask_cuda(children.cuda, left())

    def unmasked() -> None:
        if children.unmasked is not None:
            found.unmasked = ask_cuda(children.unmasked, left())

    def files() -> None:
        read_machine(Sysroot.from_environ(environ), environ, found.files)

    def patient() -> None:
        from gpudoctor.collect.environment import collect_patient

        found.patient = collect_patient(target, cwd, environ, end - _RESERVE)

    return {"nvml": nvml, "cuda": cuda, "unmasked": unmasked, "files": files, "patient": patient}


def _run_all(jobs: Mapping[str, Callable[[], None]], end: float, found: _Machine) -> None:
    """Run the jobs in threads that nobody waits for at the end of the program.

    Raises:
        GpuDoctorError: a job refused its input; other failures of a job are noted and no more.
    """
    from gpudoctor.errors import GpuDoctorError

    refused: list[GpuDoctorError] = []

    def guard(name: str, job: Callable[[], None]) -> None:
        started = time.perf_counter()
        try:
            job()
        except GpuDoctorError as error:
            refused.append(error)
        except Exception as error:  # a collector's mistake must not take the others with it
            _note_failure(found, name, f"the collector failed ({type(error).__name__}: {error})")
        found.timings[name] = (time.perf_counter() - started) * 1000

    threads = [
        threading.Thread(target=guard, args=item, name=item[0], daemon=True)
        for item in jobs.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive() and (left := end - time.monotonic()) > 0:
            thread.join(min(left, _SLICE) if sys.platform == "win32" else left)
    late = [thread.name for thread in threads if thread.is_alive()]
    if late:
        runner.kill_all()
    for name in late:
        _note_failure(found, name, "it was not finished when the time was up")
    if refused:
        raise refused[0]


def _note_failure(found: _Machine, name: str, why: str) -> None:
    if name == "nvml":
        found.nvml = NvmlAnswer(problem=why)
    elif name == "cuda":
        found.cuda = CudaAnswer(problem=why)
    elif name == "unmasked":
        found.unmasked = CudaAnswer(problem=why)
    elif name == "patient":
        found.patient_problem = why
    else:
        files = found.files
        parts = {"host": files.host, "pci": files.pci, "kernel module": files.module}
        for part, value in parts.items():
            if value is None:
                files.problems.setdefault(part, why)
        for part in ("amd", "intel"):
            if part not in files.timings:
                files.problems.setdefault(part, why)


def _machine_fragment(found: _Machine, environ: Mapping[str, str]) -> Fragment:
    files = found.files
    cuda = found.unmasked if found.unmasked and not found.unmasked.problem else found.cuda
    driver, unknown, sources = merge_driver(found.nvml, cuda, found.smi, files.module)
    gpus, missing, where = merge_gpus(
        GpuSources(
            pci=files.pci or (),
            naming=lambda gpu: _named(gpu, files, environ),
            nvml=found.nvml,
            cuda=found.cuda,
            unmasked=found.unmasked,
            smi=found.smi,
            environ=environ,
            in_container=bool(files.host and files.host.container),
            not_passed_in=not_passed_in(files),
        )
    )
    gpus = gpus or files.apple
    entries = [*unknown_parts(files), *unknown, *missing]
    if not gpus and (reason := _why_no_gpus(found)):
        entries.append(Unknown("gpus", reason, "nvml, cuda, sysfs"))
    values: dict[str, object] = {
        "host": files.host,
        "driver": driver,
        "kernel_module": files.module,
        "amd": files.amd,
        "intel": files.intel,
        "gpus": gpus,
    }
    sources |= {
        "host": "system files",
        "kernel_module": "sysfs",
        "amd": "sysfs",
        "intel": "sysfs",
        **where,
    }
    timings = {**files.timings, **found.timings}
    timings.pop("files", None)
    return Fragment(values, tuple(entries), sources, timings)


def _named(gpu: PciGpu, files: MachineFiles, environ: Mapping[str, str]) -> Naming:
    """What a GPU is called by its id; only asked for those that no driver named."""
    from gpudoctor.collect.gpus.pci_names import name_gpu

    root = Sysroot.from_environ(environ)
    named = guarded("names", files, lambda: name_gpu(gpu, root)) or Naming()
    if label := files.labels.get(gpu.address):
        return replace(named, name=label, source="registry, display adapters")
    return named


def _why_no_gpus(found: _Machine) -> str | None:
    """Why an empty list proves nothing; `None` where it does."""
    files = found.files
    if "pci" in files.problems:
        return files.problems["pci"]
    nvml, cuda = found.nvml, found.cuda
    wsl = bool(files.host and files.host.wsl)
    # Under WSL and on a Jetson the bus shows no GPU: only the driver can say that there is none.
    off_bus = wsl or bool(files.host and files.host.jetson)
    absent = nvml.error == NO_LIBRARY and cuda.missing
    if off_bus and not nvml.ok and cuda.init != 0 and not absent:
        failed = cuda.init_name or cuda.load_error or "no device"
        return nvml.problem or cuda.problem or f"NVML answered {nvml.error}, CUDA {failed}"
    return None


def _patient_fragment(found: _Machine, deadline: float) -> Fragment:
    if found.patient is not None:
        return found.patient
    why = found.patient_problem or f"it was not read within {deadline:.3g} s"
    return Fragment(unknown=tuple(Unknown(name, why, "environment") for name in _PATIENT))

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
from gpudoctor.collect.gpus.merge_gpus import GpuSources, merge_gpus
from gpudoctor.collect.gpus.pci import PciGpu
from gpudoctor.collect.gpus.pci_names import Naming, name_gpu
from gpudoctor.collect.machine.machine_files import (
    MachineFiles,
    not_passed_in,
    note_unknown,
    read_machine,
)
from gpudoctor.collect.process import runner
from gpudoctor.collect.python_environment import collect_patient
from gpudoctor.collect.reason import LATE, Reason
from gpudoctor.collect.recorder import Recorder, merge
from gpudoctor.collect.system.sysroot import Sysroot
from gpudoctor.errors import GpuDoctorError
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import dataclass, field, replace

_RESERVE = runner.GRACE_SECONDS + 0.2
"""Seconds kept back for killing children and for merging."""
_LEAST = 0.2
_SMI_SECONDS = 10.0
"""More is not worth waiting for the words in which nvidia-smi says what NVML has said."""
_SLICE = 0.1
"""Seconds; on Windows a waiting main thread hears of Ctrl-C only between two waits."""
_PARTS = {
    "host": ("host",),
    "windows settings": ("host.windows",),
    "pci": (),
    "kernel module": ("kernel_module",),
    "amd": ("amd",),
    "intel": ("intel",),
}
"""Parts of the machine's files, and the facts that each gives."""
_OF_EACH_GPU = {"pci": ("driver",), "names": ("name", "compute_capability")}
"""Parts that add to the GPUs which others found."""
_PATIENT = ("python", "torch", "packages", "libraries", "toolkits", "compiler", "loader")
_NOT_ASKED = Reason("not-asked", "the driver was not asked")


@dataclass(slots=True)
class _Machine:
    """What the threads found so far; what is late keeps its first value, which says so."""

    files: MachineFiles = field(default_factory=MachineFiles)
    nvml: NvmlAnswer = field(default_factory=lambda: NvmlAnswer(problem=_NOT_ASKED))
    smi: SmiAnswer | None = None
    cuda: CudaAnswer = field(default_factory=lambda: CudaAnswer(problem=_NOT_ASKED))
    unmasked: CudaAnswer | None = None
    patient: Recorder | None = None
    recorder: Recorder = field(default_factory=Recorder)
    """Which jobs failed or were late, and how long each took."""


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
    return merge([_machine_facts(found, environ), _patient_facts(found)])


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
        name = "nvidia-smi"
        seconds = min(left(), _SMI_SECONDS)
        answer = found.recorder.part(name, (), lambda: ask_nvidia_smi(environ, seconds))
        found.smi = answer or SmiAnswer(problem=found.recorder.problems[name])

    def cuda() -> None:
        found.cuda = ask_cuda(children.cuda, left())

    def unmasked() -> None:
        if children.unmasked is not None:
            found.unmasked = ask_cuda(children.unmasked, left())

    def files() -> None:
        read_machine(Sysroot.from_environ(environ), environ, found.files)

    def patient() -> None:
        found.patient = collect_patient(target, cwd, environ, end - _RESERVE)

    return {"nvml": nvml, "cuda": cuda, "unmasked": unmasked, "files": files, "patient": patient}


def _run_all(jobs: Mapping[str, Callable[[], None]], end: float, found: _Machine) -> None:
    """Run the jobs in threads that nobody waits for at the end of the program.

    Raises:
        GpuDoctorError: a job refused its input; other failures of a job are noted and no more.
    """
    refused: list[GpuDoctorError] = []

    def work(name: str, job: Callable[[], None]) -> None:
        try:
            found.recorder.part(name, (), job)
        except GpuDoctorError as error:
            refused.append(error)

    threads = [
        threading.Thread(target=work, args=item, name=item[0], daemon=True) for item in jobs.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive() and (left := end - time.monotonic()) > 0:
            thread.join(min(left, _SLICE) if sys.platform == "win32" else left)
    late = [thread.name for thread in threads if thread.is_alive()]
    if late:
        runner.kill_all()
    if refused:
        raise refused[0]
    for name in jobs:
        problem = LATE if name in late else found.recorder.problems.get(name)
        if problem is not None:
            _note_failure(found, name, problem)


def _note_failure(found: _Machine, name: str, why: Reason) -> None:
    if name == "nvml":
        found.nvml = NvmlAnswer(problem=why)
    elif name == "cuda":
        found.cuda = CudaAnswer(problem=why)
    elif name == "unmasked":
        found.unmasked = CudaAnswer(problem=why)
    elif name == "patient":
        found.patient = Recorder()
        found.patient.miss("", dict.fromkeys(_PATIENT, why), "environment")
    else:
        files = found.files
        unread = [name for name in _PARTS if name not in files.recorder.timings]
        files.recorder.problems |= dict.fromkeys(unread, why)
        facts = [fact for part in unread for fact in _PARTS[part]]
        files.recorder.miss("", dict.fromkeys(facts, why), "files")


def _machine_facts(found: _Machine, environ: Mapping[str, str]) -> Recorder:
    """What the driver, the bus and the files say together."""
    files = found.files
    recorder = files.recorder
    note_unknown(files)
    recorder.values = {
        "host": files.host,
        "kernel_module": files.module,
        "amd": files.amd,
        "intel": files.intel,
    }
    sysfs = dict.fromkeys(("kernel_module", "amd", "intel"), "sysfs")
    recorder.sources = {"host": "system files", **sysfs}
    recorder.part("driver", ("driver",), lambda: _put_driver(recorder, found))
    recorder.part("gpus", ("gpus",), lambda: _put_gpus(recorder, found, environ))
    recorder.timings |= found.recorder.timings
    recorder.timings.pop("files", None)
    return recorder


def _put_driver(recorder: Recorder, found: _Machine) -> None:
    cuda = found.unmasked if found.unmasked and not found.unmasked.problem else found.cuda
    driver, unknown, sources = merge_driver(found.nvml, cuda, found.smi, found.files.module)
    recorder.values["driver"] = driver
    recorder.sources |= sources
    recorder.add(unknown)


def _put_gpus(recorder: Recorder, found: _Machine, environ: Mapping[str, str]) -> None:
    files = found.files
    gpus, unknown, sources = merge_gpus(
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
    if not gpus and files.jetson:
        gpus, sources = (files.jetson,), {**sources, "gpus": "device tree"}
    recorder.values["gpus"] = gpus
    recorder.sources |= sources
    if not gpus and (reason := _why_no_gpus(found)):
        recorder.miss("", {"gpus": reason}, "nvml, cuda, sysfs")
    for part, fields in _OF_EACH_GPU.items():
        reason = recorder.problems.get(part)
        if reason is None or reason.kind == "not-asked":
            continue
        for index, gpu in enumerate(gpus):
            missing = [name for name in fields if getattr(gpu, name) is None]
            recorder.miss(f"gpus[{index}]", dict.fromkeys(missing, reason), part)
    recorder.add(unknown)


def _named(gpu: PciGpu, files: MachineFiles, environ: Mapping[str, str]) -> Naming:
    """What a GPU is called by its id; only asked for those that no driver named."""
    root = Sysroot.from_environ(environ)
    named = files.recorder.part("names", (), lambda: name_gpu(gpu, root)) or Naming()
    if label := files.labels.get(gpu.address):
        return replace(named, name=label, source="registry, display adapters")
    return named


def _why_no_gpus(found: _Machine) -> Reason | None:
    """Why an empty list proves nothing; `None` where it does."""
    files = found.files
    if "pci" in files.recorder.problems:
        return files.recorder.problems["pci"]
    nvml, cuda = found.nvml, found.cuda
    wsl = bool(files.host and files.host.wsl)
    # Under WSL and on a Jetson the bus shows no GPU: only the driver can say that there is none.
    off_bus = wsl or bool(files.host and files.host.jetson)
    absent = nvml.error == NO_LIBRARY and cuda.missing
    if wsl and files.amd is not None:
        return Reason("not-asked", "under WSL, AMD GPUs are listed by ROCm alone")
    if off_bus and not nvml.ok and cuda.init != 0 and not absent:
        failed = cuda.init_name or cuda.load_error or "no device"
        said = f"NVML answered {nvml.error}, CUDA {failed}"
        return nvml.problem or cuda.problem or Reason("not-asked", said)
    return None


def _patient_facts(found: _Machine) -> Recorder:
    return found.patient or Recorder()

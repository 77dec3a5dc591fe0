"""The NVIDIA driver: too old, of the wrong branch, of two versions at once, or not answering."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.step import Step
from gpudoctor.model.terms.shell import posix_step, sentence_step
from gpudoctor.rules.driver.no_module import bound_driver, not_loaded
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.restart import restart
from gpudoctor.rules.engine.wording import finding, names, verb

# Findings that say why the driver does not answer; `driver-not-loaded` is for what is left.
FINER = (
    "container-started-without-gpu",
    "container-cgroup-device-loss",
    "device-node-permissions",
    "wsl1-has-no-gpu",
    "wsl-linux-driver-installed",
    "nouveau-owns-gpu",
    "kernel-module-missing-after-kernel-update",
    "secure-boot-module-rejected",
    "prime-profile-hides-gpu",
    "nvml-driver-library-mismatch",
    "libcuda-missing",
)
_CAPABILITIES = sentence_step(
    "driver",
    "Start the container with `docker run -e NVIDIA_DRIVER_CAPABILITIES=compute,utility …`: "
    "`utility` alone brings nvidia-smi and leaves libcuda out.",
)
_ANEW = sentence_step(
    "driver",
    "Install the NVIDIA driver anew from https://www.nvidia.com/drivers, with `Custom` and "
    "`Perform a clean installation`, and restart Windows.",
)
_MISMATCH = "NVML_ERROR_LIB_RM_VERSION_MISMATCH"
_NOT_LOADED = ("NVML_ERROR_DRIVER_NOT_LOADED", "NVML_ERROR_UNINITIALIZED")


def number(case: Case) -> tuple[str, str] | None:
    """The driver's version and the path of the fact: the kernel module's, else the library's."""
    if case.module.version and case.knows("kernel_module.version"):
        return case.module.version, "kernel_module.version"
    if case.driver.version and case.knows("driver.version"):
        return case.driver.version, "driver.version"
    return None


@rule("nvml-driver-library-mismatch", uses=("driver.smi_error",), needs=("driver.nvml_error",))
def nvml_driver_library_mismatch(case: Case) -> Iterator[Finding | Unknown]:
    """NVML or nvidia-smi says that library and kernel module have different versions."""
    driver = case.driver
    said = "driver/library version mismatch" in (driver.smi_error or "").lower()
    if (driver.nvml_error != _MISMATCH and not said) or case.cuda_works:
        return
    library = driver.nvml_version or driver.libcuda_version
    loaded = case.module.version
    versions = f": {library} and {loaded}" if library and loaded and library != loaded else ""
    where = "on the host" if case.host.container else "while the old kernel module stayed loaded"
    yield finding(
        "nvml-driver-library-mismatch",
        f"The NVIDIA driver's libraries and its kernel module have different versions{versions}",
        f"The driver was updated on disk {where}. Until the matching module is loaded, no "
        "program can use the GPU. A restart of the machine does that.",
        evidence=[
            case.evidence(path)
            for path in ("driver.nvml_error", "kernel_module.version", "driver.nvml_version")
            if case.knows(path)
        ],
        gpus=case.nvidia,
        clears_with=("reboot",),
        remedies=(
            restart(case),
            posix_step(
                "driver",
                "Or without a restart, after stopping everything that uses the GPU:",
                "sudo rmmod nvidia_uvm nvidia_drm nvidia_modeset nvidia && sudo modprobe nvidia",
            ),
        ),
    )


@rule(
    "libcuda-missing",
    uses=("kernel_module.loaded",),
    needs=("gpus", "driver"),
    unless=(
        "container-started-without-gpu",
        "wsl1-has-no-gpu",
        "wsl-linux-driver-installed",
        "nvml-driver-library-mismatch",
    ),
)
def libcuda_missing(case: Case) -> Iterator[Finding | Unknown]:
    """The module is loaded, but the loader finds no driver library."""
    if not case.wants_driver or case.host.os == "macos":
        return
    if case.facts.driver is not None:
        # NVML or nvidia-smi is there, and the library that runs programs is not.
        if not _lacks_libcuda(case):
            return
    elif case.module.loaded is not True or not case.knows("kernel_module.loaded"):
        return
    if case.host.os == "windows":
        yield _nvcuda_missing(case)
        return
    branch = knowledge.major(case.module.version) or "<branch>"
    yield finding(
        "libcuda-missing",
        "The NVIDIA kernel module is loaded, but the driver's libraries are not installed"
        if case.facts.driver is None
        else "The NVIDIA driver is there, but its library libcuda.so.1 is not",
        "A driver has two halves. The one in the kernel runs, but programs find no libcuda.so.1 "
        "to reach it with: its package is missing or not on the loader's path.",
        evidence=[
            case.evidence("kernel_module.version"),
            case.evidence("driver" if case.facts.driver is None else "driver.libcuda_path"),
        ],
        gpus=case.nvidia,
        clears_with=("driver",),
        next_look="`ldconfig -p | grep libcuda.so.1` prints nothing if it is so.",
        remedies=_bring_libcuda(case, branch),
    )


def _nvcuda_missing(case: Case) -> Finding:
    return finding(
        "libcuda-missing",
        "The NVIDIA driver is there, but its library nvcuda.dll is not",
        "Windows keeps nvcuda.dll in System32, and torch reaches the GPU through it alone. Half "
        "of the driver is there: an update was cut off, a cleaning program removed the rest, or "
        "Windows replaced it.",
        evidence=[case.evidence("driver.version"), case.evidence("driver.libcuda_path")],
        gpus=case.nvidia,
        clears_with=("driver", "reboot"),
        next_look="`where nvcuda.dll` finds nothing if it is so.",
        remedies=(_ANEW,),
    )


def _bring_libcuda(case: Case, branch: int | str) -> tuple[Step, ...]:
    if case.host.container:
        # The host's libraries are mounted into a container; others beside them would hide them.
        return (_CAPABILITIES,)
    return (
        posix_step(
            "driver",
            "Install the libraries of the same version, for instance on Ubuntu:",
            f"sudo apt install libnvidia-compute-{branch}",
        ),
        posix_step("driver", "Let the loader find them.", "sudo ldconfig"),
    )


def _lacks_libcuda(case: Case) -> bool:
    looked_for = case.knows("driver.libcuda_path") and case.knows("driver.cu_init")
    driver = case.driver
    return looked_for and driver.libcuda_path is None and driver.cu_init is None


@rule(
    "driver-not-loaded",
    uses=("kernel_module.loaded",),
    needs=("gpus", "driver"),
    unless=FINER,
    # A module that serves none of the GPUs does not stay loaded.
    follows=("gpu-needs-other-driver-branch",),
)
def driver_not_loaded(case: Case) -> Iterator[Finding | Unknown]:
    """No NVIDIA driver answers for a GPU that is there, and no finer cause is visible."""
    driver = case.driver
    if not case.wants_driver or case.cuda_works or case.host.os == "macos":
        return
    absent = case.facts.driver is None
    if not absent and not not_loaded(case) and driver.nvml_error not in _NOT_LOADED:
        return
    reserved = [s for s in case.nvidia if (bound_driver(case, s) or "").startswith("vfio")]
    if reserved:
        are = verb(reserved, "is", "are")
        title = f"{names(reserved)} {are} reserved for virtual machines (vfio-pci)"
        detail = "Linux handed the card over to a virtual machine, so the host cannot use it."
    elif absent and not case.module.packages_installed:
        title = f"No NVIDIA driver is installed for {names(case.nvidia)}"
        detail = (
            "The card is in the machine, but without NVIDIA's driver no program can reach it. "
            "PyTorch brings CUDA with it; the driver it cannot bring."
        )
    else:
        title = f"The NVIDIA driver for {names(case.nvidia)} is installed but not loaded"
        detail = (
            "Files of the driver are on disk, but its part in the kernel does not run, so no "
            "program can reach the card."
        )
    yield finding(
        "driver-not-loaded",
        title,
        detail,
        evidence=[
            case.evidence("driver", "none" if absent else driver.nvml_error or driver.version),
            *([case.evidence("kernel_module.loaded")] if case.facts.kernel_module else []),
            *(
                Evidence(fact=f"{s.path}.pci_id", value=s.gpu.pci_id)
                for s in case.nvidia
                if s.gpu.pci_id
            ),
        ],
        gpus=reserved or case.nvidia,
        clears_with=("driver", "reboot"),
        next_look=None
        if absent or case.host.os == "windows"
        else "`sudo dmesg | grep -i -e nvrm -e nvidia` says why.",
        remedies=()
        if absent and not reserved
        else (_ANEW,)
        if case.host.os == "windows"
        else (
            posix_step("driver", "Load the kernel module.", "sudo modprobe nvidia && nvidia-smi"),
            sentence_step("driver", "If that fails: reinstall the driver."),
        ),
    )


@rule(
    "driver-not-answering",
    unless=("nvml-driver-library-mismatch",),
    where="late",
    gravest=Severity.WARNING,
)
def driver_not_answering(case: Case) -> Iterator[Finding | Unknown]:
    """The process that asked the driver was given up after its time."""
    late = [
        entry
        for path, entry in case.unknown.items()
        if entry.kind == "late" and path.partition(".")[0] == "driver"
    ]
    if not late:
        return
    yield finding(
        "driver-not-answering",
        "The NVIDIA driver did not answer in time",
        "A driver that hangs makes every GPU program hang. It can also be slow once: without "
        "persistence mode it wakes the GPUs at the first call, which takes seconds.",
        # Not proven: it may only be slow.
        severity=Severity.WARNING,
        evidence=[Evidence(fact=entry.fact, value=entry.reason) for entry in late[:2]],
        gpus=case.nvidia,
        clears_with=("driver", "reboot"),
        next_look="`time nvidia-smi`, twice: the second time it should take a second at most.",
        remedies=(
            posix_step(
                "manual",
                "Look whether the kernel names a GPU that no longer answers.",
                "sudo dmesg | grep -i -e nvrm -e xid",
            ),
            posix_step("driver", "Keep the driver awake.", "sudo nvidia-smi -pm 1"),
        ),
    )


@rule(
    "nvml-unavailable",
    uses=("driver.cu_init",),
    needs=("driver.nvml_error", "gpus"),
    unless=(
        "driver-not-loaded",
        *FINER,
        "cuda-init-failed",
        "libcuda-kernel-module-mismatch",
    ),
)
def nvml_unavailable(case: Case) -> Iterator[Finding | Unknown]:
    """The management library fails although CUDA starts."""
    if not case.driver.nvml_error or not case.cuda_works or case.jetson:
        return
    yield finding(
        "nvml-unavailable",
        f"The driver's management library does not answer ({case.driver.nvml_error})",
        "CUDA itself starts, so PyTorch can run. What only this library knows is missing: "
        "nvidia-smi, memory of other processes, error counters.",
        evidence=[case.evidence("driver.nvml_error"), case.evidence("driver.cu_init")],
        gpus=case.visible,
        clears_with=("driver", "reboot"),
        next_look="`nvidia-smi` shows what it meets; a restart or a newer driver should end it.",
    )

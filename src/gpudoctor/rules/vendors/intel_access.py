"""Whether this user's programs reach the Intel GPUs: kernel module, render node, level-zero."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.kb.hardware import intel_gpus as intel
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Finding
from gpudoctor.model.terms.shell import posix_step, sentence_step
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding, names
from gpudoctor.rules.vendors.device_access import Access, files_missing, no_permission
from gpudoctor.rules.vendors.device_files import bound_driver, unbound
from gpudoctor.rules.vendors.intel import in_question


@rule(
    "intel-driver-not-bound",
    needs=("gpus", "host.os"),
    uses=("gpus[*].driver",),
    unless=("intel-gpu-unsupported",),
)
def intel_driver_not_bound(case: Case) -> Iterator[Finding | Unknown]:
    """Neither xe nor i915 drives the GPU."""
    loose = unbound(case, in_question(case), ("xe", "i915"))
    if not loose:
        return
    yield finding(
        "intel-driver-not-bound",
        f"No kernel module drives {names(loose)}",
        "Intel GPUs are reached through the kernel modules xe (newer cards) or i915. A card that "
        "is newer than the kernel is left alone by both: Battlemage needs Linux 6.11 or newer.",
        evidence=[bound_driver(device) for device in loose],
        gpus=loose,
        clears_with=("driver",),
        next_look="`sudo dmesg | grep -iE 'i915|xe '` says why the modules left the card alone.",
        remedies=(
            sentence_step("driver", "The kernel is the host's: load its module there.")
            if case.host.container
            else posix_step(
                "driver",
                "Load the module and see whether it takes the card; else a newer kernel.",
                "sudo modprobe xe; sudo modprobe i915; sudo dmesg | grep -iE 'i915|xe ' | tail -20",
            ),
        ),
    )


ACCESS = Access(
    vendor="intel",
    software="level-zero",
    paths=("/dev/dri",),
    way="PyTorch reaches Intel GPUs through a render node below /dev/dri.",
    made_by="The kernel module makes it when it serves the GPU.",
    group="PyTorch talks to Intel GPUs through a render node that belongs to the group `render`. A "
    "login at the screen opens it for that session alone; over SSH membership in the group is "
    "needed.",
    log="sudo dmesg | grep -iE 'i915|xe ' | tail -20",
    log_text="See why the kernel module made none.",
)


@rule(
    "intel-device-files-missing",
    needs=("gpus", "host.os", "intel"),
    unless=("intel-gpu-unsupported", "intel-driver-not-bound"),
)
def intel_device_files_missing(case: Case) -> Iterator[Finding | Unknown]:
    """The GPU's render node is not there, in a container most of all."""
    if found := files_missing(case, ACCESS, case.facts.intel, in_question(case)):
        yield found


@rule(
    "intel-device-permissions",
    needs=("gpus", "intel"),
    unless=("intel-gpu-unsupported", "intel-device-files-missing"),
)
def intel_device_permissions(case: Case) -> Iterator[Finding | Unknown]:
    """This user may not open the render node.

    On a desktop the right comes with the login at the screen and is missing over SSH:
    https://github.com/pytorch/pytorch/issues/148477
    """
    if found := no_permission(case, ACCESS, case.facts.intel, in_question(case)):
        yield found


@rule("intel-user-driver-missing", needs=("gpus", "host.os", "torch.xpu", "intel"))
def intel_user_driver_missing(case: Case) -> Iterator[Finding | Unknown]:
    """The user's side of Intel's driver, which no wheel brings, lies nowhere the loader looks."""
    torch, stack, devices = case.facts.torch, case.facts.intel, in_question(case)
    if torch is None or not torch.xpu or stack is None or not devices:
        return
    if case.host.os != "linux" or any("libze_intel_gpu" in path for path in stack.libraries):
        return
    line = intel.install_user_driver(case.host.distribution_id)
    yield finding(
        "intel-user-driver-missing",
        "Intel's compute runtime (libze_intel_gpu.so.1) was not found on this system",
        "The XPU build of torch brings its own compilers and libraries, and asks the GPU through "
        "level-zero, whose driver is installed with the system.",
        evidence=[case.evidence("intel.libraries")],
        gpus=devices,
        clears_with=("driver",),
        next_look="`python -c 'import torch; print(torch.xpu.is_available())'` prints False then.",
        remedies=(
            posix_step("driver", "Install Intel's compute runtime.", line)
            if line
            else sentence_step(
                "driver",
                "Install Intel's compute runtime and level-zero: "
                "https://github.com/intel/compute-runtime/releases",
            ),
        ),
    )

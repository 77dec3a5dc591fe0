"""Whether this user's programs reach the AMD GPUs: kernel module, device files, rights, masks."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Finding
from gpudoctor.model.step import Step
from gpudoctor.model.terms.shell import posix_step, sentence_step
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding, names
from gpudoctor.rules.vendors.amd import in_question
from gpudoctor.rules.vendors.device_access import Access, files_missing, no_permission
from gpudoctor.rules.vendors.device_files import bound_driver, unbound


@rule(
    "amd-driver-not-bound",
    needs=("gpus", "host.os"),
    uses=("gpus[*].driver",),
    unless=("amd-gpu-unsupported",),
)
def amd_driver_not_bound(case: Case) -> Iterator[Finding | Unknown]:
    """No amdgpu kernel module drives the card, so that nothing of ROCm can reach it."""
    loose = unbound(case, in_question(case), ("amdgpu",))
    if not loose:
        return
    bound = loose[0].gpu.driver
    yield finding(
        "amd-driver-not-bound",
        f"The kernel module amdgpu does not drive {names(loose)}"
        + (f"; {bound} does" if bound else ""),
        "ROCm talks to the GPU through the kernel module amdgpu. It belongs to every current "
        "Linux kernel; it may be blocked by a setting, be older than the card, or have failed "
        "when it started.",
        evidence=[bound_driver(device) for device in loose],
        gpus=loose,
        clears_with=("driver",),
        next_look="`sudo dmesg | grep -i amdgpu` says why the module left the card alone.",
        remedies=_load_module(case),
    )


def _load_module(case: Case) -> tuple[Step, ...]:
    if case.host.container:
        return (sentence_step("driver", "The kernel is the host's: load the module amdgpu there."),)
    return (
        posix_step("driver", "Load the module and see whether it takes the card.",
                   "sudo modprobe amdgpu && sudo dmesg | grep -i amdgpu | tail -20"),
        sentence_step(
            "driver",
            "If it is blocked: take the line `blacklist amdgpu` out of /etc/modprobe.d and "
            "`modprobe.blacklist=amdgpu` or `nomodeset` out of the kernel's command line, then "
            "restart. If the card is newer than the kernel: a newer kernel, or AMD's package "
            "amdgpu-dkms (https://rocm.docs.amd.com/projects/install-on-linux/).",
        ),
    )  # fmt: skip


ACCESS = Access(
    vendor="amd",
    software="ROCm",
    paths=("/dev/kfd", "/dev/dri"),
    way="ROCm reaches AMD GPUs through /dev/kfd and a render node below /dev/dri.",
    made_by="The kernel module amdgpu makes them when it serves the card for computing.",
    group="ROCm talks to AMD GPUs through device files that belong to a group, mostly `render` or "
    "`video`. What counts is the group's number, and that the user is in it.",
    log="sudo dmesg | grep -iE 'kfd|amdgpu' | tail -30",
    log_text="See why the kernel module made none: a kernel without CONFIG_HSA_AMD, or a card "
    "that its compute part does not know.",
)


@rule(
    "amd-device-files-missing",
    needs=("gpus", "host.os", "amd"),
    unless=("amd-gpu-unsupported", "amd-driver-not-bound"),
)
def amd_device_files_missing(case: Case) -> Iterator[Finding | Unknown]:
    """`/dev/kfd` or the card's render node is not there, in a container most of all."""
    if found := files_missing(case, ACCESS, case.facts.amd, in_question(case)):
        yield found


@rule(
    "amd-device-permissions",
    needs=("gpus", "amd"),
    unless=("amd-gpu-unsupported", "amd-device-files-missing"),
)
def amd_device_permissions(case: Case) -> Iterator[Finding | Unknown]:
    """This user may not open what ROCm reaches the GPU through."""
    if found := no_permission(case, ACCESS, case.facts.amd, in_question(case)):
        yield found

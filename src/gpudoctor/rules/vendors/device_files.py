"""What AMD and Intel have in common on Linux: a kernel module, device files, rights, masks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gpudoctor.model.facts import DeviceFile, VendorDriver
from gpudoctor.model.finding import Evidence
from gpudoctor.model.step import Step
from gpudoctor.model.terms.shell import posix_step, sentence_step
from gpudoctor.rules.engine.case import Case, Device


def unbound(case: Case, devices: Iterable[Device], modules: Sequence[str]) -> list[Device]:
    """The GPUs on the bus that none of `modules` drives; empty where that is not known.

    Under WSL, and outside Linux, no module of the kernel is needed.
    """
    if case.host.os != "linux" or case.host.wsl:
        return []
    return [
        device
        for device in devices
        if case.knows(f"{device.path}.driver")
        and device.gpu.pci_address is not None
        and device.gpu.driver not in modules
    ]


def bound_driver(device: Device) -> Evidence:
    """The kernel module that drives a GPU, or that none does, as evidence."""
    return Evidence(fact=f"{device.path}.driver", value=device.gpu.driver or "none", source="sysfs")


def missing_nodes(stack: VendorDriver, devices: Iterable[Device]) -> tuple[str, ...]:
    """The render nodes whose absence leaves none of the GPUs reachable.

    One GPU of several that was passed into a container is what somebody wanted.
    """
    addresses = {device.gpu.pci_address for device in devices} | {None}
    if any(node.pci_address in addresses for node in stack.render_nodes):
        return ()
    return stack.absent_nodes or ("/dev/dri/renderD*",)


def closed_files(stack: VendorDriver, devices: Iterable[Device]) -> tuple[DeviceFile, ...]:
    """The device files that this user must open to reach the GPUs and may not.

    Of several GPUs the nodes count one by one; a node of another GPU does not matter.
    """
    addresses = {device.gpu.pci_address for device in devices} | {None}
    return tuple(
        file
        for file in stack.device_files
        if file.openable is False and file.pci_address in addresses
    )


def described(file: DeviceFile) -> str:
    """`/dev/kfd (group 992, render)`"""
    if file.group_id is None:
        return file.path
    group = str(file.group_id) + (f", {file.group}" if file.group else "")
    return f"{file.path} (group {group})"


def passed_in(case: Case, paths: Sequence[str]) -> tuple[Step, ...]:
    """How a container is started with the device files of the host."""
    devices = " ".join(f"--device={path}" for path in paths)
    kind = case.host.container
    if kind == "kubernetes":
        amd = "/dev/kfd" in paths
        wanted = "amd.com/gpu: 1" if amd else "gpu.intel.com/xe: 1"
        return (
            sentence_step(
                "manual",
                f"Ask for `{wanted}` under resources.limits of the pod; the cluster needs the "
                "device plugin of the GPU's vendor.",
            ),
        )
    if kind == "apptainer":
        option = "--rocm" if "/dev/kfd" in paths else "--bind /dev/dri"
        return (posix_step("manual", "Start it with the GPUs.", f"apptainer run {option} IMAGE"),)
    program = "podman" if kind == "podman" else "docker"
    groups = " --group-add keep-groups" if program == "podman" else (
        " --group-add $(stat -c %g /dev/dri/renderD128)"
    )  # fmt: skip
    return (
        posix_step(
            "manual",
            "Start the container with the device files, and with the number of the group that "
            "owns them on the host.",
            f"{program} run {devices}{groups} IMAGE",
        ),
    )


def rights(case: Case, closed: Sequence[DeviceFile]) -> tuple[Step, ...]:
    """How this user gets the rights to open device files, by the number of their group."""
    foreign = [file for file in closed if not file.member and file.group_id not in (None, 0)]
    numbers = sorted({file.group_id for file in foreign if file.group_id is not None})
    if not numbers:
        paths = " ".join(file.path for file in closed)
        return (
            posix_step(
                "manual",
                "The files are closed to their own group too. See their rights; a udev rule with "
                'MODE="0660" and GROUP="render" opens them for good.',
                f"ls -ln {paths}",
            ),
        )
    if case.host.container:
        options = " ".join(f"--group-add {number}" for number in numbers)
        return (
            sentence_step(
                "manual",
                f"Start the container with {options}: inside it, joining a group by name does not "
                "help, because the host's number counts.",
            ),
        )
    wanted = {file.group_id: file.group or str(file.group_id) for file in foreign}
    joined = ",".join(wanted[number] for number in numbers)
    return (
        posix_step(
            "manual",
            "Join the group that owns them, then log out and in again.",
            f"sudo usermod -aG {joined} $USER",
        ),
    )

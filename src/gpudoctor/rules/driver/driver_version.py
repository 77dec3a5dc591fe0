"""The driver's version: too old for torch's CUDA, or of a branch that leaves a GPU out."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.compat import driver as compat
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Finding
from gpudoctor.rules.driver.driver_state import FINER, number
from gpudoctor.rules.driver.no_module import bound_driver
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case, Device
from gpudoctor.rules.engine.wording import finding


@rule("gpu-needs-other-driver-branch", needs=("gpus", "driver"))
def gpu_needs_other_driver_branch(case: Case) -> Iterator[Finding | Unknown]:
    """The driver's branch no longer knows a GPU, or does not know it yet."""
    if case.jetson or not case.nvidia:
        return
    stated = number(case)
    if stated is None:
        if unknown := case.why_unknown("driver.version"):
            yield unknown
        return
    version, path = stated
    for device in case.nvidia:
        generation = knowledge.generation(device.capability)
        if generation is None or device.capability is None:
            if unknown := case.why_unknown(f"{device.path}.compute_capability"):
                yield unknown
            continue
        if case.is_spare(device) or knowledge.is_older_than_all(device.capability):
            # No build of torch serves it: another driver would not help.
            continue
        # Under WSL and on Windows the number is that of Windows, and says the branch alone.
        name = device.gpu.name if case.native_linux and case.host.os == "linux" else None
        known = compat.knows(version, generation.capability, name)
        if known == "too-new":
            yield _wrong_branch(
                case,
                device,
                path,
                f"The NVIDIA driver {version} no longer knows {device.label}; "
                f"branch {generation.last_branch} is the last that does",
                f"NVIDIA ended support for the {generation.architecture} generation with branch "
                f"{generation.last_branch}. A newer driver does not find the card.",
            )
        elif known == "too-old" and not (case.cuda_works and device.gpu.cuda_index is not None):
            first = compat.first_driver_of(name, generation.capability)
            in_branch = compat.knows(version, generation.capability) != "too-old"
            yield _wrong_branch(
                case,
                device,
                path,
                f"The NVIDIA driver {version} does not know {device.label} yet; "
                + (
                    f"{first} is the first of its branch that does"
                    if first and in_branch
                    else f"branch {generation.first_branch} is the first that does"
                ),
                "The card is newer than this driver"
                + (
                    ", although drivers of its branch that came later serve it."
                    if first and in_branch
                    else f": the {generation.architecture} generation is served from branch "
                    f"{generation.first_branch} on."
                ),
            )


def _wrong_branch(case: Case, device: Device, path: str, title: str, detail: str) -> Finding:
    return finding(
        "gpu-needs-other-driver-branch",
        title,
        detail,
        evidence=[case.evidence(path), case.evidence(f"{device.path}.compute_capability")],
        gpus=(device,),
        clears_with=("driver",),
    )


@rule(
    "driver-too-old",
    needs=("torch.cuda", "driver"),
    unless=("driver-not-loaded", *FINER, "stub-libcuda-on-path"),
    follows=("gpu-needs-other-driver-branch",),
)
def driver_too_old(case: Case) -> Iterator[Finding | Unknown]:
    """The libcuda that is loaded is below the floor of the CUDA major of torch.

    Minor versions share a floor: driver 535 runs every CUDA 12 build. What counts is the CUDA
    version that the loaded library reports, so that a working forward-compatibility package is
    no alarm; the driver's number decides where that is not known.
    """
    torch = case.facts.torch
    driver = case.facts.driver
    if torch is None or torch.cuda is None or driver is None:
        return
    if not case.visible and case.knows("gpus"):
        return
    os = compat.driver_os(case.host.os, wsl=case.host.wsl) or "linux"
    reported = driver.cuda if case.knows("driver.cuda") else None
    # A Jetson's driver has numbers of its own, and beside a package for forward compatibility
    # that of the kernel module says nothing.
    counts = case.knows("driver.version") and not case.jetson and driver.libcuda_kind != "compat"
    serves = compat.starts(torch.cuda, driver.version if counts else None, reported, os)
    if serves is not False:
        if serves is None and knowledge.numbers(torch.cuda):
            yield case.why_unknown("driver.cuda") or Unknown(
                "driver.cuda", "the driver did not report it", "", "not-asked"
            )
        return
    wanted = knowledge.numbers(torch.cuda)
    limit = compat.floor_of(wanted[0], os)
    path = "driver.cuda" if reported else "driver.version"
    if reported and knowledge.numbers(reported)[:1] >= wanted[:1]:
        path = "driver.version"
    needs = f"CUDA {wanted[0]} needs {limit} or newer" if limit else f"it needs CUDA {torch.cuda}"
    have = driver.version or f"for CUDA {driver.cuda}"
    newest = compat.newest_cuda_of(driver.version, reported)
    yield finding(
        "driver-too-old",
        f"The NVIDIA driver {have} is too old for {case.torch_name} ({needs})",
        "torch brings its own CUDA, but the driver below must be new enough for it. "
        + (f"This one serves programs up to CUDA {newest}. " if newest else "")
        + "Either a newer driver or a build of torch for an older CUDA cures it.",
        evidence=[
            case.evidence(path),
            *([case.evidence("driver.version")] if path != "driver.version" else []),
            case.evidence("torch.cuda"),
        ],
        gpus=case.visible,
        clears_with=("driver", "install"),
    )


@rule(
    "gpu-not-visible-to-driver",
    uses=("gpus[*].pci_address", "gpus[*].memory_bytes", "gpus[*].cuda_index"),
    needs=("gpus", "driver"),
    unless=(
        "driver-not-loaded",
        *FINER,
        "open-kernel-module-required",
        "cuda-visible-devices-hides-gpus",
        "cuda-visible-devices-wrong-index",
        "fabric-manager-not-running",
        "gpu-fell-off-bus",
    ),
    follows=("gpu-needs-other-driver-branch",),
)
def gpu_not_visible_to_driver(case: Case) -> Iterator[Finding | Unknown]:
    """PCI shows a GPU that the loaded driver leaves out, while it lists others or says none."""
    if case.facts.driver is None or not case.native_linux:
        return
    listed = [device for device in case.nvidia if case.listed_by_driver(device)]
    none_found = case.driver.cu_init == 100 or case.driver.nvml_error == "NVML_ERROR_NOT_FOUND"
    if not listed and not none_found:
        return
    for device in case.nvidia:
        gpu = device.gpu
        # What the driver alone could say of it (memory, UUID) is unknown; that CUDA gives it no
        # number is known as soon as CUDA has answered.
        known = case.knows(f"{device.path}.cuda_index")
        if device in listed or gpu.pci_address is None or not known:
            continue
        if bound_driver(case, device) not in (None, "nvidia"):
            continue
        if case.is_spare(device) or gpu.visible is False:
            continue
        if _left_behind(case, device):
            continue
        yield finding(
            "gpu-not-visible-to-driver",
            f"The NVIDIA driver does not list {device.label}, although it is on the PCI bus",
            "The card is plugged in and the driver runs, but the driver did not take the card. "
            "The kernel log usually says why: power, seating, firmware or a failing card.",
            evidence=[
                case.evidence(f"{device.path}.pci_address"),
                case.evidence("driver.version"),
            ],
            gpus=(device,),
            clears_with=("manual",),
            next_look="`sudo dmesg | grep -i -e nvrm -e nvidia` says why.",
        )


def _left_behind(case: Case, device: Device) -> bool:
    """Whether the driver's branch does not serve the GPU, which another finding says."""
    stated = number(case)
    if stated is None or device.capability is None:
        return False
    return compat.knows(stated[0], str(device.capability)) in ("too-new", "too-old")

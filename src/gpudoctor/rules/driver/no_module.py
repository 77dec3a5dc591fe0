"""The kernel's side of the NVIDIA driver: why no module answers for a GPU that is there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gpudoctor.compat.driver import module_serves
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Evidence, Finding
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.terms.shell import posix_step
from gpudoctor.rules.driver import distribution_commands as commands
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case, Device
from gpudoctor.rules.engine.restart import restart
from gpudoctor.rules.engine.wording import finding, names, verb

_REJECTED = late_pattern(
    r"key was rejected by service|loading of (unsigned )?module (with unavailable key )?is rejected"
    r"|required key not available",
    re.IGNORECASE,
)


def not_loaded(case: Case) -> bool:
    """Whether it is known that no nvidia module is loaded, on a machine that needs one."""
    return (
        case.native_linux
        and case.module.loaded is False
        and case.knows("kernel_module.loaded")
        and not case.cuda_works
    )


def bound_driver(case: Case, device: Device) -> str | None:
    """The kernel driver that sysfs shows bound to a GPU."""
    return device.gpu.driver or case.module.pci_drivers.get(device.gpu.pci_address or "")


@rule("nouveau-owns-gpu", uses=("gpus[*].driver", "kernel_module"), needs=("gpus",))
def nouveau_owns_gpu(case: Case) -> Iterator[Finding | Unknown]:
    """The free driver nouveau is bound to the GPU, so that NVIDIA's cannot have it."""
    if not case.native_linux or not case.wants_driver:
        return
    held = [device for device in case.nvidia if bound_driver(case, device) in ("nouveau", "nova")]
    if not held and not_loaded(case) and case.module.nouveau_loaded:
        held = [device for device in case.nvidia if bound_driver(case, device) is None]
    free = [device for device in case.nvidia if device not in held]
    if not held or (case.module.loaded and case.cuda_works and not _worth_having(held, free)):
        return
    yield finding(
        "nouveau-owns-gpu",
        f"The nouveau driver holds {names(held)}, so NVIDIA's driver cannot use it",
        "Linux brings a free driver for NVIDIA cards, nouveau, which cannot run CUDA. It was "
        "loaded first and holds the card until it is kept from loading.",
        evidence=[
            Evidence(
                fact=f"{device.path}.driver",
                value=bound_driver(case, device) or "nouveau is loaded, nvidia is not",
                source=case.sheet.source(f"{device.path}.driver"),
            )
            for device in held
        ],
        gpus=held,
        clears_with=("driver", "reboot"),
        remedies=(
            posix_step(
                "driver",
                "Keep nouveau from loading.",
                "sudo sh -c \"printf 'blacklist nouveau\\noptions nouveau modeset=0\\n' "
                '> /etc/modprobe.d/blacklist-nouveau.conf"',
            ),
            *commands.rebuild_initramfs(case),
            # Where no driver is installed, how to install one is the solver's to say.
            *((restart(case),) if installed(case) else ()),
        ),
    )


def installed(case: Case) -> bool:
    """Whether files of NVIDIA's driver are there, be it that nothing of it runs."""
    return case.facts.driver is not None or case.module.packages_installed is True


def _worth_having(held: list[Device], free: list[Device]) -> bool:
    """Whether a card that nouveau holds beside a working one could train anything."""
    return not free or any(
        device.capability is not None and knowledge.is_served(device.capability, None)
        for device in held
    )


@rule(
    "kernel-module-missing-after-kernel-update",
    needs=("gpus", "kernel_module.loaded", "kernel_module.built_for_kernel"),
    unless=("container-started-without-gpu", "nouveau-owns-gpu"),
)
def kernel_module_missing(case: Case) -> Iterator[Finding | Unknown]:
    """Driver packages are there, but no module lies in /lib/modules for the running kernel."""
    module = case.module
    if not case.nvidia or not not_loaded(case) or case.host.container:
        return
    if module.built_for_kernel is not False:
        return
    if not module.other_kernels and not module.packages_installed:
        return
    running = case.host.kernel or "that runs"
    others = ", ".join(module.other_kernels)
    yield finding(
        "kernel-module-missing-after-kernel-update",
        f"The NVIDIA kernel module is not built for the running kernel {running}",
        "The driver consists of libraries and of a module that must be built for each kernel. "
        "The kernel was updated, and the module was not built for the new one"
        + (f"; it is there for {others}." if others else "."),
        evidence=[
            case.evidence("host.kernel"),
            case.evidence("kernel_module.built_for_kernel"),
            case.evidence("kernel_module.other_kernels"),
        ],
        gpus=case.nvidia,
        clears_with=("driver", "reboot"),
        remedies=commands.rebuild_module(case),
    )


@rule(
    "secure-boot-module-rejected",
    uses=("host.secure_boot", "kernel_module.built_for_kernel", "log"),
    needs=("gpus", "kernel_module.loaded"),
    unless=(
        "container-started-without-gpu",
        "nouveau-owns-gpu",
        "kernel-module-missing-after-kernel-update",
        "prime-profile-hides-gpu",
    ),
)
def secure_boot_module_rejected(case: Case) -> Iterator[Finding | Unknown]:
    """Secure Boot is on and the module, although built for this kernel, is not loaded."""
    module = case.module
    if not case.nvidia or not not_loaded(case) or case.host.container:
        return
    said = next((line for line in case.facts.log if _REJECTED.search(line)), None)
    circumstances = case.host.secure_boot is True and module.built_for_kernel is True
    if said is None and not circumstances:
        return
    yield finding(
        "secure-boot-module-rejected",
        "Secure Boot keeps the NVIDIA kernel module from loading",
        "With Secure Boot the kernel loads only modules signed with a key that the firmware "
        "knows. The NVIDIA module is built for this kernel, but it is not loaded.",
        evidence=[
            case.evidence("host.secure_boot"),
            case.evidence("kernel_module.built_for_kernel"),
            *([Evidence(fact="log", value=said, source="kernel log")] if said else []),
        ],
        gpus=case.nvidia,
        clears_with=("driver", "reboot", "manual"),
        next_look=None
        if said
        else "`sudo modprobe nvidia` says `Key was rejected by service` if it is so.",
        remedies=commands.enrol_key(case),
    )


@rule("prime-profile-hides-gpu", needs=("kernel_module.prime_profile",))
def prime_profile_hides_gpu(case: Case) -> Iterator[Finding | Unknown]:
    """The laptop's graphics profile has the NVIDIA GPU switched off."""
    profile = case.module.prime_profile
    if profile not in ("intel", "off") or not not_loaded(case) or case.host.container:
        return
    yield finding(
        "prime-profile-hides-gpu",
        "The graphics profile of this laptop has its NVIDIA GPU switched off",
        "Laptops with two GPUs can switch the NVIDIA one off to save power. The profile "
        f"{profile!r} does that: its driver is not even loaded.",
        evidence=[
            case.evidence("kernel_module.prime_profile"),
            case.evidence("kernel_module.loaded"),
        ],
        gpus=case.nvidia,
        clears_with=("driver", "reboot"),
        remedies=(
            posix_step(
                "driver",
                "Let the GPU wake when it is needed (`nvidia` in place of `on-demand` keeps it "
                "on).",
                "sudo prime-select on-demand",
            ),
            restart(case),
        ),
    )


@rule(
    "open-kernel-module-required",
    uses=("kernel_module.loaded", "gpus[*].compute_capability"),
    needs=("gpus", "kernel_module.flavour"),
)
def open_kernel_module_required(case: Case) -> Iterator[Finding | Unknown]:
    """The loaded module has the flavour that does not serve a GPU of this generation."""
    flavour = case.module.flavour
    if flavour is None or not case.native_linux or case.module.loaded is False:
        return
    wrong: dict[str, list[Device]] = {}
    for device in case.nvidia:
        if case.cuda_works and device.gpu.cuda_index is not None:
            continue
        generation = knowledge.generation(device.capability)
        if generation is None or case.is_spare(device):
            continue
        if module_serves(flavour, str(device.capability)) is False:
            wrong.setdefault(generation.module, []).append(device)
    for needed, devices in wrong.items():
        which = "older than Turing" if needed == "proprietary" else "of the Blackwell generation"
        yield finding(
            "open-kernel-module-required",
            f"{names(devices)} {verb(devices, 'needs', 'need')} the {needed} NVIDIA kernel module, "
            f"and the {flavour} one is loaded",
            "NVIDIA ships its kernel module in two flavours, open and proprietary. GPUs "
            f"{which} work with the {needed} one alone; with the other, nvidia-smi says `No "
            "devices were found`.",
            evidence=[
                case.evidence("kernel_module.flavour"),
                *(case.evidence(f"{device.path}.compute_capability") for device in devices),
            ],
            gpus=devices,
            clears_with=("driver", "reboot"),
        )

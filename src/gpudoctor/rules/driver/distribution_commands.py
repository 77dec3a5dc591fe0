"""What to type about driver and kernel, by the family of the Linux distribution."""

from __future__ import annotations

from gpudoctor.model.shell import posix_step, sentence_step
from gpudoctor.model.step import Step
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.restart import restart

# Families by `ID` of /etc/os-release. The commands are those of each distribution's own manuals:
# wiki.debian.org/NvidiaGraphicsDrivers, help.ubuntu.com (dkms), rpmfusion.org/Howto/NVIDIA
# (akmods), wiki.archlinux.org/title/NVIDIA, en.opensuse.org/SDB:NVIDIA_drivers.
_FAMILIES = {
    "apt": ("ubuntu", "debian", "linuxmint", "pop", "zorin", "elementary", "kali", "neon"),
    "dnf": ("fedora", "rhel", "centos", "rocky", "almalinux", "ol", "amzn", "nobara"),
    "pacman": ("arch", "manjaro", "endeavouros", "cachyos"),
    "zypper": ("opensuse", "opensuse-leap", "opensuse-tumbleweed", "sles", "suse"),
}


def family(case: Case) -> str | None:
    """`apt`, `dnf`, `pacman`, `zypper`; `None` where the distribution is unknown."""
    name = case.host.distribution_id
    return next((kind for kind, ids in _FAMILIES.items() if name in ids), None)


def rebuild_initramfs(case: Case) -> tuple[Step, ...]:
    """The command that puts module settings into the image that the kernel starts from."""
    text = "Put the change into the boot image."
    command = {
        "apt": "sudo update-initramfs -u",
        "dnf": "sudo dracut --force",
        "pacman": "sudo mkinitcpio -P",
        "zypper": "sudo dracut --force",
    }.get(family(case) or "")
    if command is None:
        text = f"{text[:-1]} (on Fedora, RHEL and SUSE: `sudo dracut --force`)."
    return (posix_step("driver", text, command or "sudo update-initramfs -u"),)


def rebuild_module(case: Case) -> tuple[Step, ...]:
    """The commands that build the NVIDIA module for the running kernel."""
    build = "Build the module for this kernel."
    headers = "Install what modules for the running kernel are built with."
    load = posix_step("driver", "Load it.", "sudo modprobe nvidia && nvidia-smi")
    match family(case):
        case "apt":
            return (
                posix_step("driver", headers, "sudo apt install dkms linux-headers-$(uname -r)"),
                posix_step("driver", build, "sudo dkms autoinstall"),
                load,
            )
        case "dnf":
            return (
                posix_step("driver", headers, "sudo dnf install kernel-devel-$(uname -r)"),
                posix_step(
                    "driver",
                    f"{build[:-1]} (with packages from NVIDIA: `sudo dkms autoinstall`).",
                    "sudo akmods --force",
                ),
                load,
            )
        case "pacman":
            return (
                posix_step("driver", build, "sudo pacman -Syu linux-headers nvidia-open-dkms"),
                restart(case),
            )
        case "zypper":
            again = "sudo zypper install --force nvidia-open-driver-G06-kmp-default"
            return (posix_step("driver", build, again), restart(case))
        case _:
            return (
                sentence_step("driver", "Install the headers of the running kernel (uname -r)."),
                posix_step("driver", build, "sudo dkms autoinstall"),
                load,
            )


def enrol_key(case: Case) -> tuple[Step, ...]:
    """The commands that make the firmware know the key that signs locally built modules."""
    key = "/var/lib/shim-signed/mok/MOK.der" if family(case) == "apt" else "/var/lib/dkms/mok.pub"
    if family(case) == "dnf":
        key = "/etc/pki/akmods/certs/public_key.der"
    return (
        posix_step(
            "driver",
            "Make the key known to the firmware; it asks for a password of your choice.",
            f"sudo mokutil --import {key}",
        ),
        restart(case, "Restart, and choose “Enroll MOK” in the blue screen that appears."),
        sentence_step("manual", "Or switch Secure Boot off in the firmware's setup."),
    )

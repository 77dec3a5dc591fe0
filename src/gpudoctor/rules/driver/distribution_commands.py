"""What to type about driver and kernel, by the family of the Linux distribution."""

from __future__ import annotations

from gpudoctor.rules.engine.case import Case

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


def rebuild_initramfs(case: Case) -> tuple[str, ...]:
    """The command that puts module settings into the image that the kernel starts from."""
    return {
        "apt": ("sudo update-initramfs -u",),
        "dnf": ("sudo dracut --force",),
        "pacman": ("sudo mkinitcpio -P",),
        "zypper": ("sudo dracut --force",),
    }.get(
        family(case) or "",
        (
            (
                "sudo update-initramfs -u   ("
                "put the change into the boot image; on Fedora, RHEL and SUSE: sudo "
                "dracut --force)"
            ),
        ),
    )


def rebuild_module(case: Case) -> tuple[str, ...]:
    """The commands that build the NVIDIA module for the running kernel."""
    load = "sudo modprobe nvidia && nvidia-smi"
    return {
        "apt": (
            "sudo apt install dkms linux-headers-$(uname -r)",
            "sudo dkms autoinstall",
            load,
        ),
        "dnf": (
            "sudo dnf install kernel-devel-$(uname -r)",
            (
                "sudo akmods --force   ("
                "build the module for this kernel; with packages from NVIDIA: sudo dkms "
                "autoinstall)"
            ),
            load,
        ),
        "pacman": ("sudo pacman -Syu linux-headers nvidia-open-dkms", "sudo reboot"),
        "zypper": ("sudo zypper install --force nvidia-open-driver-G06-kmp-default", "sudo reboot"),
    }.get(
        family(case) or "",
        (
            "Install the headers of the running kernel (uname -r), then: sudo dkms autoinstall",
            load,
        ),
    )


def enrol_key(case: Case) -> tuple[str, ...]:
    """The commands that make the firmware know the key that signs locally built modules."""
    key = "/var/lib/shim-signed/mok/MOK.der" if family(case) == "apt" else "/var/lib/dkms/mok.pub"
    if family(case) == "dnf":
        key = "/etc/pki/akmods/certs/public_key.der"
    return (
        (
            f"sudo mokutil --import {key}   ("
            "make the key known to the firmware; it asks for a password of your "
            "choice)"
        ),
        "sudo reboot   (restart, and choose “Enroll MOK” in the blue screen that appears)",
        "Or switch Secure Boot off in the firmware's setup.",
    )

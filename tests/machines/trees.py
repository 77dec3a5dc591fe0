"""`/sys`, `/proc`, `/dev` and `/etc` of a stand-in machine."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from machines.cards import Card, OtherCard

_SPEEDS = {
    1: "2.5 GT/s PCIe",
    2: "5.0 GT/s PCIe",
    3: "8.0 GT/s PCIe",
    4: "16.0 GT/s PCIe",
    5: "32.0 GT/s PCIe",
}


@dataclass(frozen=True, kw_only=True)
class System:
    """The operating system of a machine."""

    distribution: str = "Ubuntu 24.04.1 LTS"
    distribution_id: str = "ubuntu"
    distribution_version: str = "24.04"
    kernel: str = "6.8.0-49-generic"
    arch: str = "x86_64"
    glibc: str = "2.39"
    cpu: str = "AMD EPYC 7763 64-Core Processor"
    memory_gib: int = 256
    secure_boot: bool | None = False
    shm: str = "size=131072k"
    wsl: bool = False
    files: dict[str, str] = field(default_factory=dict)
    """More files, by their path on the machine."""

    @property
    def triplet(self) -> str:
        """Debian's name of the architecture."""
        return f"{self.arch}-linux-gnu"


@dataclass(frozen=True, kw_only=True)
class Module:
    """The kernel's side of the NVIDIA driver."""

    loaded: bool = True
    version: str | None = None
    """The driver's unless said."""
    flavour: str = "open"
    built_for: tuple[str, ...] | None = None
    """Kernels with a module on disk; the running one unless said."""
    nouveau: bool = False
    nodes: bool = True
    node_mode: int = 0o666
    packages: bool = True


def write_system(root: str, system: System) -> None:
    """Everything that does not depend on GPUs."""
    loader = f"/lib/{system.triplet}/libc.so.6"
    banner = (
        f"GNU C Library (Ubuntu GLIBC {system.glibc}-0) stable release version {system.glibc}.\n"
    )
    write(root, loader, "\x7fELF" + banner)
    write(
        root,
        "/etc/os-release",
        f'PRETTY_NAME="{system.distribution}"\nID={system.distribution_id}\n'
        f'VERSION_ID="{system.distribution_version}"\n',
    )
    write(root, "/proc/sys/kernel/osrelease", system.kernel + "\n")
    write(root, "/proc/sys/kernel/arch", system.arch + "\n")
    write(root, "/proc/version", f"Linux version {system.kernel} (builder@host)\n")
    write(
        root,
        "/proc/cpuinfo",
        "".join(f"processor\t: {n}\nmodel name\t: {system.cpu}\n\n" for n in range(8)),
    )
    write(root, "/proc/meminfo", f"MemTotal:       {system.memory_gib * 1024 * 1024} kB\n")
    write(root, "/proc/1/cgroup", "0::/init.scope\n")
    write(
        root,
        "/proc/self/mountinfo",
        "29 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw\n"
        f"31 29 0:26 / /dev/shm rw,nosuid shared:4 - tmpfs tmpfs rw,{system.shm}\n",
    )
    os.makedirs(root + "/sys/bus/pci/devices", exist_ok=True)
    os.makedirs(root + "/dev", exist_ok=True)
    os.makedirs(root + f"/lib/modules/{system.kernel}", exist_ok=True)
    if system.wsl:
        write(root, "/dev/dxg", "")
    elif system.secure_boot is not None:
        guid = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
        path = f"{root}/sys/firmware/efi/efivars/SecureBoot-{guid}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(bytes([6, 0, 0, 0, 1 if system.secure_boot else 0]))
    for path, text in system.files.items():
        write(root, path, text)


def write_module(root: str, system: System, module: Module, version: str, cards: int) -> None:
    """The kernel module, its device nodes, and modules on disk."""
    version = module.version or version
    if module.loaded:
        name = (
            f"NVIDIA UNIX Open Kernel Module for {system.arch}"
            if module.flavour == "open"
            else f"NVIDIA UNIX {system.arch} Kernel Module"
        )
        stamp = "Release Build  (dvs-builder@U22)" if module.flavour == "open" else ""
        write(
            root,
            "/proc/driver/nvidia/version",
            f"NVRM version: {name}  {version}  {stamp}  Thu Jul 17 02:06:11 UTC 2025\n"
            "GCC version:  gcc version 13.2.0 (Ubuntu 13.2.0-23ubuntu4)\n",
        )
        write(root, "/sys/module/nvidia/version", version + "\n")
        os.makedirs(root + "/sys/module/nvidia_uvm", exist_ok=True)
        names = [f"nvidia{n}" for n in range(cards)] + ["nvidiactl", "nvidia-uvm"]
        for node in names if module.nodes else ():
            write(root, f"/dev/{node}", "")
            os.chmod(f"{root}/dev/{node}", module.node_mode)
    if module.nouveau:
        os.makedirs(root + "/sys/module/nouveau", exist_ok=True)
    built = (system.kernel,) if module.built_for is None else module.built_for
    for kernel in built:
        write(root, f"/lib/modules/{kernel}/updates/dkms/nvidia.ko.zst", "")
    if module.packages:
        write(root, f"/usr/lib/{system.triplet}/libnvidia-ml.so.1", "")
        write(root, "/usr/bin/nvidia-smi", "")


def write_cards(
    root: str,
    cards: list[tuple[str, Card]],
    others: tuple[OtherCard, ...],
    compute_mode: int | None = 0o666,
) -> None:
    """The bus; each device is a link into `/sys/devices`, as in a true one.

    `compute_mode`: the rights of `/dev/kfd`; `None`: it is not there.
    """
    for address, card in cards:
        if not card.on_pci:
            continue
        files = {"vendor": "0x10de", "device": "0x" + card.pci_id.partition(":")[2]}
        files |= {"class": "0x030000", "revision": "0xa1"}
        if card.pcie:
            now, best, width, width_best = card.pcie
            files |= {
                "current_link_speed": _SPEEDS[now],
                "max_link_speed": _SPEEDS[best],
                "current_link_width": str(width),
                "max_link_width": str(width_best),
            }
        _device(root, address, files, card.bound)
    for number, other in enumerate(others):
        vendor, _, device = other.pci_id.partition(":")
        files = {
            "vendor": "0x" + vendor,
            "device": "0x" + device,
            "class": "0x" + other.device_class,
        }
        files |= {"revision": "0x" + other.revision, **other.files}
        _device(root, other.address, files, other.bound)
        if other.bound in ("amdgpu", "i915", "xe"):
            _render_node(root, other, 128 + number)
        if other.kfd_target is not None:
            bus = int(other.address.split(":")[1], 16)
            write(
                root,
                f"/sys/class/kfd/kfd/topology/nodes/{number + 1}/properties",
                f"cpu_cores_count 0\nsimd_count 144\ngfx_target_version {other.kfd_target}\n"
                f"location_id {bus << 8}\ndomain 0\nunique_id {other.unique_id}\n",
            )
    if compute_mode is not None and any(other.kfd_target is not None for other in others):
        write(root, "/dev/kfd", "")
        os.chmod(root + "/dev/kfd", compute_mode)
    if any(other.kfd_target is not None for other in others):
        write(root, "/sys/class/kfd/kfd/topology/nodes/0/properties", "cpu_cores_count 16\n")


def _render_node(root: str, card: OtherCard, number: int) -> None:
    """What the kernel module of a card makes: its node in sysfs, and the device file."""
    folder = f"/sys/devices/pci0000:00/{card.address}"
    os.makedirs(f"{root}{folder}/drm/renderD{number}", exist_ok=True)
    os.makedirs(f"{root}/sys/module/{card.bound}", exist_ok=True)
    os.makedirs(f"{root}/sys/class/drm/renderD{number}", exist_ok=True)
    os.symlink(
        f"../../../devices/pci0000:00/{card.address}",
        f"{root}/sys/class/drm/renderD{number}/device",
    )
    if card.node_mode is not None:
        write(root, f"/dev/dri/renderD{number}", "")
        os.chmod(f"{root}/dev/dri/renderD{number}", card.node_mode)


def _device(root: str, address: str, files: dict[str, str], driver: str | None) -> None:
    folder = f"/sys/devices/pci0000:00/{address}"
    for name, text in files.items():
        write(root, f"{folder}/{name}", text + "\n")
    if driver:
        os.makedirs(f"{root}/sys/bus/pci/drivers/{driver}", exist_ok=True)
        os.symlink(f"../../../bus/pci/drivers/{driver}", f"{root}{folder}/driver")
    os.makedirs(root + "/sys/bus/pci/devices", exist_ok=True)
    os.symlink(f"../../../devices/pci0000:00/{address}", f"{root}/sys/bus/pci/devices/{address}")


def write(root: str, path: str, text: str) -> None:
    """Write a file of the machine."""
    place = root + path
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "w", encoding="utf-8") as file:
        file.write(text)

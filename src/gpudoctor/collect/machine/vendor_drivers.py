"""The kernel's side of AMD's and Intel's GPUs, from /sys and /dev; no device is opened.

A device is not opened because that wakes a GPU that sleeps; whether it could be is asked from the
kernel by the file's rights, access lists included.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from gpudoctor.collect.gpus.pci import DEVICES, KFD_NODES, PciGpu
from gpudoctor.collect.system.sysroot import Sysroot
from gpudoctor.model.parts.vendor_driver import DeviceFile, VendorDriver

_MODULES = {"amd": ("amdgpu",), "intel": ("xe", "i915")}
# Where distributions and the vendors' own packages put the user's side: Debian's multiarch
# folder, Fedora's lib64, ROCm's /opt, the folder that WSL mounts from Windows.
_FOLDERS = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib",
    "/lib/x86_64-linux-gnu",
    "/opt/rocm/lib",
    "/usr/lib/wsl/lib",
)
_LIBRARIES = {
    "amd": ("librocdxg.so", "librocdxg.so.1"),
    "intel": ("libze_intel_gpu.so.1", "libze_intel_gpu_legacy1.so.1", "libze_loader.so.1"),
}
_ROCM_VERSION = ("/opt/rocm/.info/version", "/opt/rocm/.info/version-dev")


def read_vendor_driver(
    root: Sysroot, vendor: str, gpus: Iterable[PciGpu], environ: Mapping[str, str]
) -> VendorDriver | None:
    """What serves the GPUs of `vendor` (`amd`, `intel`); `None` where it has none here.

    Under WSL no GPU is on the bus; there the user's side alone can be seen.
    """
    own = [gpu for gpu in gpus if gpu.vendor == vendor]
    libraries = tuple(_libraries(root, vendor, environ))
    if not own and not (vendor == "amd" and libraries):
        return None
    modules = tuple(name for name in _MODULES[vendor] if root.is_dir(f"/sys/module/{name}"))
    version = root.read_or_none("/sys/module/amdgpu/version") if "amdgpu" in modules else None
    present, absent = _render_nodes(root, own)
    compute = ["/dev/kfd"] if vendor == "amd" and root.exists("/dev/kfd") else []
    return VendorDriver(
        modules=modules,
        version=version or None,
        # Only AMD's own package gives the module a version file; the kernel's own has none:
        # https://github.com/ROCm/rocminfo/pull/65
        in_tree=not version if "amdgpu" in modules else None,
        device_files=(
            *(_device_file(root, path, None) for path in compute),
            *(_device_file(root, path, address) for path, address in present),
        ),
        absent_nodes=tuple(absent),
        unreadable_nodes=tuple(_unreadable(root)) if vendor == "amd" else (),
        user_space=_rocm(root) if vendor == "amd" else None,
        libraries=libraries,
    )


def _render_nodes(
    root: Sysroot, gpus: Iterable[PciGpu]
) -> tuple[list[tuple[str, str | None]], list[str]]:
    """The render nodes that are there (with the GPU's address), and those that are not.

    `/sys/bus/pci/devices/ADDRESS/drm/` lists the nodes of a GPU. Where sysfs does not say which
    GPU a node belongs to, it may be anyone's and is listed without an address.
    """
    present: list[tuple[str, str | None]] = []
    absent = []
    named = set()
    for gpu in gpus:
        for name in root.names(f"{DEVICES}/{gpu.address}/drm"):
            if not name.startswith("renderD"):
                continue
            named.add(name)
            path = f"/dev/dri/{name}"
            if root.exists(path):
                present.append((path, gpu.address))
            else:
                absent.append(path)
    for name in root.names("/dev/dri"):
        if name.startswith("renderD") and name not in named and not _owner(root, name):
            present.append((f"/dev/dri/{name}", None))
    return present, absent


def _owner(root: Sysroot, name: str) -> str | None:
    """The PCI device that a render node belongs to, where sysfs says it."""
    link = f"/sys/class/drm/{name}/device"
    if not root.exists(link):
        return None
    return root.realpath(link).rpartition("/")[2] or None


def _device_file(root: Sysroot, path: str, address: str | None) -> DeviceFile:
    place = root.place(path)
    status = root.stat(path)
    number = None if status is None else status.st_gid
    groups = {os.getegid(), *os.getgroups()} if hasattr(os, "getgroups") else set()
    return DeviceFile(
        path=path,
        openable=os.access(place, os.R_OK | os.W_OK),
        group_id=number,
        group=_group_name(root, number),
        member=None if number is None else number in groups,
        pci_address=address,
    )


def _group_name(root: Sysroot, number: int | None) -> str | None:
    """The group's name in `/etc/group`; a container often has none for a host's number."""
    for line in (root.read_or_none("/etc/group") or "").splitlines():
        parts = line.split(":")
        if len(parts) > 2 and parts[2] == str(number):
            return parts[0]
    return None


def _unreadable(root: Sysroot) -> list[str]:
    """Nodes whose properties may not be read: GPUs that were not passed into this container.

    https://github.com/pytorch/pytorch/pull/188024
    """
    found = []
    for node in root.names(KFD_NODES):
        try:
            root.read(f"{KFD_NODES}/{node}/properties")
        except OSError:
            found.append(node)
    return found


def _rocm(root: Sysroot) -> str | None:
    for path in _ROCM_VERSION:
        if text := root.read_or_none(path):
            return text.split("-")[0].strip() or None
    return None


def _libraries(root: Sysroot, vendor: str, environ: Mapping[str, str]) -> list[str]:
    """The user's side of the driver where the loader looks: on its path, then in the system."""
    entries = environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    found = [
        path
        for folder in entries
        for name in _LIBRARIES[vendor]
        if folder and os.path.isfile(path := os.path.join(folder, name))
    ]
    return found + [
        f"{folder}/{name}"
        for folder in _FOLDERS
        for name in _LIBRARIES[vendor]
        if root.exists(f"{folder}/{name}")
    ]

"""The kernel's side of GPUs that are not NVIDIA's: module, device files, user space beside it."""

from __future__ import annotations

from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFile:
    """A device file through which programs reach GPUs: `/dev/kfd`, `/dev/dri/renderD128`."""

    path: str
    openable: bool | None = None
    """Whether this user may open it for reading and writing."""
    group_id: int | None = None
    """The number of the group that owns it; in a container its name may be another or none."""
    group: str | None = None
    member: bool | None = None
    """Whether this user is in that group."""
    pci_address: str | None = None
    """The GPU that a render node belongs to, where sysfs says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorDriver:
    """What serves the GPUs of AMD or Intel on Linux."""

    modules: tuple[str, ...] = ()
    """The kernel modules for them that are loaded or built in: `amdgpu`; `i915`, `xe`."""
    version: str | None = None
    """The module's own version, which only a packaged amdgpu states: `6.14.14`."""
    in_tree: bool | None = None
    """Whether the module is the kernel's own; `False`: packaged by the vendor."""
    device_files: tuple[DeviceFile, ...] = ()
    """`/dev/kfd` (AMD) and the render nodes of its GPUs, those that exist."""
    absent_nodes: tuple[str, ...] = ()
    """Render nodes that sysfs knows for its GPUs and `/dev` has not: not passed in here."""
    unreadable_nodes: tuple[str, ...] = ()
    """Nodes of AMD's compute topology whose properties this program may not read."""
    user_space: str | None = None
    """Version of ROCm that is installed on the system, beside the one that torch brings."""
    libraries: tuple[str, ...] = ()
    """The user's side of the driver on disk: `libze_intel_gpu.so.1`, `librocdxg.so` …"""

    @property
    def render_nodes(self) -> tuple[DeviceFile, ...]:
        """The device files that are render nodes."""
        return tuple(f for f in self.device_files if f.path.startswith("/dev/dri/"))

    @property
    def compute_node(self) -> DeviceFile | None:
        """`/dev/kfd`, if it is there."""
        return next((f for f in self.device_files if f.path == "/dev/kfd"), None)

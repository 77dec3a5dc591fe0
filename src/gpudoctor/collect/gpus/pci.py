"""GPUs on the PCI bus, from sysfs: there whether or not a driver is loaded.

Class numbers are those of the PCI Code and ID Assignment Specification: 0x0300 VGA controller,
0x0302 3D controller, 0x0380 other display controller, 0x1200 processing accelerator (AMD's
Instinct parts).
"""

from __future__ import annotations

from gpudoctor.collect.system.sysroot import Sysroot, whole_number
from gpudoctor.model.facts import PCI_VENDORS
from gpudoctor.model.value import dataclass

DEVICES = "/sys/bus/pci/devices"
KFD_NODES = "/sys/class/kfd/kfd/topology/nodes"
_CLASSES = {
    "nvidia": ("0300", "0302", "0380"),
    "amd": ("0300", "0302", "0380", "1200"),
    "intel": ("0300", "0302", "0380"),
}
# PCI Express: gigatransfers per second and lane of each generation.
_GENERATIONS = {"2.5": 1, "5.0": 2, "5": 2, "8.0": 3, "16.0": 4, "32.0": 5, "64.0": 6}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeNode:
    """A GPU in the topology of AMD's compute driver."""

    index: int
    """Its place among the GPUs there, which is how ROCm counts."""
    gfx: str
    uuid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PciGpu:
    """One GPU as sysfs shows it."""

    address: str
    """`0000:01:00.0`; a mere label where `on_bus` is false."""
    on_bus: bool = True
    """Whether the address is known (not so in the registry of Windows)."""
    vendor: str
    pci_id: str
    """`10de:2d04`"""
    revision: str | None = None
    """Two hexadecimal digits; AMD sells several names under one device id, told apart by it."""
    driver: str | None = None
    """Kernel driver bound to it."""
    product: str | None = None
    """What AMD's driver calls the board (`product_name`); most boards have none."""
    memory_bytes: int | None = None
    compute: ComputeNode | None = None
    """Its node in AMD's compute topology."""
    pcie_generation: int | None = None
    pcie_generation_max: int | None = None
    pcie_width: int | None = None
    pcie_width_max: int | None = None
    power_state: str | None = None
    """Runtime power management: `active`, `suspended`."""


def find_gpus(root: Sysroot) -> tuple[PciGpu, ...]:
    """Every GPU of NVIDIA, AMD and Intel, in the order of their addresses.

    Virtual functions (a GPU divided for virtual machines) are parts of one that is listed.

    Raises:
        OSError: the bus cannot be read.
    """
    nodes = compute_nodes(root)
    found = []
    for address in root.names(DEVICES):
        folder = f"{DEVICES}/{address}"
        vendor_id = (root.read(f"{folder}/vendor") or "").removeprefix("0x")
        vendor = PCI_VENDORS.get(vendor_id)
        if vendor is None:
            continue
        code = (root.read(f"{folder}/class") or "").removeprefix("0x")[:4]
        if code not in _CLASSES[vendor] or root.exists(f"{folder}/physfn"):
            continue
        device = (root.read(f"{folder}/device") or "").removeprefix("0x")
        found.append(_gpu(root, folder, address, vendor, f"{vendor_id}:{device}", nodes))
    return tuple(found)


def _gpu(
    root: Sysroot,
    folder: str,
    address: str,
    vendor: str,
    pci_id: str,
    nodes: dict[str, ComputeNode],
) -> PciGpu:
    driver = None
    if root.exists(f"{folder}/driver"):
        driver = root.realpath(f"{folder}/driver").rpartition("/")[2]
    power = root.read_or_none(f"{folder}/power/runtime_status")

    def link(name: str) -> str | None:
        # Reading the link of a suspended GPU would wake it up.
        return None if power == "suspended" else root.read_or_none(f"{folder}/{name}")

    memory = root.read_or_none(f"{folder}/mem_info_vram_total") if vendor == "amd" else None
    return PciGpu(
        address=address,
        vendor=vendor,
        pci_id=pci_id,
        revision=(root.read_or_none(f"{folder}/revision") or "").removeprefix("0x") or None,
        driver=driver,
        product=(root.read_or_none(f"{folder}/product_name") if vendor == "amd" else None) or None,
        memory_bytes=whole_number(memory),
        compute=nodes.get(address),
        power_state=power,
        pcie_generation=generation(link("current_link_speed")),
        pcie_generation_max=generation(link("max_link_speed")),
        pcie_width=_width(link("current_link_width")),
        pcie_width_max=_width(link("max_link_width")),
    )


def compute_nodes(root: Sysroot) -> dict[str, ComputeNode]:
    """The nodes of AMD's compute driver by PCI address, processors left out.

    A node's properties give `gfx_target_version 100300` (gfx1030: major, minor and stepping in
    two decimal digits each), `domain` and `location_id` (bus and device function in one number),
    and `unique_id`, which ROCm writes as `GPU-` and 16 hexadecimal digits. A node that may not be
    read is left out.
    """
    found: dict[str, ComputeNode] = {}
    for name in sorted(root.names(KFD_NODES), key=lambda name: whole_number(name) or 0):
        text = root.read_or_none(f"{KFD_NODES}/{name}/properties") or ""
        pairs = (line.split() for line in text.splitlines())
        values = {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
        version = whole_number(values.get("gfx_target_version")) or 0
        place = whole_number(values.get("location_id"))
        if not version or place is None:
            continue
        domain, bus = whole_number(values.get("domain")) or 0, place >> 8 & 0xFF
        address = f"{domain:04x}:{bus:02x}:{place >> 3 & 0x1F:02x}.{place & 7}"
        unique = values.get("unique_id", "")
        found[address] = ComputeNode(
            index=len(found),
            gfx=gfx_name(version),
            # Up to 20 digits, 0 where the card has none.
            uuid=f"GPU-{int(unique):016x}" if unique.isdecimal() and unique.strip("0") else None,
        )
    return found


def gfx_name(version: int) -> str:
    """`gfx1030` for 100300, `gfx90a` for 90010: the stepping is one hexadecimal digit."""
    return f"gfx{version // 10000}{version // 100 % 100}{version % 100:x}"


def generation(speed: str | None) -> int | None:
    """4 for `16.0 GT/s PCIe`; `None` for `Unknown` and for what is no PCI Express."""
    return _GENERATIONS.get(speed.split()[0]) if speed else None


def _width(text: str | None) -> int | None:
    # 255 is what the kernel prints for a link that it cannot read.
    width = whole_number(text)
    return width if width is not None and 0 < width <= 32 else None


def normal_address(address: str) -> str:
    """`0000:01:00.0` for every way of writing it: `00000000:01:00.0`, `1:0.0`, upper case.

    A text that is no address comes back in lower case.
    """
    parts = address.strip().lower().replace(".", ":").split(":")
    try:
        numbers = [int(part, 16) for part in parts]
    except ValueError:
        return address.strip().lower()
    if len(numbers) == 3:
        numbers.insert(0, 0)
    if len(numbers) != 4:
        return address.strip().lower()
    return f"{numbers[0]:04x}:{numbers[1]:02x}:{numbers[2]:02x}.{numbers[3]}"

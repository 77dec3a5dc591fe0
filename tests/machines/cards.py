"""GPUs as their drivers and the bus describe them.

PCI ids: pci.ids and the open kernel module's list (configs/gpus_pci.yaml names the revisions);
memory in MiB as nvidia-smi prints it for the board.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Card:
    """One NVIDIA GPU and what its driver says of it."""

    name: str
    pci_id: str
    capability: str
    memory_mib: int
    multiprocessors: int = 0
    integrated: bool = False
    ecc: int | None = None
    power: int | None = 300
    pcie: tuple[int, int, int, int] | None = (4, 4, 16, 16)
    """Generation now and at best, width now and at best."""
    compute_mode: int = 0
    mig: int | None = None
    mig_uuids: tuple[str, ...] = ()
    persistence: int = 1
    driver_model: int | None = None
    """Of Windows: 0 for WDDM, 1 for TCC, 2 for MCDM."""
    cuda_rank: int | None = None
    """Place in CUDA's own order; that of the bus unless said."""
    bound: str | None = "nvidia"
    """Kernel driver in sysfs."""
    nvml_error: int | None = None
    on_pci: bool = True
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class OtherCard:
    """A GPU of AMD or Intel on the bus."""

    pci_id: str
    revision: str = "00"
    bound: str | None = "amdgpu"
    address: str = "0000:03:00.0"
    device_class: str = "030000"
    files: dict[str, str] = field(default_factory=dict)
    kfd_target: int | None = None
    """`gfx_target_version` of its node in AMD's compute topology; `None`: it has none."""
    node_mode: int | None = 0o666
    """Rights of its render node; `None`: sysfs knows it and /dev has it not."""
    unique_id: int = 0


def _card(name: str, pci_id: str, capability: str, memory_mib: int, **more: object) -> Card:
    return Card(
        name=name,
        pci_id=f"10de:{pci_id}",
        capability=capability,
        memory_mib=memory_mib,
        **more,  # type: ignore[arg-type]
    )


GTX_1080 = _card("NVIDIA GeForce GTX 1080", "1b80", "6.1", 8192, pcie=(3, 3, 16, 16), power=180)
TESLA_K80 = _card("Tesla K80", "102d", "3.7", 11441, pcie=(3, 3, 16, 16), ecc=1)
V100 = _card("Tesla V100-SXM2-16GB", "1db1", "7.0", 16384, ecc=1, pcie=(3, 3, 16, 16))
RTX_2080_TI = _card("NVIDIA GeForce RTX 2080 Ti", "1e07", "7.5", 11264, pcie=(3, 3, 16, 16))
A100 = _card("NVIDIA A100-SXM4-40GB", "20b0", "8.0", 40960, ecc=1, mig=0, multiprocessors=108)
RTX_3090 = _card("NVIDIA GeForce RTX 3090", "2204", "8.6", 24576, multiprocessors=82)
RTX_4090 = _card("NVIDIA GeForce RTX 4090", "2684", "8.9", 24564, multiprocessors=128)
H100 = _card("NVIDIA H100 80GB HBM3", "2330", "9.0", 81559, ecc=1, mig=0, multiprocessors=132)
B200 = _card("NVIDIA B200", "2901", "10.0", 183359, ecc=1, mig=0, multiprocessors=148)
B300 = _card("NVIDIA B300 SXM6 AC", "3182", "10.3", 275040, ecc=1, mig=0, multiprocessors=148)
RTX_5060_TI = _card("NVIDIA GeForce RTX 5060 Ti", "2d04", "12.0", 16311, multiprocessors=36)
RTX_5090 = _card("NVIDIA GeForce RTX 5090", "2b85", "12.0", 32607, multiprocessors=170)
GB10 = Card(
    name="NVIDIA GB10",
    pci_id="10de:2e12",
    capability="12.1",
    memory_mib=122502,
    integrated=True,
    multiprocessors=48,
    power=None,
    pcie=None,
)
ORIN = Card(
    name="Orin",
    pci_id="",
    capability="8.7",
    memory_mib=62840,
    integrated=True,
    multiprocessors=16,
    on_pci=False,
    power=None,
    pcie=None,
)

RX_6800_XT = OtherCard(pci_id="1002:73bf", revision="c1", kfd_target=100300)
RX_7900_XTX = OtherCard(pci_id="1002:744c", revision="c8", kfd_target=110000)
RX_580 = OtherCard(pci_id="1002:67df", revision="e7")
RAPHAEL = OtherCard(pci_id="1002:164e", revision="c9", address="0000:6c:00.0", kfd_target=100306)
ARC_A770 = OtherCard(pci_id="8086:56a0", revision="08", bound="i915", address="0000:04:00.0")
UHD_770 = OtherCard(pci_id="8086:4680", revision="0c", bound="i915", address="0000:00:02.0")
RX_9070_XT = OtherCard(pci_id="1002:7550", revision="c0", kfd_target=120001)
ARC_B580 = OtherCard(pci_id="8086:e20b", revision="00", bound="xe", address="0000:04:00.0")
MI300X = OtherCard(pci_id="1002:74a1", device_class="120000", kfd_target=90402)
STRIX_HALO = OtherCard(pci_id="1002:1586", address="0000:c5:00.0", kfd_target=110501)
RX_6700_XT = OtherCard(pci_id="1002:73df", revision="c1", kfd_target=100301)
RADEON_VII = OtherCard(pci_id="1002:66af", revision="c1", kfd_target=90006)
STEAM_DECK = OtherCard(pci_id="1002:163f", revision="ae", kfd_target=100303)
METEOR_LAKE = OtherCard(pci_id="8086:7d55", revision="08", bound="i915", address="0000:00:02.0")

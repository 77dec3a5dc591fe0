"""Many sources, one list of GPUs: a pure merge, the best source of each field first.

The driver's own GPUs come first, in its (PCI) order; then NVIDIA GPUs that only the bus knows,
then those of AMD and Intel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gpudoctor.collect.driver.answers import CudaAnswer, NvmlAnswer, Record
from gpudoctor.collect.driver.merge_driver import silence
from gpudoctor.collect.driver.smi import SmiAnswer
from gpudoctor.collect.gpus.pci import PciGpu, normal_address
from gpudoctor.collect.gpus.pci_names import Naming
from gpudoctor.collect.gpus.visibility import MaskableGpu, visible
from gpudoctor.collect.reason import Reason
from gpudoctor.compat.visible_devices import amd_visible, intel_visible
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Gpu
from gpudoctor.model.value import dataclass, field

_NVML_ALONE = (
    "memory_free_bytes",
    "mig_mode",
    "ecc_enabled",
    "ecc_uncorrected",
    "power_limit_watts",
    "power_limit_default_watts",
    "throttle_reasons",
    "persistence_mode",
    "driver_model",
    "display_active",
    "processes",
)
"""What nobody else can say."""
_ANY_DRIVER = ("name", "compute_capability", "memory_bytes", "uuid", "compute_mode")
_LINK = ("pcie_generation", "pcie_generation_max", "pcie_width", "pcie_width_max")
_COMPUTE_MODES = ("default", "exclusive_thread", "prohibited", "exclusive_process")
# What one question of NVML fills: a failed question leaves these unknown.
_FILLS = {
    "pci": ("pci_id",),
    "capability": ("compute_capability",),
    "memory": ("memory_bytes", "memory_free_bytes"),
}


def _unnamed(_gpu: PciGpu) -> Naming:
    return Naming()


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuSources:
    """Everything that was said about GPUs."""

    pci: tuple[PciGpu, ...] = ()
    naming: Callable[[PciGpu], Naming] = _unnamed
    """What a GPU is called by its PCI id."""
    nvml: NvmlAnswer = field(default_factory=NvmlAnswer)
    cuda: CudaAnswer = field(default_factory=CudaAnswer)
    unmasked: CudaAnswer | None = None
    """CUDA's answer without `CUDA_VISIBLE_DEVICES`, where that is set."""
    smi: SmiAnswer | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    in_container: bool = False
    not_passed_in: frozenset[str | None] = frozenset()
    """Addresses of GPUs of the host whose device files this container has not, beside others."""


@dataclass(slots=True)
class _Draft:
    """A GPU in the making."""

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    missing: dict[str, Reason] = field(default_factory=dict)
    """Field → why it is not known."""
    by_driver: bool = False
    by_nvml: bool = False

    def fill(self, source: str, **values: Any) -> None:
        """Set the fields that are still empty; those not `None` come from `source`."""
        for name, value in values.items():
            if value is not None and self.values.get(name) is None:
                self.values[name] = value
                self.sources[name] = source

    @property
    def address(self) -> str | None:
        address: str | None = self.values.get("pci_address")
        return address


def merge_gpus(given: GpuSources) -> tuple[tuple[Gpu, ...], tuple[Unknown, ...], dict[str, str]]:
    """The list of GPUs, what of them is unknown and why, and where each part was read."""
    nvidia = _nvidia(given)
    others = [_from_pci(gpu, given) for gpu in given.pci if gpu.vendor != "nvidia"]
    _mask_others(others, given)
    gpus, unknown, sources = [], [], {}
    for index, draft in enumerate([*nvidia, *others]):
        path = f"gpus[{index}]"
        draft.values["index"] = index
        capability = draft.values.get("compute_capability")
        if capability:
            draft.values["sm"] = "sm_" + capability.replace(".", "")
        gpus.append(Gpu(**draft.values))
        unknown += [
            why.unknown(f"{path}.{name}", "nvml")
            for name, why in draft.missing.items()
            if draft.values.get(name) is None
        ]
        named = list(draft.sources.values())
        main = max(dict.fromkeys(named), key=named.count, default="")
        sources[path] = main
        sources |= {f"{path}.{name}": s for name, s in draft.sources.items() if s != main}
    return tuple(gpus), tuple(unknown), sources


def _nvidia(given: GpuSources) -> list[_Draft]:
    everything = given.unmasked or given.cuda
    drafts = [_from_nvml(record) for record in given.nvml.gpus if "error" not in record]
    known = {draft.address: draft for draft in drafts if draft.address}
    for record in sorted(everything.gpus, key=lambda r: str(r.get("pci_address"))):
        if "error" in record:
            continue
        draft = _match(record, drafts)
        if draft is None:
            draft = _Draft(by_driver=True)
            drafts.append(draft)
        _add_cuda(draft, record)
        known[draft.address or ""] = draft
    for line in (given.smi.gpus if given.smi else ()) if not drafts else ():
        draft = _Draft(by_driver=True)
        draft.fill(
            "nvidia-smi",
            name=line.name,
            uuid=line.uuid,
            pci_address=normal_address(line.pci_address) if line.pci_address else None,
            memory_bytes=line.memory_bytes,
            compute_capability=line.capability,
        )
        drafts.append(draft)
        known[draft.address or ""] = draft
    answered = bool(drafts)
    for gpu in given.pci:
        if gpu.vendor != "nvidia":
            continue
        if gpu.address in known:
            _add_pci(known[gpu.address], gpu, given)
        elif not answered or (gpu.on_bus and not given.in_container):
            # In a container the bus shows the host's GPUs, those not passed in too. A GPU
            # without an address (Windows) cannot be told from those that the driver listed.
            drafts.append(_from_pci(gpu, given))
    _set_visibility(drafts, given)
    for draft in drafts:
        _note_missing(draft, given)
    return drafts


def _match(record: Record, drafts: list[_Draft]) -> _Draft | None:
    """The draft of the same GPU: by PCI address, else by UUID."""
    address = record.get("pci_address")
    uuid = record.get("uuid")
    for draft in drafts:
        if address and draft.address == normal_address(str(address)):
            return draft
        if uuid and draft.values.get("uuid") == f"GPU-{uuid}":
            return draft
    return None


def _from_nvml(record: Record) -> _Draft:
    draft = _Draft(by_driver=True, by_nvml=True)
    address, device = record.get("pci") or (None, None)
    capability = record.get("capability")
    memory = record.get("memory") or (None, None)
    simple = (*_NVML_ALONE[1:], *_LINK, "compute_mode", "name", "uuid")
    draft.fill(
        "nvml",
        pci_address=normal_address(address) if address else None,
        pci_id=f"{device & 0xFFFF:04x}:{device >> 16:04x}" if device else None,
        compute_capability=f"{capability[0]}.{capability[1]}" if capability else None,
        memory_bytes=memory[0],
        memory_free_bytes=memory[1],
        **{name: _tuple(record.get(name)) for name in simple},
        mig_devices=_tuple(record.get("mig_devices")),
    )
    for question, error in (record.get("errors") or {}).items():
        for name in _FILLS.get(question, (question,)):
            draft.missing[name] = Reason("not-asked", f"NVML answered {error}")
    return draft


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _add_cuda(draft: _Draft, record: Record) -> None:
    mode = record.get("compute_mode")
    major, minor = record.get("major"), record.get("minor")
    integrated = record.get("integrated")
    is_mig = bool(draft.values.get("mig_mode"))
    address, uuid = record.get("pci_address"), record.get("uuid")
    draft.fill(
        "cuda",
        name=record.get("name"),
        pci_address=normal_address(str(address)) if address else None,
        compute_capability=None if major is None else f"{major}.{minor}",
        # A MIG instance has less than the GPU it lies on, and a name of its own.
        memory_bytes=None if is_mig else record.get("memory_bytes"),
        uuid=f"GPU-{uuid}" if uuid and not is_mig else None,
        compute_mode=_COMPUTE_MODES[mode] if isinstance(mode, int) and 0 <= mode < 4 else None,
        integrated=None if integrated is None else bool(integrated),
        multiprocessors=None if is_mig else record.get("multiprocessors"),
    )


def _from_pci(gpu: PciGpu, given: GpuSources) -> _Draft:
    draft = _Draft(values={"vendor": gpu.vendor})
    _add_pci(draft, gpu, given)
    return draft


def _add_pci(draft: _Draft, gpu: PciGpu, given: GpuSources) -> None:
    draft.fill(
        "sysfs",
        pci_address=gpu.address if gpu.on_bus else None,
        pci_id=gpu.pci_id,
        driver=gpu.driver,
        memory_bytes=gpu.memory_bytes,
        gfx=gpu.compute.gfx if gpu.compute else None,
        uuid=gpu.compute.uuid if gpu.compute else None,
        **{name: getattr(gpu, name) for name in _LINK},
    )
    if draft.values.get("name") and draft.values.get("compute_capability"):
        return  # the driver has said it; the knowledge base need not be opened
    naming = given.naming(gpu)
    draft.fill(
        naming.source,
        name=naming.name,
        compute_capability=naming.capability,
        gfx=naming.gfx,
        integrated=naming.integrated,
    )


def _set_visibility(drafts: list[_Draft], given: GpuSources) -> None:
    """CUDA's own numbers, and what the mask leaves: the driver's word where it gave one."""
    seen = 0
    for record in given.cuda.gpus:
        if (draft := _match(record, drafts)) and "cuda_index" not in draft.values:
            draft.values["cuda_index"] = record.get("cuda_index")
            seen += 1
    mask = given.environ.get("CUDA_VISIBLE_DEVICES")
    if mask is None:
        flags: list[bool | None] = [True] * len(drafts)
    elif given.cuda.init == 0 and seen == len(given.cuda.gpus):
        flags = ["cuda_index" in draft.values for draft in drafts]
    elif given.cuda.init is not None and given.unmasked and given.unmasked.init == 0:
        flags = [False] * len(drafts)  # it works without the mask, and not with it
    else:
        order = given.environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
        flags = visible(mask, [_candidate(draft) for draft in drafts], pci_order=order)
    for draft, flag in zip(drafts, flags, strict=True):
        # A GPU that was handed to a virtual machine serves no program here.
        draft.values["visible"] = False if draft.values.get("driver") == "vfio-pci" else flag
        if flag is None:
            draft.missing["visible"] = Reason(
                "not-asked",
                "CUDA_VISIBLE_DEVICES counts in CUDA's own order, and the driver did not tell it",
            )


def _candidate(draft: _Draft) -> MaskableGpu:
    values = draft.values
    return MaskableGpu(values.get("uuid"), values.get("mig_devices") or (), values.get("name"))


def _note_missing(draft: _Draft, given: GpuSources) -> None:
    """Name what the sources that failed would have said."""
    cuda = given.unmasked or given.cuda
    silent = _silence(given)
    if not draft.by_nvml:
        for name in (*_ANY_DRIVER, *_NVML_ALONE, *_LINK):
            draft.missing.setdefault(name, silent)
    if cuda.init != 0 or cuda.problem:
        reason = cuda.problem or silent
        draft.missing.setdefault("multiprocessors", reason)
        draft.missing.setdefault("integrated", reason)
        if draft.values.get("visible") and cuda.problem:
            draft.missing.setdefault("cuda_index", reason)


def _silence(given: GpuSources) -> Reason:
    """Why NVML says nothing of a GPU."""
    nvml = given.nvml
    if nvml.ok and nvml.problem is None:
        lost = next((record["error"] for record in nvml.gpus if "error" in record), None)
        said = f"NVML answered {lost}" if lost else "NVML does not list this GPU"
        return Reason("not-asked", said)
    if nvml.error == "NVML_ERROR_LIBRARY_NOT_FOUND" and given.cuda.missing:
        return Reason("not-asked", "no NVIDIA driver is installed that could say it")
    return silence(nvml)


def _mask_others(drafts: list[_Draft], given: GpuSources) -> None:
    """What the masks leave of AMD's and Intel's GPUs, each counted in its own driver's order."""
    order = {gpu.address: gpu.compute.index for gpu in given.pci if gpu.compute}
    amd = [draft for draft in drafts if draft.values["vendor"] == "amd"]
    amd.sort(key=lambda draft: order.get(draft.address or "", len(order)))
    intel = [draft for draft in drafts if draft.values["vendor"] == "intel"]
    flags = [
        *zip(amd, amd_visible(given.environ, [d.values.get("uuid") for d in amd]), strict=True),
        *zip(intel, intel_visible(given.environ, len(intel)), strict=True),
    ]
    for draft, flag in flags:
        # A GPU that was handed to a virtual machine, or not to this container, serves nobody here.
        gone = draft.values.get("driver") == "vfio-pci" or draft.address in given.not_passed_in
        draft.values["visible"] = flag and not gone

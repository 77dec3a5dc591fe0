"""Whatever the sources say, together or against each other: the list of GPUs is whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.collect.driver.answers import CudaAnswer, NvmlAnswer
from gpudoctor.collect.driver.smi import SmiAnswer, SmiGpu
from gpudoctor.collect.gpus.merge_gpus import GpuSources, merge_gpus
from gpudoctor.collect.gpus.pci import PciGpu
from gpudoctor.collect.reason import Reason
from gpudoctor.model.facts import Facts
from gpudoctor.model.sheet import FactSheet

SLOTS = st.integers(0, 4)
CODES = st.sampled_from([None, 0, 3, 100, 803, 999])
PROBLEMS = st.sampled_from([None, None, Reason("late", "it did not answer within 5 s")])


def address(slot: int) -> str:
    return f"0000:{slot + 1:02x}:00.0"


@st.composite
def nvml_answers(draw: st.DrawFn) -> NvmlAnswer:
    slots = sorted(draw(st.sets(SLOTS)))
    records = []
    for index, slot in enumerate(slots):
        record: dict[str, object] = {"step": "device", "index": index}
        if draw(st.integers(0, 4)) == 0:
            record["error"] = "NVML_ERROR_GPU_IS_LOST"
        else:
            record |= {
                "name": "NVIDIA A",
                "uuid": f"GPU-{slot}",
                "pci": ["0000" + address(slot), 0x268410DE],
                "memory": draw(st.sampled_from([None, [100, 50]])),
                "capability": draw(st.sampled_from([None, [8, 9]])),
                "errors": draw(st.sampled_from([{}, {"memory": "NVML_ERROR_UNKNOWN"}])),
            }
        records.append(record)
    error = draw(st.sampled_from([None, None, "NVML_ERROR_DRIVER_NOT_LOADED"]))
    if error:
        return NvmlAnswer(error=error)
    return NvmlAnswer(count=len(records), gpus=tuple(records), problem=draw(PROBLEMS))


@st.composite
def cuda_answers(draw: st.DrawFn) -> CudaAnswer:
    code = draw(CODES)
    if code != 0:
        return CudaAnswer(init=code, problem=draw(PROBLEMS) if code is None else None)
    slots = draw(st.lists(SLOTS, unique=True, min_size=1))
    records = tuple(
        {
            "step": "device",
            "cuda_index": index,
            "name": "NVIDIA A",
            "pci_address": address(slot).upper(),
            "major": 8,
            "minor": 9,
            "compute_mode": draw(st.sampled_from([0, 3, 77])),
        }
        for index, slot in enumerate(slots)
    )
    return CudaAnswer(init=0, count=len(records), gpus=records)


@st.composite
def buses(draw: st.DrawFn) -> tuple[PciGpu, ...]:
    nvidia = sorted(draw(st.sets(SLOTS)))
    others = sorted(draw(st.sets(st.integers(10, 12))))
    return tuple(
        PciGpu(
            address=address(slot),
            vendor="nvidia" if slot in nvidia else draw(st.sampled_from(["amd", "intel"])),
            pci_id="10de:2684",
            driver=draw(st.sampled_from([None, "nvidia", "vfio-pci"])),
        )
        for slot in [*nvidia, *others]
    )


SMI = st.none() | st.builds(
    lambda slots: SmiAnswer(
        gpus=tuple(
            SmiGpu(
                index=i,
                name="NVIDIA A",
                uuid=None,
                pci_address=address(slot),
                driver="570.1",
                memory_bytes=1,
                capability=None,
            )
            for i, slot in enumerate(slots)
        )
    ),
    st.lists(SLOTS, unique=True),
)


@given(
    nvml_answers(),
    cuda_answers(),
    st.none() | cuda_answers(),
    buses(),
    SMI,
    st.none() | st.text(alphabet="0123,-GPU", max_size=8),
    st.booleans(),
)
def test_the_list_is_whole(nvml, cuda, unmasked, bus, smi, mask, inside) -> None:
    environ = {} if mask is None else {"CUDA_VISIBLE_DEVICES": mask}
    sources = GpuSources(
        pci=bus,
        nvml=nvml,
        cuda=cuda,
        unmasked=unmasked if mask is not None else None,
        smi=smi,
        environ=environ,
        in_container=inside,
    )
    gpus, unknown, where = merge_gpus(sources)
    assert [gpu.index for gpu in gpus] == list(range(len(gpus)))
    addresses = [gpu.pci_address for gpu in gpus if gpu.pci_address]
    assert len(set(addresses)) == len(addresses), "no GPU is listed twice"
    numbers = [gpu.cuda_index for gpu in gpus if gpu.cuda_index is not None]
    assert len(set(numbers)) == len(numbers)
    sheet = FactSheet(Facts(gpus=gpus), unknown, where)
    for entry in unknown:
        sheet.fact(entry.fact)  # raises for a path that leads nowhere
        assert entry.reason
    for place, gpu in enumerate(gpus):
        for name in ("name", "compute_capability", "uuid", "memory_bytes", "ecc_enabled"):
            silent = gpu.vendor != "nvidia" or getattr(gpu, name) is not None
            heard = any(r.get("uuid") == gpu.uuid for r in nvml.gpus if gpu.uuid)
            assert silent or heard or sheet.why_unknown(f"gpus[{place}].{name}")
    if mask is None:
        assert all(gpu.visible for gpu in gpus if gpu.driver != "vfio-pci")
    if not inside:
        assert {gpu.address for gpu in bus} <= set(addresses)

"""GPUs for which the build has only PTX, which the driver has to compile."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Finding
from gpudoctor.rules.builds.torch_code import (
    NEEDS,
    beyond_knowledge,
    gpu_evidence,
    through_old_ptx,
    through_ptx,
)
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case, Device
from gpudoctor.rules.engine.wording import finding, names


@rule(
    "ptx-unsupported-toolchain",
    needs=(*NEEDS, "driver"),
    uses=(
        "torch.sass",
        "torch.ptx",
        "torch.cuda",
        "gpus[*].compute_capability",
        "libraries",
    ),
    unless=("driver-not-loaded",),
    follows=("driver-too-old",),
)
def ptx_unsupported_toolchain(case: Case) -> Iterator[Finding | Unknown]:
    """The build has only PTX for a GPU, and the driver is too old to compile it."""
    for device, toolkit in _through_ptx(case):
        if toolkit is None:
            continue
        serves = case.driver.cuda
        if serves is None or not case.knows("driver.cuda"):
            yield case.why_unknown("driver.cuda") or Unknown(
                "driver.cuda", "the driver did not report it", "", "not-asked"
            )
            continue
        if knowledge.numbers(serves)[:2] >= knowledge.numbers(toolkit)[:2]:
            continue
        yield finding(
            "ptx-unsupported-toolchain",
            f"The driver is too old to compile torch's PTX for {device.label}: it serves CUDA "
            f"{serves}, and the PTX was written by CUDA {toolkit}",
            "For this GPU the build has no machine code, only PTX, which the driver translates at "
            "the first use. A driver translates PTX of its own CUDA version or older.",
            evidence=[
                case.evidence("driver.cuda"),
                case.evidence("torch.cuda"),
                case.evidence("torch.ptx"),
            ],
            gpus=(device,),
            clears_with=("driver", "install"),
        )


@rule(
    "runs-through-jit",
    needs=(*NEEDS, "driver"),
    uses=("torch.sass", "torch.ptx", "gpus[*].compute_capability"),
    unless=("driver-not-loaded", "driver-too-old", "ptx-unsupported-toolchain"),
)
def runs_through_jit(case: Case) -> Iterator[Finding | Unknown]:
    """The build has only PTX for a GPU; the driver compiles it at first use."""
    old = {*(device for device, _ in through_old_ptx(case)), *beyond_knowledge(case)}
    devices = [device for device, _ in through_ptx(case) if device not in old]
    if not devices:
        return
    yield finding(
        "runs-through-jit",
        f"torch runs on {names(devices)} through PTX, so its first start takes minutes",
        "The build has no machine code for this GPU. The driver compiles the kernels when they are "
        "first used and keeps the result; after that it runs as fast as any.",
        evidence=[
            case.evidence("torch.sass"),
            case.evidence("torch.ptx"),
            *gpu_evidence(case, devices),
        ],
        gpus=devices,
    )


def _through_ptx(case: Case) -> Iterator[tuple[Device, str | None]]:
    """GPUs that are served by PTX alone, each with the CUDA that wrote the PTX."""
    torch = case.facts.torch
    for device, gpu in through_ptx(case):
        isas = [
            group.ptx_isa
            for library in case.torch_libraries
            for group in library.groups
            if group.ptx_isa and knowledge.jittable(group.ptx, gpu)
        ]
        written = [found for isa in isas if (found := knowledge.cuda_for_ptx(isa))]
        known = torch.cuda if torch is not None else None
        yield device, max(written, key=knowledge.numbers) if written else known

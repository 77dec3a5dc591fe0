"""A cuDNN that has left a GPU behind which torch itself still serves."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Evidence, Finding
from gpudoctor.rules.builds.torch_code import NEEDS, gpu_evidence, lacking
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding, names


@rule(
    "cudnn-dropped-gpu",
    uses=("torch.cuda", "packages", "torch.sass", "gpus[*].compute_capability"),
    needs=(*NEEDS, "torch.cudnn"),
)
def cudnn_dropped_gpu(case: Case) -> Iterator[Finding | Unknown]:
    """torch has code for a GPU, and the cuDNN beside it no longer does."""
    torch = case.facts.torch
    if torch is None or torch.cuda is None:
        return
    wheel = next(
        (p for n, p in case.nvidia_packages.items() if n.startswith("nvidia-cudnn-cu")), None
    )
    version = wheel.version if wheel is not None else torch.cudnn
    lowest = knowledge.cudnn_floor(version) if version else None
    if version is None or lowest is None:
        return
    without = {device for device, _ in lacking(case)}
    devices = [
        device
        for device in case.visible
        if device.capability is not None
        and device.capability < lowest
        and device not in without
        and not device.capability.is_tegra
    ]
    if not devices:
        return
    yield finding(
        "cudnn-dropped-gpu",
        f"cuDNN {version} no longer serves {names(devices)}; it needs compute capability {lowest}",
        "torch itself has code for this GPU, but convolutions and other layers are computed by "
        "cuDNN, which has dropped it. They fail with `no kernel image` or CUDNN_STATUS errors.",
        evidence=[
            Evidence(
                fact=f"packages.{wheel.name}" if wheel is not None else "torch.cudnn",
                value=version,
                source=case.sheet.source("packages" if wheel is not None else "torch.cudnn"),
            ),
            *gpu_evidence(case, devices),
        ],
        gpus=devices,
        clears_with=("install",),
    )

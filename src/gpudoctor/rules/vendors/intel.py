"""Intel GPUs: which build of torch serves them."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Finding
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case, Device
from gpudoctor.rules.engine.wording import finding, names, verb
from gpudoctor.rules.vendors.amd import in_question as amd_in_question


def in_question(case: Case) -> list[Device]:
    """The Intel GPUs that people would train on, if no other GPU is there for it."""
    if case.visible or amd_in_question(case):
        return []
    return [
        device
        for device in case.devices
        if device.gpu.vendor == "intel"
        and device.gpu.visible is not False
        and case.could_train(device)
    ]


@rule("intel-gpu-unsupported", uses=("gpus[*].name", "gpus[*].integrated"), needs=("gpus",))
def intel_gpu_unsupported(case: Case) -> Iterator[Finding | Unknown]:
    """A card of a family that the XPU builds do not serve."""
    devices = in_question(case)
    old = [
        device
        for device in devices
        if knowledge.intel_is_served(device.gpu.name) is False
        and not any(
            word in (device.gpu.name or "") for word in ("Arc", "Data Center", "Battlemage")
        )
    ]
    if not old or len(old) < len(devices):
        return
    yield finding(
        "intel-gpu-unsupported",
        f"{names(old)} {verb(old, 'is', 'are')} older than what PyTorch's builds for Intel "
        "GPUs serve",
        "PyTorch's XPU builds serve Arc cards, the graphics of Core Ultra processors and data-"
        "center GPUs. PyTorch runs on the CPU here.",
        evidence=[case.evidence(f"{device.path}.name") for device in old],
        gpus=old,
        clears_with=("manual",),
    )


@rule(
    "intel-gpu-needs-xpu-torch",
    uses=("gpus[*].name", "gpus[*].integrated"),
    needs=("gpus", "torch.version", "torch.xpu"),
    unless=("intel-gpu-unsupported",),
)
def intel_gpu_needs_xpu_torch(case: Case) -> Iterator[Finding | Unknown]:
    """The installed torch is no XPU build, and the GPU is one from Intel."""
    torch = case.facts.torch
    devices = in_question(case)
    if torch is None or torch.xpu is not None or torch.hip or not devices:
        return
    if case.host.os == "macos":
        return
    kind = f"built for CUDA {torch.cuda}" if torch.cuda else "built for the CPU alone"
    yield finding(
        "intel-gpu-needs-xpu-torch",
        f"torch {torch.version} is {kind}; {names(devices)} "
        f"{verb(devices, 'needs', 'need')} an XPU build",
        "GPUs from Intel are served by builds of PyTorch called XPU, which lie on an index of "
        "their own. In programs the device is then called `xpu`, not `cuda`.",
        evidence=[
            case.evidence("torch.version"),
            case.evidence("torch.xpu"),
            *(case.evidence(f"{device.path}.name") for device in devices),
        ],
        gpus=devices,
        clears_with=("install",),
    )

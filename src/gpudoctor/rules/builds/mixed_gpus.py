"""GPUs of generations that no single build of torch serves."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Finding
from gpudoctor.rules.builds.torch_code import gpu_evidence, lacking
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding, names


@rule(
    "mixed-gpus-no-common-wheel",
    uses=("host.os", "host.arch", "torch.sass", "gpus[*].compute_capability"),
    needs=("gpus",),
)
def mixed_gpus_no_common_wheel(case: Case) -> Iterator[Finding | Unknown]:
    """Each GPU is served by some build, and no build serves all of them."""
    platform = case.platform
    if platform is None:
        return
    devices = [
        device
        for device in case.visible
        if device.capability is not None and knowledge.is_served(device.capability, platform)
    ]
    capabilities = frozenset(
        device.capability for device in devices if device.capability is not None
    )
    if len(capabilities) < 2 or knowledge.have_common_build(capabilities, platform):
        return
    if case.code is not None and not any(device in devices for device, _ in lacking(case)):
        return
    yield finding(
        "mixed-gpus-no-common-wheel",
        f"No published build of torch runs on all of {names(devices)}",
        "These GPUs are generations apart: builds that know the newest have dropped the oldest. "
        "One environment serves one of them; the other can be hidden, or served by a second "
        "environment or a build from source.",
        evidence=gpu_evidence(case, devices),
        gpus=devices,
        clears_with=("mask-gpus", "source-build", "install"),
    )

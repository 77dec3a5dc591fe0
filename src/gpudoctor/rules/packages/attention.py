"""Packages of attention kernels that were never written for a GPU, whatever they are built with."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.kb.software import packages
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.terms.shell import command_step, sentence_step
from gpudoctor.rules.builds.torch_code import gpu_evidence
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding, names
from gpudoctor.rules.packages.companions import evidence_of


@rule(
    "flash-attn-unsupported-gpu",
    needs=("gpus", "packages", "torch"),
    uses=("gpus[*].compute_capability",),
)
def flash_attn_unsupported_gpu(case: Case) -> Iterator[Finding | Unknown]:
    """FlashAttention is installed, and a visible GPU is older than what it is written for."""
    for name in packages.ATTENTION:
        package = case.packages.get(name)
        floor = packages.attention_floor(name, package.version) if package else None
        if package is None or floor is None or case.facts.torch is None:
            continue
        lowest = ComputeCapability.parse(floor)
        known = [
            device for device in case.visible if device.capability and not case.is_spare(device)
        ]
        old = [device for device in known if device.capability and device.capability < lowest]
        if not old:
            continue
        yield finding(
            "flash-attn-unsupported-gpu",
            f"{name} {package.version or ''} has no kernels for {names(old)}: it is written for "
            f"compute capability {lowest} and up",
            "No build of it runs on an older GPU, one from source neither. Programs that ask for "
            "it stop with `FlashAttention only supports Ampere GPUs or newer`, or `no kernel "
            "image is available`.",
            severity=Severity.WARNING if len(old) < len(known) else Severity.ERROR,
            evidence=[evidence_of(case, package), *gpu_evidence(case, old)],
            gpus=old,
            clears_with=("install", "uninstall"),
            remedies=(
                sentence_step(
                    "manual",
                    "Use torch's own attention, which serves every GPU: in transformers "
                    '`attn_implementation="sdpa"`.',
                ),
                command_step(
                    "uninstall",
                    "Programs that take it wherever it is installed need it gone.",
                    (*case.pip, "uninstall", "--yes", name),
                    risk="medium",
                    executable=False,
                ),
            ),
        )

"""The installed build of torch: whether it is whole, and one for this machine's kind of GPU."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Evidence, Finding
from gpudoctor.model.pattern import late_pattern
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding, names, several

_OF_TORCH = late_pattern(r"libraries\[(?:.*/)?torch/lib/(?:lib)?(?:torch|c10)[\w.-]*\]", re.ASCII)


@rule("torch-library-damaged", needs=("torch",), where="damaged")
def torch_library_damaged(case: Case) -> Iterator[Finding | Unknown]:
    """A library of torch is truncated, or missing although the metadata lists it."""
    bad = [
        (path, entry)
        for path, entry in case.unknown.items()
        if entry.kind == "damaged" and _OF_TORCH.fullmatch(path)
    ]
    if not bad or case.facts.torch is None:
        return
    files = [path.removeprefix("libraries[").removesuffix("]") for path, _ in bad]
    yield finding(
        "torch-library-damaged",
        f"{case.torch_name} is damaged: {several(files[:3])} cannot be loaded",
        "A file of torch is missing or shorter than it should be, so `import torch` fails. A "
        "download or an installation was cut off, often because the disk was full.",
        evidence=[
            Evidence(fact=path, value=entry.reason, source=entry.source) for path, entry in bad
        ],
        clears_with=("install",),
    )


@rule(
    "cpu-only-torch",
    needs=("torch.version", "torch.cuda", "gpus"),
    follows=("wrong-torch-copy-imported",),
)
def cpu_only_torch(case: Case) -> Iterator[Finding | Unknown]:
    """torch has no CUDA, and an NVIDIA GPU that some build serves is in the machine.

    The version may say nothing of it: wheels for Windows and aarch64 on PyPI carry no `+cpu`.
    """
    torch = case.facts.torch
    if torch is None or torch.cuda is not None or case.host.os == "macos":
        return
    wanted = [
        device
        for device in case.visible
        if device.capability is None
        or case.jetson
        or knowledge.is_served(device.capability, case.platform)
        or not knowledge.is_older_than_all(device.capability)
    ]
    if not wanted:
        return
    if torch.hip or torch.xpu:
        if any(device.gpu.vendor == ("amd" if torch.hip else "intel") for device in case.devices):
            return
        kind = "AMD GPUs (ROCm)" if torch.hip else "Intel GPUs (XPU)"
        title = f"torch {torch.version} is built for {kind}, and the GPU here is {names(wanted)}"
    else:
        title = f"torch {torch.version} is built for the CPU alone; it cannot use {names(wanted)}"
    if torch.hip or torch.xpu:
        cause = "It came from the index for that kind of GPU, or another package asked for it."
    elif case.host.os == "windows":
        cause = "On Windows a plain `pip install torch` brings the build for the CPU."
    elif case.platform == "linux_aarch64":
        cause = "On ARM some releases on PyPI are for the CPU, and their version does not say so."
    else:
        cause = "It came from an index for the CPU, or another package asked for it."
    yield finding(
        "cpu-only-torch",
        title,
        "PyTorch is published in several builds, and this one contains no CUDA at all. " + cause,
        evidence=[
            case.evidence("torch.version"),
            case.evidence("torch.cuda"),
            *(case.evidence(f"{device.path}.name") for device in wanted),
        ],
        gpus=wanted,
        clears_with=("install",),
    )

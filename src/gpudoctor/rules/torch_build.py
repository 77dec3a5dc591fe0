"""The installed build of torch: whether it is one for this machine's kind of GPU at all."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Finding
from gpudoctor.rules import book
from gpudoctor.rules.case import Case
from gpudoctor.rules.registry import rule
from gpudoctor.rules.say import finding, names


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
        seat
        for seat in case.visible
        if seat.capability is None
        or case.jetson
        or book.is_served(seat.capability, case.platform)
        or not book.is_older_than_all(seat.capability)
    ]
    if not wanted:
        return
    if torch.hip or torch.xpu:
        if any(seat.gpu.vendor == ("amd" if torch.hip else "intel") for seat in case.seats):
            return
        kind = "AMD GPUs (ROCm)" if torch.hip else "Intel GPUs (XPU)"
        title = f"torch {torch.version} is built for {kind}, and the GPU here is {names(wanted)}"
    else:
        title = f"torch {torch.version} is built for the CPU alone; it cannot use {names(wanted)}"
    if case.host.os == "windows":
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
            *(case.evidence(f"{seat.path}.name") for seat in wanted),
        ],
        gpus=wanted,
        clears_with=("install",),
    )

"""macOS: no CUDA, and on Intel Macs no new torch either."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.shell import command_step, sentence_step
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.registry import rule
from gpudoctor.rules.engine.wording import finding


@rule("no-cuda-on-mac", needs=("host.os", "host.arch"))
def no_cuda_on_mac(case: Case) -> Iterator[Finding | Unknown]:
    """A Mac with Apple silicon: PyTorch uses its GPU through MPS."""
    if case.platform != "macos_arm64":
        return
    yield finding(
        "no-cuda-on-mac",
        "This Mac has no CUDA; PyTorch uses its GPU through MPS",
        "CUDA belongs to NVIDIA's GPUs, and macOS has no driver for them. On Apple silicon the "
        "device is called `mps`; the ordinary torch for macOS has it.",
        severity=Severity.INFO,
        evidence=[case.evidence("host.os"), case.evidence("host.arch")],
        clears_with=("manual",),
        remedies=(
            sentence_step(
                "manual",
                'In the program: `device = "mps" if torch.backends.mps.is_available() else "cpu"`.',
            ),
        ),
    )


@rule("platform-dropped-intel-mac", needs=("host.os", "host.arch"))
def platform_dropped_intel_mac(case: Case) -> Iterator[Finding | Unknown]:
    """A Mac with an Intel processor, for which torch 2.2 was the last."""
    if case.platform != "macos_x86_64":
        return
    yield finding(
        "platform-dropped-intel-mac",
        "This is an Intel Mac, for which torch 2.2.2 was the last release",
        "PyTorch publishes nothing newer for Macs with Intel processors, and macOS has no CUDA. "
        "That release runs on the CPU (with Python 3.12 at most and NumPy 1).",
        evidence=[case.evidence("host.os"), case.evidence("host.arch")],
        clears_with=("manual",),
        remedies=(
            command_step(
                "install",
                "Install the last release for Macs with an Intel processor.",
                (*case.pip, "install", "torch==2.2.2", "numpy<2"),
                risk="medium",
                executable=False,
            ),
        ),
    )

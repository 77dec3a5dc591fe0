"""macOS: no CUDA, and on Intel Macs no new torch either."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.kb.hardware import apple_gpus
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.step import Step
from gpudoctor.model.terms.shell import command_step, sentence_step
from gpudoctor.model.terms.version import numbers
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding


@rule("no-cuda-on-mac", needs=("host.os", "host.arch"), unless=("python-under-rosetta",))
def no_cuda_on_mac(case: Case) -> Iterator[Finding | Unknown]:
    """A Mac with Apple silicon: PyTorch uses its GPU through MPS."""
    if case.platform != "macos_arm64":
        return
    yield finding(
        "no-cuda-on-mac",
        "This Mac has no CUDA; PyTorch's way to its GPU is MPS",
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


@rule(
    "platform-dropped-intel-mac",
    needs=("host.os", "host.arch"),
    unless=("python-under-rosetta",),
)
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
        remedies=(_last_for_intel(case),),
    )


def _last_for_intel(case: Case) -> Step:
    """The last release for Macs with an Intel processor, or what is left where that is there."""
    torch = case.facts.torch
    if torch is not None and numbers(torch.version or "") == (2, 2, 2):
        return sentence_step(
            "manual",
            "That release is installed and runs on the processor (--allow-cpu accepts that). A "
            "newer torch is in conda-forge, under Linux on this Mac, or on another machine.",
        )
    return command_step(
        "install",
        "Install the last release for Macs with an Intel processor.",
        (*case.pip, "install", "torch==2.2.2", "numpy<2"),
        risk="medium",
        executable=False,
    )


@rule("python-under-rosetta", needs=("host.os", "host.rosetta"))
def python_under_rosetta(case: Case) -> Iterator[Finding | Unknown]:
    """A Python for Intel on a Mac with Apple silicon: torch for it ended, and it has no GPU."""
    if case.host.os != "macos" or not case.host.rosetta:
        return
    yield finding(
        "python-under-rosetta",
        "This Python is one for Intel, which Rosetta translates; torch uses no GPU there",
        "The Mac has Apple silicon, and its GPU serves programs for Apple silicon alone. For "
        "Intel's instruction set torch 2.2.2 was the last release.",
        evidence=[case.evidence("host.arch"), case.evidence("host.rosetta")],
        clears_with=("manual",),
        next_look="`python -c 'import platform; print(platform.machine())'` prints x86_64 there.",
        remedies=(
            sentence_step(
                "manual",
                "Install a Python for Apple silicon (python.org's universal2, Homebrew below "
                "/opt/homebrew, Miniforge, or uv), and make the environment anew with it.",
            ),
        ),
    )


@rule("macos-too-old-for-torch", needs=("host.os", "host.distribution_version", "torch.version"))
def macos_too_old_for_torch(case: Case) -> Iterator[Finding | Unknown]:
    """The installed torch was built for a newer macOS: it does not load, or has no MPS."""
    torch, version = case.facts.torch, case.host.distribution_version
    if torch is None or case.host.os != "macos" or not version:
        return
    here = numbers(version)[:2]
    if torch.macos and here < numbers(torch.macos)[:2]:
        yield _too_old(
            case,
            f"{case.torch_name} was built for macOS {torch.macos} or newer; this is {version}",
            "Its libraries use functions of that system, so that `import torch` fails or crashes.",
            "torch.macos",
            torch.macos,
            Severity.ERROR,
        )
        return
    floors = [numbers(name)[:2] for library in case.torch_libraries for name in library.metal]
    # Of a torch that is there and was not read: what its release needs. A release that is only
    # prescribed (`arch_source`) was demanded: that it runs on the processor is said with it.
    unread = not case.facts.libraries and torch.arch_source != "knowledge"
    stated = apple_gpus.mps_floor(torch.version or "") if unread else None
    if stated is not None:
        floors = [numbers(stated)[:2]]
    if floors and here < min(floors) and case.platform == "macos_arm64":
        wanted = ".".join(map(str, min(floors)))
        yield _too_old(
            case,
            f"The GPU kernels of {case.torch_name} need macOS {wanted}; this is {version}",
            "torch loads and runs on the processor; `torch.backends.mps.is_available()` is False. "
            "Its own message has named older systems than it needs.",
            "libraries.metal",
            wanted,
            Severity.ERROR,
        )


def _too_old(
    case: Case, title: str, detail: str, fact: str, value: str, severity: Severity
) -> Finding:
    return finding(
        "macos-too-old-for-torch",
        title,
        detail,
        severity=severity,
        evidence=[
            Evidence(fact=fact, value=value, source=case.sheet.source("torch.macos")),
            case.evidence("host.distribution_version"),
        ],
        clears_with=("install", "manual"),
        remedies=(
            sentence_step(
                "manual",
                "Update macOS, or install an older torch: `gpudoctor plan --os macos` says what "
                "this Python can have.",
            ),
        ),
    )

"""Whether this machine and this Python meet what a program requires of them."""

from __future__ import annotations

import os
import sys

from gpudoctor import rules
from gpudoctor.collect import collect
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.errors import UsageError
from gpudoctor.examine.settings.requirements import (
    is_capable,
    is_large,
    is_version,
)
from gpudoctor.kb.findings import catalogue
from gpudoctor.kb.smoke_figures import formats
from gpudoctor.model.facts import Gpu
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.requirements.specifier import specifier_of
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.version import numbers
from gpudoctor.model.value import dataclass
from gpudoctor.prescribe import Options, prescribe

_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramRequirement:
    """What a program requires."""

    gpus: int = 1
    capability: str | None = None
    memory_gb: float | None = None
    torch: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What is not met, as a message for people."""

    sentence: str
    findings: tuple[Finding, ...] = ()


def wanted(
    *,
    gpus: object = 1,
    capability: object = None,
    memory_gb: object = None,
    torch: object = None,
    bf16: object = False,
    fp8: object = False,
) -> ProgramRequirement:
    """What a program requires, its arguments checked.

    Raises:
        UsageError: an argument has another type, or a value that means nothing; says which.
    """
    if isinstance(gpus, bool) or not isinstance(gpus, int) or gpus < 0:
        raise UsageError(f"require(gpus=…) takes how many GPUs there must be, not {gpus!r}")
    least = _capability(capability)
    if memory_gb is not None and (
        isinstance(memory_gb, bool) or not isinstance(memory_gb, int | float) or not memory_gb > 0
    ):
        raise UsageError(f"require(memory_gb=…) takes gigabytes such as 16, not {memory_gb!r}")
    if torch is not None and not isinstance(torch, str):
        raise UsageError(f"require(torch=…) takes a version such as '>=2.6,<2.9', not {torch!r}")
    if torch is not None:
        _specifier(torch)
    yes_or_no("bf16", bf16)
    yes_or_no("fp8", fp8)
    of_formats = formats()["float8"] if fp8 else formats()["bfloat16"] if bf16 else None
    return ProgramRequirement(
        gpus=gpus,
        capability=max((item for item in (least, of_formats) if item), key=numbers, default=None),
        memory_gb=None if memory_gb is None else float(memory_gb),
        torch=torch,
    )


def yes_or_no(name: str, given: object) -> None:
    """Refuse what is neither True nor False.

    Raises:
        UsageError: it is neither; says which argument.
    """
    if not isinstance(given, bool):
        raise UsageError(f"require({name}=…) takes True or False, not {given!r}")


def _capability(given: object) -> str | None:
    if given is None:
        return None
    text = f"{given:.1f}" if isinstance(given, float) else str(given)
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        text = ""
    try:
        return str(ComputeCapability.parse(f"{text}.0" if text.isdigit() else text))
    except ValueError:
        raise UsageError(
            f"require(capability=…) takes a compute capability such as '8.0', not {given!r}"
        ) from None


def missing(wanted: ProgramRequirement) -> Missing | None:
    """The first requirement that this process's machine and environment do not meet."""
    sheet = collect(sys.executable, _SECONDS, os.getcwd(), os.environ)
    return judge(sheet, rules.judge(sheet).findings, wanted)


def judge(
    sheet: FactSheet, findings: tuple[Finding, ...], wanted: ProgramRequirement
) -> Missing | None:
    """The same for a fact sheet; what is unknown is not held against the machine."""
    errors = [item for item in findings if item.severity is Severity.ERROR]
    if wanted.gpus == 0:
        # A program that may go on on the CPU is not stopped by what concerns GPUs.
        errors = [e for e in errors if catalogue.area(e.code) not in catalogue.ABOUT_GPUS]
    if errors:
        return Missing(sentence=_with_cure(sheet, errors[0], findings), findings=tuple(errors))
    if said := _torch(sheet, wanted):
        return Missing(sentence=said)
    if said := _gpus(sheet, wanted):
        return Missing(sentence=said)
    return None


def _with_cure(sheet: FactSheet, worst: Finding, findings: tuple[Finding, ...]) -> str:
    lines = [f"{worst.title}.", worst.detail] if worst.detail else [f"{worst.title}."]
    prescription = prescribe(sheet, findings, Options())
    typed = [step.posix or step.text for step in prescription.steps or worst.remedies]
    if prescription.why and prescription.status != "not-needed":
        lines.append(prescription.why)
    lines += [f"    {line}" for line in typed]
    lines.append(f"`gpudoctor check` shows the proof, `gpudoctor explain {worst.code}` says more.")
    return "\n".join(lines)


def _torch(sheet: FactSheet, wanted: ProgramRequirement) -> str | None:
    if wanted.torch is None:
        return None
    torch = sheet.facts.torch
    if torch is None or torch.version is None:
        return None
    if is_version(torch.version, _specifier(wanted.torch)) is not False:
        return None
    return f"torch {torch.version} is installed, and this program requires torch {wanted.torch}."


def _specifier(text: str) -> str:
    try:
        if text.strip():
            return specifier_of(text)
    except ValueError:
        pass
    raise UsageError(f"require(torch=…) takes a version such as '>=2.6,<2.9', not {text!r}")


def _gpus(sheet: FactSheet, wanted: ProgramRequirement) -> str | None:
    if wanted.gpus == 0 or sheet.why_unknown("gpus"):
        return None
    visible = [gpu for gpu in sheet.facts.gpus if gpu.visible is not False]
    fit = [gpu for gpu in visible if _fits(gpu, wanted)]
    if len(fit) >= wanted.gpus:
        return None
    asked = f"{wanted.gpus} GPU{'s' if wanted.gpus > 1 else ''}"
    if wanted.capability:
        asked += f" of compute capability {wanted.capability} or higher"
    if wanted.memory_gb:
        asked += f" with {wanted.memory_gb:g} GB or more"
    have = ", ".join(_described(gpu) for gpu in visible) or "none"
    return f"This program requires {asked}; this process sees {have}."


def _fits(gpu: Gpu, wanted: ProgramRequirement) -> bool:
    """What is not known is not held against it."""
    capable, large = is_capable(gpu, wanted.capability), is_large(gpu, wanted.memory_gb)
    return capable is not False and large is not False


def _described(gpu: Gpu) -> str:
    size = f", {gpu.memory_bytes / 1e9:.1f} GB" if gpu.memory_bytes else ""
    return f"{gpu.name or 'a GPU'} ({gpu.compute_capability or 'capability unknown'}{size})"

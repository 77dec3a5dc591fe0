"""From findings to a verdict and an exit code."""

from __future__ import annotations

from gpudoctor.examine.settings.policy import FailOn
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.report import Verdict, worst
from gpudoctor.model.sheet import FactSheet
from gpudoctor.rules.engine.case import Case

REQUIREMENT = "requirement-not-met"
"""The finding that a machine lacks what a project requires; the name of such a rule not judged."""


def missing_essentials(sheet: FactSheet) -> tuple[Unknown, ...]:
    """What must be known before a machine may be called healthy, and is not.

    Those are: which GPUs there are and what they can execute, which driver serves them and
    whether CUDA starts with it, whether there is a torch, and which architectures it carries.
    """
    paths = ["gpus", "torch"]
    facts = sheet.facts
    nvidia = [
        index
        for index, gpu in enumerate(facts.gpus)
        if gpu.vendor == "nvidia" and gpu.visible is not False
    ]
    paths += [f"gpus[{index}].compute_capability" for index in nvidia]
    if nvidia:
        # A Jetson's driver comes with JetPack and has no number; that CUDA starts says enough.
        case = Case(sheet)
        numbered = not (case.jetson and case.cuda_works)
        paths += ["driver", *(["driver.version"] if numbered else [])]
    others = {gpu.vendor for gpu in facts.gpus if gpu.visible is not False} - {"nvidia"}
    if facts.torch is not None:
        paths.append("torch.version")
        # Where not even the kind of the build is known, it may be one for CUDA.
        if nvidia and (facts.torch.cuda or sheet.why_unknown("torch.cuda")):
            paths.append("torch.sass")
        if not nvidia:
            paths += ["torch.hip"] if "amd" in others else []
            paths += ["torch.xpu"] if "intel" in others else []
    if not nvidia:
        paths += [f"gpus[{n}].vendor" for n, gpu in enumerate(facts.gpus) if gpu.vendor is None]
    found = [sheet.why_unknown(path) for path in paths]
    if nvidia:
        # Not where a sheet merely does not mention it: the driver was asked, and hung or crashed.
        start = sheet.why_unknown("driver.cu_init")
        silent = start is None or start.kind in ("not-stated", "removed")
        found.append(None if silent else start)
    return tuple(dict.fromkeys(entry for entry in found if entry is not None))


def verdict(findings: tuple[Finding, ...], missing: tuple[Unknown, ...]) -> Verdict:
    """Broken with an error; else unknown if an essential fact is missing; else by warnings."""
    grave = worst(findings)
    if grave is Severity.ERROR:
        return "broken"
    if missing:
        return "unknown"
    return "warning" if grave is Severity.WARNING else "healthy"


def exit_code(findings: tuple[Finding, ...], missing: tuple[Unknown, ...], fail_on: FailOn) -> int:
    """1 with a finding at or above `fail_on`; else 3 if it could not be judged; else 0."""
    threshold = {"error": 0, "warning": 1, "never": -1}[fail_on]
    if any(finding.severity.rank <= threshold for finding in findings):
        return 1
    return 3 if missing else 0


def usable_gpus(sheet: FactSheet) -> list[int]:
    """Indices of the visible GPUs that the installed torch runs on."""
    case = Case(sheet)
    return [device.index for device in case.devices if case.is_used(device)]


def addressed_gpus(sheet: FactSheet) -> list[int]:
    """Indices of the visible GPUs of the vendor that the installed torch is built for."""
    torch = sheet.facts.torch
    if torch is None:
        return []
    served = {"nvidia": torch.cuda, "amd": torch.hip, "intel": torch.xpu}
    return [
        position if gpu.index is None else gpu.index
        for position, gpu in enumerate(sheet.facts.gpus)
        if gpu.visible is not False and served.get(gpu.vendor or "") is not None
    ]

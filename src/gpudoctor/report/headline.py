"""The verdict in one line."""

from __future__ import annotations

from gpudoctor.examine.verdict import missing_essentials, usable_gpus
from gpudoctor.model.facts import Gpu
from gpudoctor.model.finding import Severity
from gpudoctor.model.report import Report

_ESSENTIALS = {"gpus": "the GPUs", "driver": "the NVIDIA driver", "python": "the Python"}


def headline(report: Report) -> str:
    """One sentence that a person who reads nothing else should read."""
    if report.about == "text":
        return _of_a_text(report)
    if report.verdict == "broken":
        cause = next(f for f in report.findings if f.severity is Severity.ERROR)
        return f"Broken: {cause.title}."
    if report.verdict == "unknown":
        return f"Unknown: {_unknown(report)}."
    where = _where(report)
    if report.verdict == "warning":
        count = sum(f.severity is Severity.WARNING for f in report.findings)
        return f"{where}, with {count} warning{'s' if count > 1 else ''}."
    return f"{where}."


def _of_a_text(report: Report) -> str:
    if not report.findings:
        return "Nothing in this text says that something is wrong."
    first = report.findings[0]
    if len(report.findings) > 1 and first.next_look:
        return f"Most likely: {first.title}."
    return f"{first.title}."


def _unknown(report: Report) -> str:
    if missing := missing_essentials(report.sheet):
        first_missing = missing[0]
        what = _ESSENTIALS.get(first_missing.fact, first_missing.fact)
        if first_missing.kind == "not-stated":
            return f"{what} must be known for an answer ({first_missing.reason})"
        return f"{what} could not be read ({first_missing.reason})"
    if report.not_judged:
        first = report.not_judged[0]
        return f"{first.fact} could not be judged ({first.reason})"
    return "nothing was examined"


def _where(report: Report) -> str:
    facts = report.sheet.facts
    proved = report.smoke is not None and any(d.status == "passed" for d in report.smoke.gpus)
    # Of a GPU that no table has, only kernels that ran say more than "may".
    doubtful = any(f.name == "gpu-newer-than-knowledge" for f in report.findings)
    how = "runs" if proved else "may run" if doubtful else "will run"
    if facts.torch is None:
        return "Nothing is wrong"
    served = set(usable_gpus(report.sheet))
    usable = [
        gpu
        for position, gpu in enumerate(facts.gpus)
        if (position if gpu.index is None else gpu.index) in served
    ]
    if usable:
        there = sum(gpu.visible is not False for gpu in facts.gpus)
        return f"PyTorch {how} on {_names(usable, there)}"
    apple = next((gpu for gpu in facts.gpus if gpu.vendor == "apple"), None)
    if apple is not None:
        return f"PyTorch {how} on {apple.name or 'the GPU of this Mac'}, through MPS"
    return f"PyTorch {how} on the CPU"


def _names(gpus: list[Gpu], there: int) -> str:
    """The GPUs that torch runs on, of all that programs see."""
    if len(gpus) == 1:
        return gpus[0].name or "the GPU"
    names = {gpu.name for gpu in gpus}
    only = next(iter(names)) if len(names) == 1 else None
    count = f"all {len(gpus)}" if len(gpus) == there else f"{len(gpus)} of {there}"
    return f"{count} GPUs" + (f" ({only})" if only else "")

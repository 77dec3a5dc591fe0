"""The verdict in one line."""

from __future__ import annotations

from gpudoctor.examine.verdict import missing_essentials
from gpudoctor.model.facts import Gpu
from gpudoctor.model.finding import Severity
from gpudoctor.model.report import Report


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
        return f"{missing[0].fact} could not be read ({missing[0].reason})"
    if report.not_judged:
        first = report.not_judged[0]
        return f"{first.fact} could not be judged ({first.reason})"
    return "nothing was examined"


def _where(report: Report) -> str:
    facts = report.sheet.facts
    usable = [gpu for gpu in facts.gpus if gpu.visible is not False]
    proved = report.smoke is not None and any(d.status == "passed" for d in report.smoke.gpus)
    how = "runs" if proved else "will run"
    if not usable or facts.torch is None:
        return f"PyTorch {how} on the CPU" if facts.torch is not None else "Nothing is wrong"
    if facts.torch.cuda is None and facts.torch.hip is None and facts.torch.xpu is None:
        return f"PyTorch {how} on the CPU"
    return f"PyTorch {how} on {_names(usable)}"


def _names(gpus: list[Gpu]) -> str:
    if len(gpus) == 1:
        return gpus[0].name or "the GPU"
    names = {gpu.name for gpu in gpus}
    only = next(iter(names)) if len(names) == 1 else None
    return f"all {len(gpus)} GPUs" + (f" ({only})" if only else "")

"""What must be known before a build can be chosen."""

from __future__ import annotations

from gpudoctor.model.sheet import FactSheet
from gpudoctor.prescribe.request.target import capability, served


def missing_fact(sheet: FactSheet) -> str | None:
    """The path of the first fact without which no build can be chosen; `None`: all are there.

    Needed are the system, the GPUs with the compute capability of each visible NVIDIA one, and
    the driver's version. Processor and Python may be unknown; what is chosen then exists for the
    usual ones, and says so.
    """
    facts = sheet.facts
    if facts.host is None or facts.host.os is None or sheet.why_unknown("host.os"):
        return "host.os"
    if sheet.why_unknown("gpus") and not facts.gpus:
        return "gpus"
    for position, gpu in served(sheet):
        path = f"gpus[{position}].compute_capability"
        if gpu.vendor == "nvidia" and (capability(gpu) is None):
            return path
        if gpu.vendor == "amd" and not gpu.gfx:
            return f"gpus[{position}].gfx"
    if any(gpu.vendor == "nvidia" for _, gpu in served(sheet)) and facts.host.os != "macos":
        known_cuda = facts.driver is not None and facts.driver.cuda
        if sheet.why_unknown("driver.version") and not known_cuda:
            return "driver.version"
    return None

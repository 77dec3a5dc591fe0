"""Is the changed environment cured? Only the examination of what was really installed can tell."""

from __future__ import annotations

from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.report import Report
from gpudoctor.model.terms.version import local_label, public_version

_BY_INSTALLING = ("install", "uninstall", "source-build")


def wrong_after(before: Report, after: Report) -> str | None:
    """What is wrong after a fix, as a clause; `None` if it is cured.

    Cured means: torch is the build that was prescribed, no error is left that installing can
    clear, and none has come that was not there before. An error that needs a driver or a reboot
    does not condemn the new build.
    """
    wanted = before.prescription.torch if before.prescription else None
    variant = before.prescription.variant if before.prescription else None
    torch = after.sheet.facts.torch
    if torch is None or torch.version is None:
        return "torch is not there, or cannot be read"
    if wanted and public_version(torch.version) != wanted:
        return f"torch is {torch.version} and not {wanted}"
    if variant and not _is_variant(torch.version, torch.cuda, variant):
        return f"torch {torch.version} is not the {variant} build"
    known = {finding.name for finding in before.findings if finding.severity is Severity.ERROR}
    for finding in after.findings:
        if finding.severity is Severity.ERROR and (_ours(finding) or finding.name not in known):
            return f"{finding.code}: {finding.title}"
    return None


def _ours(finding: Finding) -> bool:
    return any(kind in _BY_INSTALLING for kind in finding.clears_with)


def _is_variant(version: str, cuda: str | None, variant: str) -> bool:
    """By the local label where the version carries one, else by the CUDA it was built with."""
    label = local_label(version)
    if label:
        return label.split(".")[0] == variant or label == variant
    if variant.startswith("cu") and variant[2:].isdigit():
        return cuda is not None and cuda.replace(".", "") == variant[2:]
    return variant != "cpu" or cuda is None

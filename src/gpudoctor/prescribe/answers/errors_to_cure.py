"""Which errors a machine has, and which of them a way out must cure."""

from __future__ import annotations

from gpudoctor.kb.findings import catalogue
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.sheet import FactSheet
from gpudoctor.rules import findings_of

# Errors that ways decide about although no wheel alone cures them.
_DECIDED = frozenset(
    {
        "gpu-needs-other-driver-branch",
        "open-kernel-module-required",
        "driver-too-old",
        "ptx-unsupported-toolchain",
    }
)
_BY_WAYS = frozenset({"install", "uninstall", "source-build"})


def errors_of(sheet: FactSheet) -> frozenset[str]:
    """Names of the errors that the rules find about what is visible."""
    return frozenset(f.name for f in errors_about_visible(sheet))


def errors_about_visible(sheet: FactSheet) -> tuple[Finding, ...]:
    """The errors that the rules find about what is visible.

    What is wrong with a GPU that a mask hides does not stop a program that uses the others.
    """
    hidden = {
        position if gpu.index is None else gpu.index
        for position, gpu in enumerate(sheet.facts.gpus)
        if gpu.visible is False
    }
    return tuple(
        f
        for f in findings_of(sheet, Severity.ERROR)
        if not (hidden and f.gpus and hidden.issuperset(f.gpus))
    )


def curable_elsewhere(errors: tuple[Finding, ...]) -> frozenset[str]:
    """Errors that other steps cure, so that a way need not: those of host, driver and hardware.

    What kernels showed and what concerns gpudoctor itself is not in the facts.
    """
    return frozenset(
        f.name
        for f in errors
        if catalogue.area(f.code) in ("runtime", "gpudoctor")
        or (
            catalogue.area(f.code) != "build"
            and f.name not in _DECIDED
            and not _BY_WAYS & set(f.clears_with)
        )
    )

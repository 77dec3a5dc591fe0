"""Packages that refuse a GPU of too old a generation, whatever code is in their binaries."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.kb.software import packages
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.terms.shell import sentence_step
from gpudoctor.rules.builds.torch_code import gpu_evidence
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding, names
from gpudoctor.rules.packages.companions import evidence_of


@rule(
    "package-needs-newer-gpu",
    needs=("gpus", "packages", "torch"),
    uses=("gpus[*].compute_capability",),
    follows=("extension-lacks-arch", "torch-dropped-arch-old-gpu", "cpu-only-torch"),
)
def package_needs_newer_gpu(case: Case) -> Iterator[Finding | Unknown]:
    """A package is installed that serves none of the visible GPUs: all are older than it asks for.

    Where one of them is new enough, the package runs there.
    """
    if case.facts.torch is None:
        return
    known = [device for device in case.visible if device.capability]
    for name in packages.whole_packages():
        package = case.packages.get(name)
        floor = packages.serves_nothing_below(name, package.version) if package else None
        if package is None or floor is None or not known:
            continue
        lowest = ComputeCapability.parse(floor)
        if any(device.capability and device.capability >= lowest for device in known):
            continue
        instead = packages.instead_of(name)
        yield finding(
            "package-needs-newer-gpu",
            f"{name} {package.version or ''} refuses {names(known)}: it serves GPUs from compute "
            f"capability {lowest} on",
            "torch itself is not concerned. " + instead,
            severity=Severity.WARNING,
            evidence=[evidence_of(case, package), *gpu_evidence(case, known)],
            gpus=known,
            clears_with=("manual",),
            remedies=(
                sentence_step(
                    "manual",
                    f"Use another program, or a release of {name} from the time when it served "
                    f"this GPU. {instead}".strip(),
                ),
            ),
        )

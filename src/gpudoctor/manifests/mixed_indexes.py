"""torch of one index beside torchvision or torchaudio of another, with both lines."""

from __future__ import annotations

from gpudoctor.kb.software import indexes as kb_indexes
from gpudoctor.manifests.choice import Choice, InstallOutcome
from gpudoctor.manifests.universe import COMPANIONS, TORCH, demand
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.requirements.specifier import version
from gpudoctor.model.value import replace
from gpudoctor.rules.engine.wording import finding

_LAST_STRICT = "2.11.0"


def from_elsewhere(outcome: InstallOutcome) -> tuple[Finding, ...]:
    """A finding for each companion that is a build for another CUDA, or for none."""
    torch = outcome.choice(TORCH)
    if torch is None or torch.variant is None:
        return ()
    found = []
    for name in COMPANIONS:
        other = outcome.choice(name)
        if other is None or other.variant in (None, torch.variant):
            continue
        strict = _compares_cuda(name, other, torch.variant)
        if _place(other) == _place(torch):
            continue
        # What demands no torch of its own is not compiled against one.
        tied = bool(demand(name, other.version))
        apart = strict or _kind(other.variant or "") != _kind(torch.variant)
        grave = tied and apart
        effect = (
            f"{name} {other.release} compares its CUDA with that of torch on import, and ends with "
            "a RuntimeError (compiled with different CUDA versions)."
            if strict
            else ""
        ) or (
            f"{name} is then built for something else than torch: it fails on import, or its "
            "operators have no code for the GPU."
            if grave
            else f"This release of {name} works with other builds of torch than its own."
            if not tied
            else f"Both are builds for CUDA {_kind(torch.variant)[2:]}, so they work together."
        )
        made = finding(
            "companion-from-another-index",
            f"torch {torch.release} comes from {_place(torch)} as {torch.variant}, and {name} "
            f"{other.release} from {_place(other)} as {other.variant}",
            f"An index that is named for torch alone says nothing of {name}. {effect}",
            severity=Severity.ERROR if grave else Severity.WARNING,
            evidence=[
                Evidence(fact=f"packages.{name}", value=other.version, source=other.at.path),
                Evidence(fact="torch.version", value=torch.version, source=torch.at.path),
            ],
            clears_with=("install",),
        )
        found.append(replace(made, files=tuple(dict.fromkeys((torch.at, other.at)))))
    return tuple(found)


def _compares_cuda(name: str, other: Choice, variant: str) -> bool:
    """Whether a companion refuses a torch that is built for another CUDA, the minor included.

    Source: torchaudio's `_check_cuda_version`, which compares the major alone since pull 4226 of
    pytorch/audio (merged 2026-09-02, after release 2.11.0).
    """
    if name != "torchaudio" or version(other.release) > version(_LAST_STRICT):
        return False
    return (other.variant or "")[:2] == "cu" == variant[:2]


def _kind(variant: str) -> str:
    """What must be the same: `cpu`, `rocm`, `xpu`, or CUDA's major (`cu12`)."""
    if variant.startswith("cu"):
        return variant[:4]
    return "rocm" if variant.startswith("rocm") else variant


def _place(choice: Choice) -> str:
    """Where it comes from, for a sentence."""
    place = kb_indexes.carried(choice.index or "")
    if place.kind == "pypi":
        return "PyPI"
    if place.kind == "variant":
        return f"the index {place.variant}"
    return "another place"

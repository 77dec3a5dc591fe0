"""Packages beside a ROCm build of torch whose device code leaves an AMD GPU out."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.compat.amd_target import best_service
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Library
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.terms.shell import sentence_step
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import TORCH, Case, Device
from gpudoctor.rules.engine.wording import finding, names, several
from gpudoctor.rules.vendors.amd import in_question


@rule(
    "extension-lacks-gfx",
    needs=("libraries", "gpus", "torch.hip"),
    uses=("gpus[*].gfx",),
    follows=("rocm-torch-lacks-gfx",),
)
def extension_lacks_gfx(case: Case) -> Iterator[Finding | Unknown]:
    """No library of a package has code for an AMD GPU.

    A package may bring a library for each ROCm and load one of them, so all of them count. A
    library for CUDA beside them says nothing: the package serves NVIDIA's GPUs too.
    """
    torch = case.facts.torch
    if torch is None or not torch.hip:
        return
    devices = [device for device in in_question(case) if device.gpu.gfx]
    for name, libraries in _by_owner(case).items():
        targets = [t for each in libraries for t in (*each.hip, *each.archived)]
        out: list[Device] = [s for s in devices if best_service(targets, s.gpu.gfx or "") == "none"]
        if not out:
            continue
        package = case.packages.get(name)
        version = f" {package.version}" if package and package.version else ""
        lacking = sorted({device.gpu.gfx for device in out if device.gpu.gfx})
        yield finding(
            "extension-lacks-gfx",
            f"{name}{version} has no code for {several(lacking)} ({names(out)})",
            f"torch is one thing, {name} another: it brings its own kernels, and none of them is "
            "compiled for this GPU. The first call into it fails.",
            severity=Severity.WARNING,
            evidence=[
                *(
                    Evidence(
                        fact=f"libraries.{each.path}",
                        value=", ".join((*each.hip, *each.archived)) or "none",
                        source=each.path,
                    )
                    for each in libraries[:3]
                ),
                *(case.evidence(f"{device.path}.gfx") for device in out),
            ],
            gpus=out,
            clears_with=("install", "source-build", "uninstall"),
            remedies=(
                sentence_step(
                    "install",
                    f"Install a release of {name} that is built for {several(lacking)}, build it "
                    f"from source with PYTORCH_ROCM_ARCH={';'.join(lacking)}, or uninstall it "
                    "where it is not needed.",
                ),
            ),
        )


def _by_owner(case: Case) -> dict[str, list[Library]]:
    """The libraries with AMD's device code, by the distribution that brought them, torch's out."""
    grouped: dict[str, list[Library]] = {}
    for library in case.facts.libraries:
        owner = library.distribution
        if owner is None or owner in TORCH or owner.startswith(("rocm", "amd-torch", "_rocm")):
            continue
        if library.hip or library.kernel_archive:
            grouped.setdefault(owner, []).append(library)
    return grouped

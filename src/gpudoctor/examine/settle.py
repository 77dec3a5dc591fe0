"""Static verdict and proof side by side: the proof wins, and where they disagree it is said."""

from __future__ import annotations

from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.report import Smoke
from gpudoctor.model.value import replace

# What says that no kernel can run on a GPU: a run of kernels that passed proves it wrong.
_FORETELLS = frozenset(
    {
        "cpu-only-torch",
        "driver-not-loaded",
        "driver-too-old",
        "forward-compat-unsupported-gpu",
        "gpu-driver-state-busy",
        "gpu-exclusive-process-mode",
        "gpu-needs-other-driver-branch",
        "libcuda-kernel-module-mismatch",
        "no-gpu-found",
        "nouveau-owns-gpu",
        "open-kernel-module-required",
        "ptx-unsupported-toolchain",
        "stub-libcuda-on-path",
        "torch-dropped-arch-old-gpu",
        "torch-import-crash",
        "torch-lacks-arch-new-gpu",
        "torch-missing",
    }
)


def settle(
    static: tuple[Finding, ...], proved: tuple[Finding, ...], smoke: Smoke
) -> tuple[Finding, ...]:
    """All findings, root cause first, after the kernels had their say.

    What both found is one finding with the evidence of both. What the facts foretold and the
    kernels disproved is kept as information that names both. A failure that one of the static
    errors explains says so.
    """
    passed = {device.index for device in smoke.gpus if device.status == "passed"}
    known = {finding.name: finding for finding in proved}
    settled: list[Finding] = []
    for finding in static:
        twin = known.pop(finding.name, None)
        if twin is not None:
            evidence = (*finding.evidence, *twin.evidence)
            settled.append(replace(finding, evidence=evidence))
        elif _disproved(finding, passed):
            settled.append(_disagreeing(finding))
        else:
            settled.append(finding)
    explained = [_explained(finding, settled) for finding in proved if finding.name in known]
    return tuple(sorted((*settled, *explained), key=_rank))


def _disproved(finding: Finding, passed: set[int | None]) -> bool:
    """Whether kernels ran on every GPU on which the finding says they cannot."""
    if finding.name not in _FORETELLS or finding.severity is not Severity.ERROR:
        return False
    return bool(passed) and set(finding.gpus) <= passed


def _disagreeing(finding: Finding) -> Finding:
    said = f"The facts say so, and yet every kernel test passed there: {finding.title}"
    proof = Evidence(fact="smoke", value="every kernel test passed", source="kernel tests")
    return replace(
        finding,
        severity=Severity.INFO,
        title=f"{finding.title}, but its kernels ran and their numbers are right",
        detail=f"{said}. The kernels are believed. {finding.detail}".strip(),
        evidence=(*finding.evidence, proof),
        clears_with=(),
    )


def _explained(finding: Finding, static: list[Finding]) -> Finding:
    """A failed proof with the error behind it that the facts had foretold for the same GPU."""
    if finding.caused_by is not None and any(f.name == finding.caused_by for f in static):
        return finding
    if not finding.name.startswith(("smoke-", "torch-import-")):
        return finding
    for root in static:
        same = not root.gpus or not finding.gpus or set(root.gpus) & set(finding.gpus)
        if root.name in _FORETELLS and root.severity is Severity.ERROR and same:
            return replace(finding, caused_by=root.name)
    if finding.caused_by is None and finding.gpus:
        said = "By the facts alone this GPU should work; the kernels say otherwise."
        return replace(finding, detail=f"{said} {finding.detail}".strip())
    return finding


def _rank(finding: Finding) -> int:
    """Errors first; what follows from another finding after what does not."""
    return 2 * finding.severity.rank + (finding.caused_by is not None)

"""HSA_OVERRIDE_GFX_VERSION: needed, needless, harmful, without effect, or not readable."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.compat.amd_target import best_service, generation, pretended
from gpudoctor.kb.hardware import amd_gpus as amd
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.terms.shell import environment_step
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case, Device
from gpudoctor.rules.engine.wording import finding
from gpudoctor.rules.vendors.amd import OVERRIDE, in_question


@rule(
    "hsa-override-wrong",
    needs=("gpus", "environment"),
    uses=("gpus[*].gfx",),
    gravest=Severity.ERROR,
)
def hsa_override_wrong(case: Case) -> Iterator[Finding | Unknown]:
    """HSA_OVERRIDE_GFX_VERSION makes the GPU run code that does not suit it."""
    value = case.environment.get(OVERRIDE)
    if not value or case.host.os == "windows":
        return  # the HIP runtime of Windows does not read it
    claimed = pretended(value)
    devices = [device for device in in_question(case) if device.gpu.gfx]
    if claimed is None:
        if devices:
            yield _found(
                case,
                devices[0],
                f"{OVERRIDE}={value} is no version of the form 10.3.0, so ROCm sees no GPU",
                "ROCm reads three numbers with points between them. With anything else its set-up "
                "of the GPUs fails.",
                Severity.ERROR,
            )
        return
    build = case.hip_code
    for device in devices:
        found = _judged(case, device, value, claimed, () if build is None else build.targets)
        if found is not None:
            yield found
            return


def _judged(
    case: Case, device: Device, value: str, claimed: str, targets: tuple[str, ...]
) -> Finding | None:
    """What is wrong with the claim for one GPU; `None` where it helps, or does no harm."""
    gfx = device.gpu.gfx or ""
    if claimed == gfx:
        return None
    known = amd.override_for(gfx)
    title = f"{OVERRIDE}={value} does not suit {device.label} ({gfx})"
    if targets and best_service(targets, claimed) == "none":
        return _found(
            case,
            device,
            f"{title}: this build has no code for {claimed} either",
            "The variable makes the GPU claim another instruction set than its own, and kernels "
            "are looked for under that name alone.",
            Severity.ERROR,
        )
    if targets and best_service(targets, gfx) == "native":
        return _found(
            case,
            device,
            f"{OVERRIDE}={value} is not needed: this build of torch has code for {gfx} itself",
            "The variable makes the GPU run code for a relative, which is slower at best. It was "
            "needed before builds served this GPU.",
            Severity.INFO if generation(claimed) == generation(gfx) else None,
        )
    unreliable = known is not None and known.works != "usually" and known.value == value
    if not unreliable and generation(claimed) == generation(gfx):
        return None
    note = f" ({known.note})" if known is not None and unreliable and known.note else ""
    return _found(
        case,
        device,
        title,
        "The variable makes the GPU claim another instruction set than its own. Between families "
        f"that leads to crashes, hangs or wrong results{note}.",
        None,
    )


def _found(
    case: Case, device: Device, title: str, detail: str, severity: Severity | None
) -> Finding:
    return finding(
        "hsa-override-wrong",
        title,
        detail,
        severity=severity,
        evidence=[
            Evidence(
                fact=f"environment.{OVERRIDE}",
                value=case.environment.get(OVERRIDE, ""),
                source="environment",
            ),
            case.evidence(f"{device.path}.gfx"),
        ],
        gpus=(device,),
        clears_with=("environment",),
        remedies=(
            environment_step(
                f"Remove {OVERRIDE} from the environment.", {OVERRIDE: None}, "environment"
            ),
        ),
    )

"""The masks of AMD and Intel, each read in the order in which their programs obey them."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.compat.visible_devices import CUDA, HIP, ROCR, amd_culprits, hip_mask
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.terms.shell import environment_step
from gpudoctor.model.terms.version import numbers
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case, Device
from gpudoctor.rules.engine.wording import finding, names, several, verb

_INTEL = ("ZE_AFFINITY_MASK", "ONEAPI_DEVICE_SELECTOR")
# https://github.com/ray-project/ray/pull/51104
_RAY_WITHOUT_ROCR = (2, 45)
# python/ray/_private/accelerators of https://github.com/ray-project/ray, read 2026-11-22: what Ray
# sets for its workers, and the variable in front of each that keeps it from that.
_SET_BY_RAY = (CUDA, HIP, ROCR, "ONEAPI_DEVICE_SELECTOR")
_NOSET = "RAY_EXPERIMENTAL_NOSET_"
_NO = ("", "0", "false")


def other_masks(case: Case) -> Iterator[Finding]:
    """The masks of AMD and Intel, where they leave none of the GPUs that torch would use."""
    shown = [device for device in case.devices if device.gpu.visible is not False]
    if any(map(case.could_train, shown)):
        return
    for vendor in ("amd", "intel"):
        devices = [s for s in case.devices if s.gpu.vendor == vendor and case.could_train(s)]
        if not devices or not all(case.knows(f"{device.path}.visible") for device in devices):
            continue
        culprits = _culprits(case, vendor)
        if culprits:
            yield _hidden(case, devices, culprits)


def _culprits(case: Case, vendor: str) -> tuple[str, ...]:
    if vendor == "intel":
        return tuple(name for name in _INTEL if name in case.environment)[:1]
    uuids = [device.gpu.uuid for device in case.devices if device.gpu.vendor == "amd"]
    named = (ROCR, hip_mask(case.environment))
    # A saved machine may say "hidden" of GPUs that the variables alone would leave.
    return amd_culprits(case.environment, uuids) or tuple(
        name for name in named if name and name in case.environment
    )


def _hidden(case: Case, devices: list[Device], culprits: tuple[str, ...]) -> Finding:
    values = [f"{name}={case.environment[name]!r}" for name in culprits]
    there = f"{names(devices)} {verb(devices, 'is', 'are')} there"
    last = culprits[-1]
    if len(culprits) > 1:
        title = f"{several(values)} hide every GPU together"
        detail = (
            f"{there}. ROCm applies {culprits[0]} first, and {last} counts from 0 within what is "
            "left, so that it names a GPU that is not there any more. One of the two is enough."
        )
    else:
        title = f"{last} hides every GPU ({values[0]})"
        detail = f"{there}, but this variable keeps programs from using it."
    return finding(
        "cuda-visible-devices-hides-gpus",
        title,
        f"{detail} {set_by(case, last)}",
        evidence=[
            Evidence(
                fact=f"environment.{name}",
                value=case.environment[name] or "(empty)",
                source="environment",
            )
            for name in culprits
        ],
        gpus=devices,
        clears_with=("environment",),
        remedies=(
            environment_step(f"Remove {last} from the environment.", {last: None}, "environment"),
        ),
    )


def set_by(case: Case, name: str) -> str:
    """Who sets the mask `name` here, as a sentence with what to ask of them."""
    left_alone = f"{_NOSET}{name}"
    if any(sign in case.environment for sign in ("RAY_JOB_ID", "RAY_RAYLET_PID")):
        if name not in _SET_BY_RAY or case.environment.get(left_alone, "").lower() not in _NO:
            return "It came into this worker of Ray from outside: Ray does not set it here."
        return (
            "Ray sets it for each of its workers: ask for GPUs (num_gpus=1), or keep Ray from "
            f"setting it with {left_alone}=1."
        )
    if any(name in case.environment for name in ("SLURM_JOB_ID", "SLURM_JOB_GPUS")):
        return (
            "Slurm sets it for its jobs, from `--gres` or `--gpus`; without AutoDetect in "
            "gres.conf it sets the variables of all vendors at once."
        )
    return "It is set in this shell or in the file that starts it, sometimes by a job scheduler."


@rule("ray-refuses-rocr-mask", needs=("gpus", "environment", "torch.hip", "packages"))
def ray_refuses_rocr_mask(case: Case) -> Iterator[Finding | Unknown]:
    """Ray from 2.45 on raises where ROCR_VISIBLE_DEVICES is set and HIP's own mask is not."""
    torch, ray, value = case.facts.torch, case.packages.get("ray"), case.environment.get(ROCR)
    if torch is None or not torch.hip or value is None or HIP in case.environment:
        return
    if ray is None or not ray.version or numbers(ray.version)[:2] < _RAY_WITHOUT_ROCR:
        return
    devices = [s for s in case.devices if s.gpu.vendor == "amd" and case.could_train(s)]
    if not devices:
        return
    yield finding(
        "ray-refuses-rocr-mask",
        f"Ray {ray.version} raises an error where {ROCR} is set and {HIP} is not",
        f"Ray hides AMD GPUs from its workers by {HIP} and takes no other variable since 2.45. "
        f"Slurm sets {ROCR}. Programs without Ray (and vLLM on one GPU) are not touched.",
        severity=Severity.WARNING,
        evidence=[
            Evidence(fact=f"environment.{ROCR}", value=value or "(empty)", source="environment"),
            Evidence(fact="packages.ray", value=ray.version, source=case.sheet.source("packages")),
        ],
        gpus=devices,
        clears_with=("environment",),
        remedies=(
            environment_step(
                f"Hand the mask over: {HIP} instead of {ROCR}.",
                {HIP: value, ROCR: None},
                "environment",
            ),
        ),
    )

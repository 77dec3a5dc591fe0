"""AMD's packaged kernel module against the ROCm that torch brings."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.kb.hardware import amd_gpus
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.terms.shell import sentence_step
from gpudoctor.model.terms.version import numbers
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding, several
from gpudoctor.rules.vendors.amd import in_question


@rule(
    "amd-driver-outside-matrix",
    needs=("gpus", "host.os", "amd", "torch.hip"),
    unless=("amd-gpu-unsupported", "amd-driver-not-bound", "rocm-torch-lacks-gfx"),
)
def amd_driver_outside_matrix(case: Case) -> Iterator[Finding | Unknown]:
    """The packaged amdgpu is one that AMD does not support with the ROCm of this torch.

    The kernel's own module has no number and is not judged. Nor is a ROCm that is newer than AMD's
    matrix, unless the matrix itself had left the driver behind before.
    """
    torch, stack, devices = case.facts.torch, case.facts.amd, in_question(case)
    if torch is None or not torch.hip or stack is None or not stack.version or not devices:
        return
    driver = amd_gpus.kernel_driver(stack.version)
    brought = numbers(torch.hip)[:2]
    if driver is None or len(brought) < 2 or case.host.wsl:
        return
    oldest, newest = numbers(driver.rocm[0]), numbers(driver.rocm[-1])
    at_the_end = driver.rocm[-1] == amd_gpus.newest_rocm_of_matrix()
    if oldest <= brought <= newest or (brought > newest and at_the_end):
        return
    rocm = ".".join(map(str, brought))
    yield finding(
        "amd-driver-outside-matrix",
        f"AMD supports its driver {several(driver.releases)} with ROCm {driver.rocm[0]} to "
        f"{driver.rocm[-1]}; torch {torch.version} brings ROCm {rocm}",
        "Kernel module and ROCm are made to work together over about a year. Further apart it may "
        "work all the same; where it does not, ROCm finds no GPU or kernels hang.",
        severity=Severity.WARNING,
        evidence=[
            Evidence(fact="amd.version", value=stack.version, source="/sys/module/amdgpu/version"),
            case.evidence("torch.hip"),
        ],
        gpus=devices,
        clears_with=("driver", "install"),
        next_look="`python -c 'import torch; print(torch.cuda.is_available())'` and a first "
        "product (`gpudoctor smoke`) say whether it works.",
        remedies=(
            sentence_step(
                "driver",
                ("Update" if brought > newest else "Go back to an older release of")
                + " AMD's package amdgpu-dkms"
                + (" on the host" if case.host.container else "")
                + ", or use the kernel's own module "
                "(https://instinct.docs.amd.com/projects/amdgpu-docs/).",
            ),
        ),
    )

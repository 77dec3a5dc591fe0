"""What torch.compile needs: the right Triton, an assembler that knows the GPU, a C compiler."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.kb.software import packages, torch_releases
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.terms.shell import (
    command_step,
    environment_step,
    posix_step,
    sentence_step,
)
from gpudoctor.rules.builds.torch_code import gpu_evidence
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case, Device
from gpudoctor.rules.engine.wording import finding, names
from gpudoctor.rules.packages.nvidia_wheels import exact

_TRITONS = (
    "triton",
    "pytorch-triton",
    "triton-rocm",
    "pytorch-triton-rocm",
    "triton-xpu",
    "pytorch-triton-xpu",
)


_PTXAS, _BLACKWELL = "TRITON_PTXAS_PATH", "TRITON_PTXAS_BLACKWELL_PATH"


@rule(
    "triton-torch-version-mismatch",
    uses=("torch.requires",),
    needs=("torch.version", "packages"),
)
def triton_torch_version_mismatch(case: Case) -> Iterator[Finding | Unknown]:
    """The installed Triton is not the one that belongs to this torch."""
    torch = case.facts.torch
    if torch is None or not torch.version:
        return
    for item in torch.requires:
        wanted = exact(item.specifier)
        if item.name not in _TRITONS or not item.installed or wanted is None:
            continue
        if knowledge.numbers(item.installed)[:2] != knowledge.numbers(wanted)[:2]:
            yield _mismatch(case, item.name, item.installed, wanted)
        return
    package = case.packages.get("triton")
    known = torch_releases.companions(torch.version).get("triton")
    if torch.requires or package is None or not package.version or known is None or not torch.cuda:
        return
    if knowledge.numbers(package.version)[:2] != knowledge.numbers(known)[:2]:
        yield _mismatch(case, "triton", package.version, known)


def _mismatch(case: Case, name: str, installed: str, wanted: str) -> Finding:
    return finding(
        "triton-torch-version-mismatch",
        f"{name} {installed} does not belong to {case.torch_name}, which needs {wanted}",
        "Triton compiles the kernels of torch.compile and is called through internal interfaces, "
        "so torch works with one series of it. Without torch.compile nothing is affected.",
        severity=Severity.WARNING,
        evidence=[
            Evidence(fact=f"packages.{name}", value=installed),
            case.evidence("torch.version"),
        ],
        clears_with=("install",),
        remedies=(
            command_step(
                "install",
                "Install the Triton that belongs to this torch.",
                (*case.pip, "install", "--no-deps", f"{name}=={wanted}"),
                executable=False,
            ),
        ),
    )


@rule(
    "triton-ptxas-too-old",
    uses=("environment", "gpus[*].compute_capability"),
    needs=("torch.ptxas_architectures", "gpus"),
    follows=("torch-lacks-arch-new-gpu",),
)
def triton_ptxas_too_old(case: Case) -> Iterator[Finding | Unknown]:
    """The assembler inside Triton does not know a GPU, so torch.compile fails on it."""
    torch = case.facts.torch
    if torch is None or not torch.ptxas_architectures:
        return
    known = [a for a in map(knowledge.architecture, torch.ptxas_architectures) if a is not None]
    if not known:
        return
    top = max(a.capability for a in known)
    listed = {a.capability for a in known}
    devices = [
        device
        for device in case.visible
        if device.capability is not None
        and device.capability not in listed
        and (device.capability > top or device.capability.major > 8)
        # Thor stands under its first number in the assemblers of CUDA 12.8 and 12.9.
        and not (device.capability.is_tegra and any(a.capability.is_tegra for a in known))
        and not any(name in case.environment for name in _assemblers(case, device))
    ]
    if not devices:
        return
    variables = dict.fromkeys(name for device in devices for name in _assemblers(case, device))
    yield finding(
        "triton-ptxas-too-old",
        f"The assembler inside Triton does not know {names(devices)}, so torch.compile fails on it",
        "torch.compile turns Python into kernels with Triton, which brings an assembler (ptxas) of "
        "its own. This one is older than the GPU. Without torch.compile nothing is affected.",
        severity=Severity.WARNING,
        evidence=[
            case.evidence("torch.ptxas_architectures"),
            case.evidence("torch.ptxas_version"),
            *gpu_evidence(case, devices),
        ],
        gpus=devices,
        clears_with=("install", "environment"),
        remedies=(
            sentence_step("install", "Update torch, which brings a newer Triton."),
            environment_step(
                "Or, with a newer CUDA toolkit on disk, name its assembler.",
                dict.fromkeys(variables, "/usr/local/cuda/bin/ptxas"),
                "environment",
            ),
        ),
    )


def _assemblers(case: Case, device: Device) -> tuple[str, ...]:
    """The variables that name another assembler for a GPU; both where the Triton is not known.

    Triton from 3.6 on has one for GPUs from 10.0 on, and a variable of its own for it: the other
    one changes nothing there (triton-lang/triton, issue 10331 and pull request 8945).
    """
    torch = case.facts.torch
    installed = (case.packages.get(name) for name in _TRITONS)
    version = next((p.version for p in installed if p is not None and p.version), None)
    version = version or torch_releases.companions((torch and torch.version) or "").get("triton")
    row = packages.triton(version) if version else None
    if device.capability is not None and device.capability.major < 10:
        return (_PTXAS,)
    if row is None:
        return (_PTXAS, _BLACKWELL)
    return (_BLACKWELL,) if row.blackwell_cuda else (_PTXAS,)


def _compiles(case: Case) -> bool:
    """Whether torch.compile could be used here at all."""
    return bool(case.visible) and any(name in case.packages for name in _TRITONS)


@rule("c-compiler-missing-for-triton", needs=("compiler", "packages", "gpus"))
def c_compiler_missing_for_triton(case: Case) -> Iterator[Finding | Unknown]:
    """Triton compiles a little C at run time, and there is no compiler."""
    if case.host.os != "linux" or case.facts.compiler is not None or not _compiles(case):
        return
    if case.environment.get("CC"):
        return
    yield finding(
        "c-compiler-missing-for-triton",
        "No C compiler is installed, so torch.compile fails",
        "Triton, which torch.compile uses, compiles a small C program for each kernel it makes. "
        "Without torch.compile nothing is affected.",
        severity=Severity.INFO,
        evidence=[case.evidence("compiler")],
        clears_with=("manual",),
        remedies=(
            posix_step(
                "manual",
                "Install a C compiler (on Fedora and RHEL: `sudo dnf install gcc`).",
                "sudo apt install build-essential",
            ),
        ),
    )


@rule("python-headers-missing", needs=("python.headers", "packages", "gpus"))
def python_headers_missing(case: Case) -> Iterator[Finding | Unknown]:
    """Triton compiles against Python.h, which is not there."""
    python = case.facts.python
    if python is None or python.headers is not False or case.host.os != "linux":
        return
    if not _compiles(case):
        return
    series = ".".join((python.version or "3").split(".")[:2])
    yield finding(
        "python-headers-missing",
        f"The headers of Python {series} are not installed, so torch.compile fails",
        "Triton, which torch.compile uses, compiles a small C program against Python.h. Linux "
        "distributions ship it apart. Without torch.compile nothing is affected.",
        severity=Severity.INFO,
        evidence=[case.evidence("python.headers"), case.evidence("python.version")],
        clears_with=("manual",),
        remedies=(
            posix_step(
                "manual",
                f"Install Python's headers (on Fedora and RHEL: python{series}-devel).",
                f"sudo apt install python{series}-dev",
            ),
        ),
    )

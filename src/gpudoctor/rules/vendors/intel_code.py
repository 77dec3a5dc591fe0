"""Whether the XPU build of torch, and what lies beside it, has code for the Intel GPU."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpudoctor.compat.intel_target import OTHER, SPIRV, Service, best_service
from gpudoctor.kb.hardware import intel_gpus as intel
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Library
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.terms.shell import sentence_step
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import TORCH, Case, Device
from gpudoctor.rules.engine.wording import finding, names, several
from gpudoctor.rules.vendors.intel import in_question


def _served(case: Case, libraries: Iterable[Library], wanted: Service) -> list[Device]:
    """The GPUs in question that some libraries serve as `wanted`; unknown ones are left out."""
    images = {name for library in libraries for name in library.xpu}
    if not images:
        return []
    found = []
    for device in in_question(case):
        version = intel.ip_version(device.gpu.pci_id, device.gpu.name)
        if version is not None and best_service(images, version) == wanted:
            found.append(device)
    return found


def _versions_of(devices: Iterable[Device]) -> Evidence:
    """`acm-g10 (IP version 12.55)` of each kind of GPU."""
    versions = {intel.ip_version(device.gpu.pci_id, device.gpu.name) or "" for device in devices}
    said = several([f"{intel.target_of_version(v)} (IP version {v})" for v in sorted(versions)])
    return Evidence(fact="gpus.ip_version", value=said, source="knowledge base")


def _images_of_torch(case: Case) -> Evidence:
    """What torch's own libraries carry."""
    carried = _carried(case.torch_libraries)
    return Evidence(fact="libraries.xpu", value=carried, source=case.sheet.source("libraries"))


def _carried(libraries: Iterable[Library]) -> str:
    images = {name for library in libraries for name in library.xpu} - {SPIRV, OTHER}
    return ", ".join(sorted(images)) or "SPIR-V alone"


@rule(
    "xpu-torch-lacks-gpu",
    needs=("gpus", "torch.version", "torch.xpu", "libraries"),
    uses=("gpus[*].pci_id", "gpus[*].name"),
    unless=("intel-gpu-unsupported",),
)
def xpu_torch_lacks_gpu(case: Case) -> Iterator[Finding | Unknown]:
    """The XPU build has neither an image for the GPU nor SPIR-V that its driver could compile."""
    torch = case.facts.torch
    if torch is None or not torch.xpu:
        return
    devices = _served(case, case.torch_libraries, "none")
    if not devices:
        return
    yield finding(
        "xpu-torch-lacks-gpu",
        f"torch {torch.version} has no code for {names(devices)}",
        "Its kernels were compiled ahead of time for other Intel GPUs, and the portable form that "
        "the driver could compile is not in it. The first kernel fails.",
        evidence=[
            _images_of_torch(case),
            *(case.evidence(f"{device.path}.name") for device in devices),
            _versions_of(devices),
        ],
        gpus=devices,
        clears_with=("install",),
        remedies=(
            sentence_step(
                "install",
                "Install torch from https://download.pytorch.org/whl/xpu: those builds carry "
                "SPIR-V beside their images.",
            ),
        ),
    )


@rule(
    "xpu-compiles-at-first-use",
    needs=("gpus", "torch.version", "torch.xpu", "libraries"),
    uses=("gpus[*].pci_id", "gpus[*].name"),
    unless=("intel-gpu-unsupported",),
)
def xpu_compiles_at_first_use(case: Case) -> Iterator[Finding | Unknown]:
    """The XPU build has no image for the GPU, but SPIR-V: it works, and starts slowly."""
    torch = case.facts.torch
    if torch is None or not torch.xpu:
        return
    devices = _served(case, case.torch_libraries, "jit")
    if not devices:
        return
    yield finding(
        "xpu-compiles-at-first-use",
        f"The kernels of torch {torch.version} are compiled for {names(devices)} when first used",
        "The build has no image for this GPU but SPIR-V, which the driver compiles. That works; "
        "the first steps of each new program take seconds to minutes longer.",
        severity=Severity.INFO,
        evidence=[
            _images_of_torch(case),
            _versions_of(devices),
        ],
        gpus=devices,
        clears_with=("install",),
    )


@rule(
    "extension-lacks-intel-gpu",
    needs=("gpus", "torch.xpu", "libraries"),
    uses=("gpus[*].pci_id", "gpus[*].name"),
    unless=("intel-gpu-unsupported",),
    follows=("xpu-torch-lacks-gpu",),
)
def extension_lacks_intel_gpu(case: Case) -> Iterator[Finding | Unknown]:
    """No library of a package has code for an Intel GPU, in any form."""
    torch = case.facts.torch
    if torch is None or not torch.xpu:
        return
    owned: dict[str, list[Library]] = {}
    for library in case.facts.libraries:
        owner = library.distribution
        if library.xpu and owner is not None and owner not in TORCH:
            owned.setdefault(owner, []).append(library)
    for name, libraries in owned.items():
        devices = _served(case, libraries, "none")
        if not devices:
            continue
        package = case.packages.get(name)
        version = f" {package.version}" if package and package.version else ""
        yield finding(
            "extension-lacks-intel-gpu",
            f"{name}{version} has no code for {names(devices)}",
            f"torch is one thing, {name} another: it brings its own kernels, compiled ahead of "
            "time for other Intel GPUs and without SPIR-V. The first call into it fails.",
            severity=Severity.WARNING,
            evidence=[
                *(
                    Evidence(
                        fact=f"libraries.{each.path}", value=_carried([each]), source=each.path
                    )
                    for each in libraries[:3]
                ),
                _versions_of(devices),
            ],
            gpus=devices,
            clears_with=("install", "source-build", "uninstall"),
            remedies=(
                sentence_step(
                    "install",
                    f"Install a release of {name} that is built for this GPU or carries SPIR-V, "
                    "build it from source, or uninstall it where it is not needed.",
                ),
            ),
        )

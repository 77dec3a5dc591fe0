"""AMD GPUs: which build of torch serves them, and what the environment makes of them."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.compat.amd_target import best_service, pretended
from gpudoctor.kb.hardware import amd_gpus as amd
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Torch
from gpudoctor.model.finding import Evidence, Finding
from gpudoctor.model.step import Step
from gpudoctor.model.terms.shell import command_step, environment_step, sentence_step
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case, Device, HipCode
from gpudoctor.rules.engine.wording import finding, names, several, verb

OVERRIDE = "HSA_OVERRIDE_GFX_VERSION"


def in_question(case: Case) -> list[Device]:
    """The AMD GPUs that people would train on: none where an NVIDIA GPU is there for it.

    The graphics inside a processor do not count beside a card: nobody trains on them, and torch
    runs on the card all the same.
    """
    if case.visible and not case.rocm_serves:
        return []
    devices = [
        device
        for device in case.devices
        if device.gpu.vendor == "amd"
        and device.gpu.visible is not False
        and case.could_train(device)
    ]
    return [device for device in devices if not device.gpu.integrated] or devices


@rule("amd-gpu-unsupported", needs=("gpus",), uses=("gpus[*].gfx",))
def amd_gpu_unsupported(case: Case) -> Iterator[Finding | Unknown]:
    """No build of torch, PyTorch's or AMD's own, has code for the GPU."""
    devices = in_question(case)
    old = [
        device
        for device in devices
        if device.gpu.gfx and not knowledge.gfx_is_served(device.gpu.gfx)
    ]
    if not old or len(old) < len(devices):
        return
    yield finding(
        "amd-gpu-unsupported",
        f"No published build of torch serves {names(old)}",
        "AMD GPUs run only code compiled for their own instruction set or their family, and no "
        "build has any for this GPU. PyTorch runs on the CPU here.",
        evidence=[case.evidence(f"{device.path}.gfx") for device in old],
        gpus=old,
        clears_with=("manual",),
    )


@rule(
    "amd-gpu-needs-rocm-torch",
    needs=("gpus", "torch.version", "torch.hip"),
    unless=("amd-gpu-unsupported",),
)
def amd_gpu_needs_rocm_torch(case: Case) -> Iterator[Finding | Unknown]:
    """The installed torch is no ROCm build, and the GPU is one from AMD."""
    torch = case.facts.torch
    devices = [s for s in in_question(case) if not s.gpu.gfx or knowledge.gfx_is_served(s.gpu.gfx)]
    if torch is None or torch.hip is not None or not devices or case.host.os == "macos":
        return
    if torch.xpu and any(device.gpu.vendor == "intel" for device in case.devices):
        return
    kind = f"built for CUDA {torch.cuda}" if torch.cuda else "built for the CPU alone"
    gfx = sorted({device.gpu.gfx for device in devices if device.gpu.gfx})
    remedies: tuple[Step, ...] = ()
    if case.host.os == "windows" or (gfx and not any(map(knowledge.gfx_on_index, gfx))):
        remedies = (
            sentence_step(
                "install",
                "PyTorch's own index has no build for this GPU and system; AMD publishes some at "
                "https://repo.amd.com/rocm/whl-multi-arch/ (an index of its own).",
            ),
        )
    yield finding(
        "amd-gpu-needs-rocm-torch",
        f"torch {torch.version} is {kind}; {names(devices)} "
        f"{verb(devices, 'needs', 'need')} a ROCm build",
        "GPUs from AMD are served by builds of PyTorch for ROCm, AMD's counterpart of CUDA. They "
        "lie on an index of their own, so a plain `pip install torch` does not bring them.",
        evidence=[
            case.evidence("torch.version"),
            case.evidence("torch.hip"),
            *(case.evidence(f"{device.path}.gfx") for device in devices),
        ],
        gpus=devices,
        clears_with=("install",),
        remedies=remedies,
    )


@rule(
    "rocm-torch-lacks-gfx",
    needs=("gpus", "torch.version", "torch.hip"),
    uses=("gpus[*].gfx", "torch.gfx"),
)
def rocm_torch_lacks_gfx(case: Case) -> Iterator[Finding | Unknown]:
    """The installed ROCm build has no code for the GPU's instruction set."""
    torch, build = case.facts.torch, case.hip_code
    if torch is None or build is None:
        return
    # What a GPU claims to be is judged with the claim; Windows does not read the variable.
    claim = case.environment.get(OVERRIDE) if case.host.os != "windows" else None
    devices = [
        device
        for device in in_question(case)
        if device.gpu.gfx
        and (claim is None or pretended(claim) == device.gpu.gfx)
        and best_service(build.targets, device.gpu.gfx) == "none"
    ]
    if not devices:
        return
    gfx = sorted({device.gpu.gfx for device in devices if device.gpu.gfx})
    carried = ", ".join(build.targets) or "none: it lies in archives of its own, and none is there"
    yield finding(
        "rocm-torch-lacks-gfx",
        f"torch {torch.version} has no code for {several(gfx)} ({names(devices)})",
        "AMD GPUs run only code compiled for their own instruction set or their family, and this "
        "build has none for this GPU. Kernels fail with `invalid device function`.",
        evidence=[
            Evidence(fact="torch.gfx", value=carried, source=build.source),
            *(case.evidence(f"{device.path}.gfx") for device in devices),
        ],
        gpus=devices,
        clears_with=("install", "environment"),
        remedies=(*_device_wheels(case, gfx), *_relative(case, devices[0], build)),
    )


def _device_wheels(case: Case, gfx: list[str]) -> tuple[Step, ...]:
    """AMD's own wheels keep the code of each GPU in a wheel of its own, asked for by an extra."""
    torch = case.facts.torch
    libraries = case.torch_libraries
    if torch is None or not any(library.kernel_archive for library in libraries):
        return ()
    extras = ",".join(f"device-{name}" for name in gfx)
    wanted = f"torch[{extras}]=={torch.version}"
    text = "Install the wheel with this GPU's kernels, from the index that torch came from."
    return (command_step("install", text, (*case.pip, "install", wanted), executable=False),)


def _relative(case: Case, device: Device, build: HipCode) -> tuple[Step, ...]:
    override = amd.override_for(device.gpu.gfx or "")
    if override is None or override.works != "usually" or case.host.os == "windows":
        return ()
    if best_service(build.targets, override.runs_as) == "none":
        return ()
    text = "On Linux this usually works: let the GPU pass for a relative that is served."
    return (environment_step(text, {OVERRIDE: override.value}, "environment"),)


@rule(
    "rocm-blas-lacks-gfx",
    needs=("gpus", "torch.version", "torch.hip"),
    uses=("gpus[*].gfx", "torch.kernel_files"),
    unless=("rocm-torch-lacks-gfx",),
)
def rocm_blas_lacks_gfx(case: Case) -> Iterator[Finding | Unknown]:
    """torch has code for the GPU and the rocBLAS that comes with it has not."""
    torch = case.facts.torch
    if torch is None or not torch.hip or not torch.version or case.environment.get(OVERRIDE):
        return
    with_files = {gfx for gfx, names_ in torch.kernel_files.items() if "rocBLAS" in names_}
    devices = [
        device
        for device in in_question(case)
        if device.gpu.gfx and _blas_lacks(torch, device.gpu.gfx, with_files)
    ]
    if not devices:
        return
    gfx = sorted({device.gpu.gfx for device in devices if device.gpu.gfx})
    said = (
        Evidence(
            fact="torch.kernel_files",
            value=f"rocBLAS: {', '.join(sorted(with_files))}",
            source=case.sheet.source("torch.kernel_files"),
        )
        if with_files
        else Evidence(fact="torch.version", value=torch.version, source="knowledge base")
    )
    yield finding(
        "rocm-blas-lacks-gfx",
        f"The rocBLAS of torch {torch.version} has no kernels for {several(gfx)} "
        f"({names(devices)})",
        "torch itself has code for this GPU, so that simple operations run. The library for matrix "
        "products was built without it, and the first one fails.",
        evidence=[said, *(case.evidence(f"{device.path}.gfx") for device in devices)],
        gpus=devices,
        clears_with=("install",),
        next_look="`python -c 'import torch; a = torch.ones(64, 64).cuda(); print((a @ a)[0, 0])'` "
        "fails in rocBLAS then.",
    )


def _blas_lacks(torch: Torch, gfx: str, with_files: set[str]) -> bool:
    """Whether rocBLAS has nothing for a GPU: its own files say so, else what is known of it."""
    if with_files:
        return gfx not in with_files
    build = knowledge.rocm_build_of(torch.version or "", torch.hip)
    return build is not None and gfx in amd.blas_gap(build.variant)

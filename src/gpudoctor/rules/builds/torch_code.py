"""Whether the build of torch has code for each visible GPU.

The rules of binary compatibility are those of `gpudoctor.compat.architecture`: sm_86 code runs
on an RTX 4090, sm_120 on a GB10, sm_100 on a B300, sm_60 on a GTX 1080.
"""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.compat.builds import side
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.terms.sentence import said, together
from gpudoctor.model.terms.shell import sentence_step
from gpudoctor.model.terms.version import split_label
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case, Code, Device
from gpudoctor.rules.engine.wording import finding, names, several, verb

NEEDS = ("torch", "gpus")


def lacking(case: Case) -> list[tuple[Device, ComputeCapability]]:
    """The visible GPUs for which the build has neither machine code nor PTX."""
    code = case.code
    if code is None:
        return []
    return [
        (device, device.capability)
        for device in case.visible
        if device.capability is not None
        and not knowledge.native(code.sass, device.capability)
        and not knowledge.jittable(code.ptx, device.capability)
    ]


def through_ptx(case: Case) -> list[tuple[Device, ComputeCapability]]:
    """The visible GPUs that only the build's PTX serves."""
    code = case.code
    if code is None or not code.ptx:
        return []
    return [
        (device, device.capability)
        for device in case.visible
        if device.capability is not None
        and not knowledge.native(code.sass, device.capability)
        and knowledge.jittable(code.ptx, device.capability)
    ]


def through_old_ptx(case: Case) -> list[tuple[Device, ComputeCapability]]:
    """Those of them that the CUDA of the build did not know yet, nor do its libraries."""
    torch, code = case.facts.torch, case.code
    if torch is None or code is None:
        return []
    return [
        (device, gpu)
        for device, gpu in through_ptx(case)
        if knowledge.predates(torch.cuda, code.sass + code.ptx, gpu)
    ]


def beyond_knowledge(case: Case) -> list[Device]:
    """The visible GPUs of generations that are in no table, and that no machine code serves.

    Where the build has code that NVIDIA promises to run there, the build itself knows.
    """
    code = case.code
    if code is None:
        return []
    return [
        device
        for device in case.visible
        if device.capability is not None
        and knowledge.generation(device.capability) is None
        and not knowledge.is_older_than_all(device.capability)
        and not knowledge.native(code.sass, device.capability)
    ]


def is_newer(code: Code, gpu: ComputeCapability) -> bool:
    """Whether a GPU without code is newer than what the build knows, and not older."""
    return side(code.sass + code.ptx, gpu) == "new"


def code_evidence(code: Code) -> list[Evidence]:
    """What the build carries, and where that was read."""
    shown = [Evidence(fact="torch.sass", value=", ".join(code.sass) or "none", source=code.source)]
    if code.ptx:
        shown.append(Evidence(fact="torch.ptx", value=", ".join(code.ptx), source=code.source))
    return shown


def gpu_evidence(case: Case, devices: list[Device]) -> list[Evidence]:
    """The compute capability of each GPU."""
    return [
        case.evidence(f"{device.path}.compute_capability", device.capability) for device in devices
    ]


def unknowns(case: Case) -> Iterator[Unknown]:
    """What keeps the architectures from being judged, for all GPUs or for one."""
    torch = case.facts.torch
    if torch is None or not case.visible:
        return
    if case.code is None:
        if torch.cuda is None and case.knows("torch.cuda"):
            return
        yield case.why_unknown("torch.sass") or Unknown(
            "torch.sass",
            "no architecture of this build could be read, and it is not published",
            "",
            "not-stated",
        )
        return
    for device in case.visible:
        if device.capability is None:
            path = f"{device.path}.compute_capability"
            yield case.why_unknown(path) or Unknown(
                path, "the driver did not report it", "", "not-asked"
            )


@rule(
    "jetson-needs-own-wheel",
    uses=("torch.sass", "gpus[*].compute_capability", "host.jetson"),
    needs=NEEDS,
)
def jetson_needs_own_wheel(case: Case) -> Iterator[Finding | Unknown]:
    """A Jetson whose GPU no wheel of the PyTorch index serves."""
    code = case.code
    if code is None:
        return
    devices = [
        device
        for device, gpu in lacking(case)
        if gpu.is_tegra and not knowledge.is_served(gpu, "linux_aarch64")
    ]
    if not devices:
        return
    yield finding(
        "jetson-needs-own-wheel",
        f"{case.torch_name} has no code for {names(devices)} "
        f"({several([gpu.sm for gpu in _capabilities(devices)])}), which needs NVIDIA's own build",
        "The GPU of a Jetson runs only code compiled for it. The wheels of the PyTorch index do "
        "not contain it; NVIDIA publishes wheels and containers for each JetPack.",
        evidence=[*code_evidence(code), *gpu_evidence(case, devices)],
        gpus=devices,
        clears_with=("install",),
        remedies=(
            sentence_step(
                "install",
                "Take one of NVIDIA's builds for Jetson, which are explained at "
                "https://docs.nvidia.com/deeplearning/frameworks/install-pytorch-jetson-platform/.",
            ),
        ),
    )


@rule(
    "torch-lacks-arch-new-gpu",
    needs=NEEDS,
    follows=("mixed-gpus-no-common-wheel", "wrong-torch-copy-imported"),
)
def torch_lacks_arch_new_gpu(case: Case) -> Iterator[Finding | Unknown]:
    """The build has nothing for a GPU that is newer than it."""
    yield from unknowns(case)
    code = case.code
    if code is None:
        return
    served = [
        (device, gpu)
        for device, gpu in lacking(case)
        if is_newer(code, gpu)
        and not (gpu.is_tegra and not knowledge.is_served(gpu, "linux_aarch64"))
    ]
    for gpu, devices in _by_capability(through_old_ptx(case)).items():
        yield finding(
            "torch-lacks-arch-new-gpu",
            f"{case.torch_name} has only PTX for {gpu.sm} ({names(devices)}), made before that GPU",
            "The driver can translate torch's own kernels for this GPU, which takes minutes. But "
            "the libraries of NVIDIA that this build brings, cuBLAS and cuDNN, are older than the "
            "GPU, and layers that need them may fail.",
            # It may work, slowly; only a run would show it.
            severity=Severity.WARNING,
            evidence=[*code_evidence(code), *gpu_evidence(case, devices)],
            gpus=devices,
            clears_with=("install",),
        )
    for gpu, devices in _by_capability(served).items():
        yield finding(
            "torch-lacks-arch-new-gpu",
            _title(case, gpu, devices),
            f"A GPU runs only machine code compiled for its generation. {_brings(code, gpu)} "
            "Tensors can be copied to the GPU, but the first kernel fails with `no kernel image is "
            "available`.",
            evidence=[*code_evidence(code), *gpu_evidence(case, devices)],
            gpus=devices,
            clears_with=("install",),
        )


@rule(
    "torch-dropped-arch-old-gpu",
    uses=("torch.sass", "gpus[*].compute_capability"),
    needs=NEEDS,
    follows=("mixed-gpus-no-common-wheel", "wrong-torch-copy-imported"),
)
def torch_dropped_arch_old_gpu(case: Case) -> Iterator[Finding | Unknown]:
    """The build has nothing for a GPU that is older than what it was compiled for."""
    code = case.code
    if code is None:
        yield from _served_by_none(case)
        return
    older = [(device, gpu) for device, gpu in lacking(case) if not is_newer(code, gpu)]
    for gpu, devices in _by_capability(older).items():
        if all(map(case.is_spare, devices)):
            yield finding(
                "torch-dropped-arch-old-gpu",
                f"torch does not use {names(devices)}, which is too old for every build",
                "The other GPU is served. Code that uses all GPUs at once has to leave this one "
                "out.",
                severity=Severity.INFO,
                evidence=gpu_evidence(case, devices),
                gpus=devices,
                clears_with=("mask-gpus",),
            )
            continue
        there = knowledge.serving(gpu, case.platform)
        yield finding(
            "torch-dropped-arch-old-gpu",
            _title(case, gpu, devices),
            together(
                "A GPU runs only machine code compiled for its generation, and this build of torch "
                "no longer brings it. ",
                _who_does(case, gpu, there),
            ),
            evidence=[*code_evidence(code), *gpu_evidence(case, devices)],
            gpus=devices,
            clears_with=("install",) if there else ("source-build", "manual"),
        )


def _who_does(case: Case, gpu: ComputeCapability, there: tuple[Build, ...]) -> str:
    """Which build serves a GPU that this one leaves out, in a sentence that fits the case."""
    torch = case.facts.torch
    base = split_label((torch.version if torch else None) or "")[0]
    installed = torch.cuda if torch else None
    same = [build for build in there if build.torch == base and build.cuda != installed]
    system = "" if case.platform else ", if there is a wheel of it for this system"
    if same:
        cuda = _best(same).cuda
        text = f"The same release for CUDA {cuda} does{system}."
        return said("same-release-serves", text, gpu=str(gpu), torch=base, cuda=cuda)
    if there:
        newest = _best([build for build in there if build.torch == there[-1].torch])
        text = f"torch {newest.torch} for CUDA {newest.cuda} does{system}."
        return said(
            "other-release-serves", text, gpu=str(gpu), torch=newest.torch, cuda=newest.cuda
        )
    if knowledge.serving(gpu, None):
        text = "No build that is published for this kind of system does; for others there is one."
        return said("served-elsewhere", text, gpu=str(gpu))
    return said("served-by-none", "No published build of torch does.", gpu=str(gpu))


def _best(builds: list[Build]) -> Build:
    """Of the builds of one release, the newest CUDA of the official matrix, if there is one.

    Where the system is not known, first what most systems have.
    """
    systems = [build.variant for build in builds]
    return max(
        builds,
        key=lambda b: (
            systems.count(b.variant),
            not b.off_matrix,
            knowledge.numbers(b.cuda or ""),
        ),
    )


def _served_by_none(case: Case) -> Iterator[Finding]:
    """A CPU build is right where every GPU is older than all CUDA builds; say why."""
    torch = case.facts.torch
    if case.jetson or (torch is not None and (torch.cuda or torch.hip or torch.xpu)):
        return
    devices = [
        s for s in case.visible if s.capability and knowledge.is_older_than_all(s.capability)
    ]
    if not devices or len(devices) < len(case.visible):
        return
    yield finding(
        "torch-dropped-arch-old-gpu",
        f"{names(devices)} {verb(devices, 'is', 'are')} too old for every published build of torch",
        "PyTorch is no longer compiled for GPUs of this age. It runs on the CPU alone here.",
        evidence=gpu_evidence(case, devices),
        gpus=devices,
        clears_with=("source-build", "manual"),
    )


def _capabilities(devices: list[Device]) -> list[ComputeCapability]:
    return sorted({device.capability for device in devices if device.capability})


def _by_capability(
    found: list[tuple[Device, ComputeCapability]],
) -> dict[ComputeCapability, list[Device]]:
    grouped: dict[ComputeCapability, list[Device]] = {}
    for device, gpu in found:
        grouped.setdefault(gpu, []).append(device)
    return grouped


def _title(case: Case, gpu: ComputeCapability, devices: list[Device]) -> str:
    text = f"{case.torch_name} has no code for {gpu.sm} ({names(devices)})"
    return said("lacks-code", text, gpu=str(gpu))


def _brings(code: Code, gpu: ComputeCapability) -> str:
    known = [a for a in map(knowledge.architecture, code.sass) if a is not None]
    if not known:
        return "This build of torch brings no machine code at all."
    top = max(known, key=lambda a: a.sort_key)
    if top.capability > gpu:
        return f"This build of torch brings none for {gpu.sm}, which desktop code does not serve."
    return f"This build of torch is older than the GPU: it brings code up to {top}."

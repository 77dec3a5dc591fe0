"""Libraries, torch's own and extensions, whose machine code leaves a GPU out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache

from gpudoctor.binaries.judgement.coverage import Coverage, coverage
from gpudoctor.binaries.judgement.distribution import judge_distribution
from gpudoctor.binaries.judgement.general import containers
from gpudoctor.binaries.judgement.published import gaps
from gpudoctor.binaries.names import is_nvidias_own
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.kb.software import packages, torch_releases
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import CodeGroup, Library
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.step import Step
from gpudoctor.model.terms.shell import command_step, environment_step, sentence_step
from gpudoctor.model.terms.version import split_label
from gpudoctor.rules.builds.torch_code import gpu_evidence, lacking
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import TORCH, Case, Device
from gpudoctor.rules.engine.wording import finding, names, several

_NEEDS = ("libraries", "gpus")
_FEWER_GPUS = (
    "Most of torch runs on this GPU, but not what lies in this library: it was compiled for fewer "
    "GPUs than the rest. Programs that use it fail with `no kernel image is available`."
)


def covered(library: Library, gpu: ComputeCapability, serves: str | None) -> Coverage:
    """How much of a library runs on a GPU; `serves` is the CUDA up to which PTX is compiled.

    Without `serves` any PTX counts as compilable: nothing is alarmed for want of knowing.
    """
    return _covered(library.groups, library.relocatable, gpu, serves)


@lru_cache(maxsize=8192)
def _covered(
    groups: tuple[CodeGroup, ...],
    relocatable: tuple[CodeGroup, ...],
    gpu: ComputeCapability,
    serves: str | None,
) -> Coverage:
    limit = knowledge.numbers(serves)[:2] if serves else None

    def compiles(isa: str | None) -> bool:
        written = knowledge.cuda_for_ptx(isa) if isa else None
        return limit is None or written is None or knowledge.numbers(written)[:2] <= limit

    return coverage(Library(path="", groups=groups, relocatable=relocatable), gpu, compiles)


def _serves(case: Case) -> str | None:
    return case.driver.cuda if case.knows("driver.cuda") else None


def _groups_known(library: Library) -> bool:
    return bool(library.groups or library.relocatable)


def _devices(case: Case) -> list[tuple[Device, ComputeCapability]]:
    return [(s, s.capability) for s in case.visible if s.capability and not case.is_spare(s)]


@rule(
    "partial-kernel-coverage",
    uses=("torch.sass", "gpus[*].compute_capability", "libraries"),
    needs=("gpus",),
    # Where the driver cannot compile torch's PTX, every library lacks code for the same reason.
    unless=("ptx-unsupported-toolchain",),
    where="cuda",
)
def partial_kernel_coverage(case: Case) -> Iterator[Finding | Unknown]:
    """A library of torch, or a part of one, has nothing for a GPU that torch otherwise serves."""
    without = {device for device, _ in lacking(case)}
    if not case.facts.libraries:
        yield from _published_gaps(case, without)
    serves = _serves(case)
    for library in case.torch_libraries:
        if not _groups_known(library) or knowledge.is_nvidia_library(library.path):
            continue
        hit: list[tuple[Device, Coverage]] = []
        for device, gpu in _devices(case):
            if device in without:
                continue
            found = covered(library, gpu, serves)
            if found.status in ("none", "partial") and not _on_purpose(found):
                hit.append((device, found))
        if hit:
            yield _partial(case, library, hit)


def _published_gaps(case: Case, without: Collection[Device]) -> Iterator[Finding]:
    """What the published build of that name lacks, where no library of the machine was read."""
    torch = case.facts.torch
    if torch is None or case.code is None or case.platform is None:
        return
    version, label = split_label(torch.version or "")
    build = torch_releases.build(version, label or "", case.platform)
    devices = [(device, gpu) for device, gpu in _devices(case) if device not in without]
    if build is None or torch.cuda != build.cuda:
        return
    for gap in gaps(build, [gpu for _, gpu in devices]):
        hit = [device for device, gpu in devices if gpu.sm in gap.gpus]
        affected = f" ({gap.purpose})" if gap.purpose else ""
        yield finding(
            "partial-kernel-coverage",
            f"{gap.file}{affected} of the published {case.torch_name} has no code, or little, for "
            f"{names(hit)}",
            _FEWER_GPUS,
            evidence=[
                case.evidence("torch.version"),
                Evidence(
                    fact=f"libraries.{gap.file}",
                    value=f"read from the published {gap.read}",
                    source="knowledge base",
                ),
                *gpu_evidence(case, hit),
            ],
            gpus=hit,
            clears_with=("install",),
        )


def _on_purpose(found: Coverage) -> bool:
    """Whether the smaller part of a library is for newer GPUs alone, as flash attention is.

    Where most of a library leaves a GPU out, it was compiled for fewer GPUs than the rest:
    `libtorch_cuda_linalg.so` of torch 2.15 has 1 of 33 parts for a T4.
    """
    return found.below_floor and 2 * found.runnable >= found.of


def _partial(case: Case, library: Library, hit: Sequence[tuple[Device, Coverage]]) -> Finding:
    devices = [device for device, _ in hit]
    worst = min((found for _, found in hit), key=lambda found: found.runnable / max(found.of, 1))
    purpose = packages.purpose_of(library.path)
    file = library.path.replace("\\", "/").rpartition("/")[2]
    how_much = "no code" if not worst.runnable else f"only {worst.runnable} of {worst.of} parts"
    affected = f" ({purpose})" if purpose else ""
    return finding(
        "partial-kernel-coverage",
        f"{file}{affected} has {how_much} for {names(devices)}",
        _FEWER_GPUS,
        evidence=[_library_evidence(library), *gpu_evidence(case, devices)],
        gpus=devices,
        clears_with=("install",),
    )


def _library_evidence(library: Library) -> Evidence:
    listed = [*library.sass, *library.ptx]
    return Evidence(fact=f"libraries.{library.path}", value=", ".join(listed), source=library.path)


@rule(
    "extension-lacks-arch",
    uses=("gpus[*].compute_capability",),
    needs=_NEEDS,
    follows=("torch-lacks-arch-new-gpu", "torch-dropped-arch-old-gpu", "jetson-needs-own-wheel"),
)
def extension_lacks_arch(case: Case) -> Iterator[Finding | Unknown]:
    """A package beside torch has no machine code for a visible GPU."""
    if case.visible and case.unknown:
        yield from (entry for path, entry in case.unknown.items() if path.startswith("libraries["))
    for name, libraries in _extensions(case).items():
        empty: list[Device] = []
        runs = 0
        holes: dict[str, tuple[Library, list[Device]]] = {}
        for device, gpu in _devices(case):
            if (lowest := _written_for(case, name)) is not None and gpu < lowest:
                continue  # what was never written for a GPU is told as that
            whole = judge_distribution(libraries, gpu, cover=_any_driver)
            if whole.fails:
                empty.append(device)
                runs = max(runs, whole.runnable)
                continue
            for part in whole.parts:
                found = part.coverage
                if part.ignored is None and found.status == "partial" and not found.below_floor:
                    holes.setdefault(part.library.path, (part.library, []))[1].append(device)
        if empty:
            yield _lacks(case, name, libraries, empty, runs)
        for library, devices in holes.values():
            yield _hole(case, name, library, devices)


def _written_for(case: Case, name: str) -> ComputeCapability | None:
    package = case.packages.get(name)
    lowest = packages.attention_floor(name, package.version) if package else None
    return None if lowest is None else ComputeCapability.parse(lowest)


def _any_driver(library: Library, gpu: ComputeCapability) -> Coverage:
    return covered(library, gpu, None)


def _extensions(case: Case) -> dict[str, list[Library]]:
    """Libraries by the distribution that brought them; torch's and NVIDIA's own left out.

    NVIDIA's libraries choose their kernels themselves and say which GPUs they serve in other
    ways (cuDNN has a rule of its own).
    """
    grouped: dict[str, list[Library]] = {}
    for library in case.facts.libraries:
        owner = library.distribution
        if owner is None or owner in TORCH or is_nvidias_own(library.path):
            continue
        if _groups_known(library) and _chosen(case, library):
            grouped.setdefault(str(owner), []).append(library)
    return grouped


def _chosen(case: Case, library: Library) -> bool:
    """bitsandbytes brings a library for every CUDA and loads the one of torch's."""
    if library.distribution != "bitsandbytes" or case.facts.torch is None:
        return True
    cuda = (case.facts.torch.cuda or "").replace(".", "")
    return not cuda or f"cuda{cuda}" in library.path


def _torch_extension(case: Case, name: str) -> bool:
    package = case.packages.get(name)
    return package is not None and any(line.startswith("torch") for line in package.requires)


def _lacks(
    case: Case, name: str, libraries: Sequence[Library], devices: list[Device], runs: int
) -> Finding:
    package = case.packages.get(name)
    version = f" {package.version}" if package and package.version else ""
    wanted = sorted({s.capability for s in devices if s.capability})
    targets = ";".join(map(str, wanted))
    some = sum(containers(each) for each in libraries)
    how_much = f"code in {runs} of {some} parts" if runs else "no code"
    of_them = f"only {runs} of {some} run" if runs else "none of them runs"
    return finding(
        "extension-lacks-arch",
        f"{name}{version} has {how_much} for {several([gpu.sm for gpu in wanted])} "
        f"({names(devices)})",
        f"torch is one thing, {name} another: it brings its own kernels, and {of_them} on "
        "this GPU. The first call into it fails with `no kernel image is available`.",
        # Whoever uses the package fails; torch by itself does not.
        severity=Severity.ERROR if _torch_extension(case, name) else Severity.WARNING,
        evidence=[*map(_library_evidence, libraries[:3]), *gpu_evidence(case, devices)],
        gpus=devices,
        clears_with=("install", "source-build", "uninstall"),
        remedies=_newer_or_from_source(case, name, targets),
    )


def _newer_or_from_source(case: Case, name: str, targets: str) -> tuple[Step, ...]:
    newer = sentence_step("install", f"Install a newer release of {name}, if there is one.")
    package = case.packages.get(name)
    if package is None or not packages.has_source(name, package.version):
        return (newer,)
    install = (*case.pip, "install", "--no-cache-dir", "--no-build-isolation")
    build = environment_step("", {"TORCH_CUDA_ARCH_LIST": targets}, "source-build")
    pinned = f"{name}=={split_label(package.version or '')[0]}"
    argv = (*install, "--no-binary", name, pinned)
    compile_ = command_step("source-build", "", argv, executable=False)
    return (
        newer,
        Step(
            kind="source-build",
            text="Or build it from source for this GPU.",
            posix=f"{build.posix}; {compile_.posix}",
            powershell=f"{build.powershell}; {compile_.powershell}",
            cmd=f"{build.cmd} & {compile_.cmd}",
            risk="medium",
        ),
    )


def _hole(case: Case, name: str, library: Library, devices: list[Device]) -> Finding:
    file = library.path.replace("\\", "/").rpartition("/")[2]
    return finding(
        "extension-lacks-arch",
        f"Some kernels of {name} have no code for {names(devices)} ({file})",
        f"Most of {name} runs on this GPU. Calls into the rest fail with `no kernel image is "
        "available`.",
        severity=Severity.WARNING,
        evidence=[_library_evidence(library), *gpu_evidence(case, devices)],
        gpus=devices,
        clears_with=("install", "source-build"),
    )

"""What must hold wherever a chosen sentence is printed, worked out by looking at every build.

A sentence carries its kind and what it speaks of (`model/terms/sentence.py`). Each kind has its
function here; none of them asks the code that chose the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache, lru_cache

from packaging.specifiers import SpecifierSet

from gpudoctor.binaries.judgement.published import gaps
from gpudoctor.compat.architecture import (
    Architecture,
    ComputeCapability,
    can_be_jitted,
    is_architecture,
    runs_natively,
)
from gpudoctor.compat.driver import knows as driver_knows
from gpudoctor.compat.driver import starts
from gpudoctor.kb.hardware import amd_gpus as kb_amd
from gpudoctor.kb.hardware import intel_gpus as kb_intel
from gpudoctor.kb.hardware import nvidia_gpus as kb_gpus
from gpudoctor.kb.software import cuda as kb_cuda
from gpudoctor.kb.software import packages as kb_packages
from gpudoctor.kb.software import torch_releases
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.facts import Package
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.prescription import Step
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.sentence import Condition
from gpudoctor.model.terms.version import numbers
from gpudoctor.model.value import dataclass, replace
from gpudoctor.prescribe.build.candidates import Offer, objections, offers
from gpudoctor.prescribe.request.target import Pin, Target, capability, target_of


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where a sentence was printed."""

    sheet: FactSheet
    """The machine after the drivers and masks of the way that the sentence belongs to."""
    findings: tuple[Finding, ...] = ()
    steps: tuple[Step, ...] = ()
    packages: tuple[str, ...] = ()
    torch: str | None = None
    """The release that the way installs; `None`: torch stays."""
    variant: str | None = None
    status: str = ""
    asked: tuple[Pin, ...] = ()
    """What of torch was asked for."""

    @property
    def target(self) -> Target:
        return target_of(self.sheet, self.asked)

    @property
    def build(self) -> Build | None:
        return _build({"torch": self.torch, "variant": self.variant}, self.target)


def broken_conditions(said: Iterator[tuple[Condition, Scene]]) -> Iterator[str]:
    """The conditions that do not hold, a sentence each."""
    for condition, scene in said:
        if not HOLDS[condition.kind](scene, **condition.about):
            yield f"a sentence is printed although not: {condition.kind} {condition.about}"


# What the functions below ask


def _build(named: dict[str, object], target: Target) -> Build | None:
    wanted = (named["torch"], named["variant"], named.get("platform", target.platform))
    return _builds().get(wanted)


@cache
def _builds() -> dict[tuple[object, ...], Build]:
    every = (*torch_releases.nightlies(), *torch_releases.builds())
    return {(build.torch, build.variant, build.platform): build for build in reversed(every)}


def _offer(target: Target, kind: str, named: dict[str, object]) -> Offer:
    found = offers(kind, target.platform or "")
    return next(
        o for o in found if (o.build.torch, o.build.variant) == (named["torch"], named["variant"])
    )


def _kind(target: Target) -> str:
    return "cuda" if target.gpus else "rocm" if target.gfx else "xpu" if target.intel else "cpu"


@lru_cache(maxsize=4096)
def _running(target: Target, kind: str) -> tuple[Build, ...]:
    every = offers(kind, target.platform or "")
    return tuple(offer.build for offer in every if not objections(offer, target))


def _newer(scene: Scene, torch: str, target: Target) -> list[Build]:
    return _running_above(target, scene.build.kind if scene.build else _kind(target), torch)


@lru_cache(maxsize=4096)
def _running_above(target: Target, kind: str, torch: str) -> list[Build]:
    newer = (o for o in offers(kind, target.platform or "") if o.order > numbers(torch))
    return [offer.build for offer in newer if not objections(offer, target)]


@lru_cache(maxsize=4096)
def _has_code(sass: tuple[str, ...], gpu: ComputeCapability) -> bool:
    return any(runs_natively(Architecture.parse(n), gpu) for n in sass if is_architecture(n))


@lru_cache(maxsize=4096)
def _has_ptx(ptx: tuple[str, ...], gpu: ComputeCapability) -> bool:
    return any(can_be_jitted(Architecture.parse(n), gpu) for n in ptx if is_architecture(n))


def _capability(sm: str) -> ComputeCapability:
    return ComputeCapability.parse(sm)


@cache
def _every(gpu: str) -> tuple[Build, ...]:
    """Published CUDA builds that serve a GPU, its cuDNN too."""
    return tuple(_with_code_for(ComputeCapability.parse(gpu)))


def _with_code_for(found: ComputeCapability) -> Iterator[Build]:
    for build in torch_releases.builds():
        if build.kind != "cuda" or not build.exists or not _has_code(build.sass, found):
            continue
        lowest = kb_cuda.cudnn_floor(build.cudnn) if build.cudnn else None
        if lowest is None or found >= ComputeCapability.parse(lowest):
            yield build


def _serving_here(scene: Scene, gpu: str) -> list[Build]:
    platform = scene.target.platform
    return [b for b in _every(gpu) if platform in (None, b.platform)]


def _installed_release(scene: Scene) -> str:
    torch = scene.sheet.facts.torch
    return ((torch.version if torch else None) or "").partition("+")[0]


def _torch_at_hand(scene: Scene) -> tuple[str, str]:
    """Release and CUDA of the torch that is there afterwards."""
    if scene.build is not None:
        return scene.build.torch, scene.build.cuda or ""
    torch = scene.sheet.facts.torch
    return _installed_release(scene), (torch.cuda if torch else None) or ""


_OF_TORCH = re.compile(r"(?:torch|pt)(\d)\.?(\d{1,2})", re.IGNORECASE)
_OF_CUDA = re.compile(r"cu(?:da)?(\d{2})\d{0,2}(?!\d)", re.IGNORECASE)


def _names_another_torch(scene: Scene, package: Package) -> bool:
    torch, cuda = _torch_at_hand(scene)
    tag = package.build or (package.version or "").partition("+")[2]
    named, of_cuda = _OF_TORCH.search(tag), _OF_CUDA.search(tag)
    if named is not None:
        other = (int(named[1]), int(named[2])) != numbers(torch)[:2]
        return other or (of_cuda is not None and int(of_cuda[1]) != (*numbers(cuda), 0)[0])
    belongs = kb_packages.torch_for(package.name, package.version or "")
    wanted = [r.partition("==")[2] for r in package.requires if r.startswith("torch==")]
    for release in (*wanted, *([belongs] if belongs else [])):
        if release[:1].isdigit():
            if numbers(release)[: release.count(".") + 1][:2] != numbers(torch)[:2]:
                return True
        elif not SpecifierSet(release).contains(torch):
            return True
    installed = scene.sheet.facts.torch
    had = numbers(_installed_release(scene))[:2], numbers((installed and installed.cuda) or "")[:1]
    return not belongs and had != (numbers(torch)[:2], numbers(cuda)[:1])


def _errors(scene: Scene) -> list[Finding]:
    return [f for f in scene.findings if f.severity is Severity.ERROR]


def _warnings(scene: Scene) -> list[Finding]:
    return [f for f in scene.findings if f.severity is Severity.WARNING]


def _torch_stays(scene: Scene) -> bool:
    return not any(re.match(r"torch([=<>~!\[]|$)", wanted) for wanted in scene.packages)


def _objects(scene: Scene, named: dict[str, object], **other: object) -> bool:
    target = replace(scene.target, pins=(), **other)
    return bool(objections(_offer(target, _kind(target), named), target))


def _wants(scene: Scene, package: Package, demand: str) -> bool:
    torch, _ = _torch_at_hand(scene)
    return not SpecifierSet(demand).contains(torch, prereleases=True)


def _fits(scene: Scene, package: Package, release: str) -> bool:
    belongs = kb_packages.torch_for(package.name, release)
    torch, _ = _torch_at_hand(scene)
    if belongs is None:
        return kb_packages.release_for(package.name, torch) == release
    if not belongs[:1].isdigit():
        return SpecifierSet(belongs).contains(torch, prereleases=True)
    return numbers(torch)[: belongs.count(".") + 1] == numbers(belongs)


def _confirmed(scene: Scene, unseen: Build, **_: object) -> bool:
    return not unseen.exists and numbers(unseen.torch) > numbers(scene.torch or "")


def _complete(scene: Scene, torch: str, **_: object) -> bool:
    newer = _newer(scene, torch, scene.target)
    gpus = scene.target.gpus
    own = scene.build
    return bool(newer) and own is not None and not gaps(own, gpus) and all(
        gaps(build, gpus) for build in newer
    )  # fmt: skip


def _official(scene: Scene, torch: str, **_: object) -> bool:
    newer = _newer(scene, torch, scene.target)
    return bool(newer) and all(build.off_matrix for build in newer)


def _for_python(scene: Scene, torch: str, **_: object) -> bool:
    free = replace(scene.target, python=None)
    return not _newer(scene, torch, scene.target) and bool(_newer(scene, torch, free))


def _serves_one(scene: Scene, package: Package) -> bool:
    lowest = kb_packages.serves_nothing_below(package.name, package.version)
    gpus = scene.target.gpus
    return lowest is None or not gpus or max(gpus) >= ComputeCapability.parse(lowest)


def _line_ended(scene: Scene, variant: str, last: str, newest: str) -> bool:
    kind = scene.build.kind if scene.build else "cuda"
    found = offers(kind, scene.target.platform or "")
    of_variant = max(o.order for o in found if o.build.variant == variant)
    return of_variant == numbers(last) < numbers(newest) == max(o.order for o in found)


def _off_matrix(scene: Scene, torch: str, variant: str) -> bool:
    build = _build({"torch": torch, "variant": variant}, scene.target)
    return build is not None and build.off_matrix


def _code_for(scene: Scene, gpus: list[str], **named: object) -> bool:
    build = _build(named, scene.target)
    return build is not None and all(_has_code(build.sass, _capability(sm)) for sm in gpus)


def _ptx_for(scene: Scene, gpus: list[str], **named: object) -> bool:
    build = _build(named, scene.target)
    return build is not None and all(
        _has_ptx(build.ptx, _capability(sm)) and not _has_code(build.sass, _capability(sm))
        for sm in gpus
    )


def _installed_serves(scene: Scene, kept: tuple[int, ...]) -> bool:
    torch = scene.sheet.facts.torch
    left = [scene.sheet.facts.gpus[position] for position in kept]
    if all(gpu.vendor == "amd" for gpu in left):
        found = _build(_named(torch.version or ""), scene.target)
        return found is not None and all(gpu.gfx in found.gfx for gpu in left)
    gpus = [capability(gpu) for gpu in left]
    return torch is not None and all(
        gpu is not None and (_has_code(torch.sass, gpu) or _has_ptx(torch.ptx, gpu)) for gpu in gpus
    )


def _is_served_whole(scene: Scene, **free: object) -> bool:
    """Whether one build serves all GPUs, masked ones too, under some driver."""
    gpus = tuple(replace(gpu, visible=True) for gpu in scene.sheet.facts.gpus)
    whole = FactSheet(replace(scene.sheet.facts, gpus=gpus))
    return bool(_running(replace(target_of(whole, scene.asked).without_driver(), **free), "cuda"))


def _no_common_build(scene: Scene) -> bool:
    return not _is_served_whole(scene, pins=(), python=None)


def _keeps_torch(scene: Scene, driver: str) -> bool:
    torch, target = scene.sheet.facts.torch, scene.target
    branch = kb_cuda.branch_of(numbers(driver)[0])
    reported = kb_cuda.cuda_of_branch(branch) if branch else None
    cuda = (torch.cuda if torch else None) or ""
    return starts(cuda, driver, reported, target.floor_os) is not False


def _lacks(scene: Scene, gpu: str) -> bool:
    torch = scene.sheet.facts.torch
    found = ComputeCapability.parse(gpu)
    return torch is not None and not (_has_code(torch.sass, found) or _has_ptx(torch.ptx, found))


def _other_release(scene: Scene, gpu: str, torch: str, cuda: str) -> bool:
    here = _serving_here(scene, gpu)
    own, installed = _installed_release(scene), scene.sheet.facts.torch.cuda
    named = any((build.torch, build.cuda) == (torch, cuda) for build in here)
    return named and not any(build.torch == own and build.cuda != installed for build in here)


def _shadowed(scene: Scene, torch: str) -> bool:
    """Another copy of torch lies behind the first, and its build has code for each GPU."""
    behind = scene.sheet.facts.torch.copies[1:]
    own = [p for p in scene.sheet.facts.packages if f"{p.location}/torch" in behind]
    return any(p.name == "torch" and p.version == torch for p in own) and _code_for(
        scene, [gpu.sm for gpu in scene.target.gpus], **_named(torch)
    )


def _named(torch: str) -> dict[str, object]:
    release, _, variant = torch.partition("+")
    return {"torch": release, "variant": variant}


def _no_driver(scene: Scene) -> bool:
    facts = scene.sheet.facts
    stacks = [s for s in (facts.amd, facts.intel) if s is not None and s.modules]
    bound = any(gpu.driver for gpu in facts.gpus if gpu.vendor in ("amd", "intel"))
    nvidia = facts.driver is not None and (facts.driver.version or facts.driver.cuda)
    return not nvidia and not (stacks and bound)


def _rocm_here(scene: Scene, gfx: str) -> list[Build]:
    """ROCm builds for the platform whose torch has code for a GPU and whose rocBLAS has too."""
    return [
        build
        for build in torch_releases.builds()
        if build.exists and build.platform == scene.target.platform
        if gfx in build.gfx and gfx not in kb_amd.blas_gap(build.variant)
    ]


def _none_for_vendor(scene: Scene) -> bool:
    cards = [gpu.gfx for gpu in scene.sheet.facts.gpus if gpu.vendor == "amd" and gpu.gfx]
    return all(not _rocm_here(scene, gfx) for gfx in cards)


def _built_by_amd(scene: Scene, gfx: str) -> str | None:
    return kb_amd.own_builds(gfx, scene.sheet.facts.host.os)


def _left_by_rocblas(scene: Scene, gfx: str, **named: object) -> bool:
    build = _build(named, scene.target)
    gaps_ = kb_amd.blas_gap(str(named["variant"]), reported=True)
    return build is not None and gfx in build.gfx and gfx in gaps_


def _older_than_served(scene: Scene, name: str) -> bool:
    """Intel graphics of that name are there, and no table of what builds serve has them."""
    there = any(gpu.name == name and gpu.integrated for gpu in scene.sheet.facts.gpus)
    return there and kb_intel.match(name) is None


def _inside(scene: Scene, gfx: str) -> bool:
    gpus = scene.sheet.facts.gpus
    inside = any(gpu.gfx == gfx and gpu.integrated for gpu in gpus)
    return inside and any(gpu.gfx and not gpu.integrated for gpu in gpus)


def _is_damaged(scene: Scene) -> bool:
    return any(entry.kind == "damaged" for entry in scene.sheet.unknown)


def _day_before(scene: Scene, wanted: str) -> bool:
    days = [
        re.search(r"dev(\d{4})(\d\d)(\d\d)", text)
        for text in (wanted, scene.sheet.facts.torch.version)
    ]
    found = [date(*map(int, day.groups())) for day in days if day is not None]
    return len(found) == 2 and (found[1] - found[0]).days == 1


def _another_gpu(scene: Scene, **named: object) -> bool:
    target = replace(scene.target, gpus=(), gfx=())
    reasons = objections(_offer(scene.target, _kind(scene.target), named), target)
    return not [reason for reason in reasons if reason.constraint not in ("code", "gfx")]


def _needs_driver(scene: Scene, driver: str, last: int | None) -> bool:
    """The build starts on that driver and not on one just below it."""
    cuda = scene.build.cuda or ""
    below = f"{numbers(driver)[0] - 1}.999"
    system = scene.target.floor_os
    if any(driver_knows(below, str(gpu)) == "too-old" for gpu in scene.target.gpus):
        return starts(cuda, driver, None, system) is True
    if last is not None and numbers(driver)[0] > last:
        return False
    return starts(cuda, driver, None, system) is True and starts(cuda, below, None, system) is False


def _lacks_library(scene: Scene, file: str, gpus: tuple[str, ...]) -> bool:
    found = [gap for gap in gaps(scene.build, scene.target.gpus) if gap.file == file]
    return bool(found) and set(gpus) == set(found[0].gpus)


def _no_ordinary(scene: Scene, gpu: str) -> bool:
    host = scene.sheet.facts.host
    return bool(host.jetson or host.l4t) and not _serving_here(scene, gpu)


def _is_indexed(scene: Scene) -> bool:
    return any("--index-url" in (step.posix or "") for step in scene.steps)


def _toolkit(scene: Scene, toolkit: str) -> bool:
    kit = kb_cuda.toolkit(toolkit)
    return kit is not None and all(gpu.sm in kit.sm for gpu in scene.target.gpus)


HOLDS: dict[str, Callable[..., bool]] = {
    "has-code": _code_for,
    "has-ptx": _ptx_for,
    "runs-on-driver": lambda s, cuda, driver: (
        driver == s.target.driver
        and starts(cuda, driver, s.target.driver_cuda, s.target.floor_os) is not False
    ),
    "same-release": lambda s, torch, variant: (
        _installed_release(s) == torch
        and (s.sheet.facts.torch.version or "") != f"{torch}+{variant}"
    ),
    "newest": lambda s, torch, **_: not _newer(s, torch, s.target),
    "complete": _complete,
    "official": _official,
    "for-python": _for_python,
    "confirmed": _confirmed,
    "line-ended": _line_ended,
    "off-matrix": _off_matrix,
    "demands-other-torch": _wants,
    "built-for-other-torch": _names_another_torch,
    "does-not-run": lambda s, package: any(package.name in repr(f) for f in s.findings),
    "fits": _fits,
    "to-be-rebuilt": lambda s, package: (
        kb_packages.has_source(package.name, package.version) and _serves_one(s, package)
    ),
    "serves-none-of-these": lambda s, package: not _serves_one(s, package),
    "none-fits": lambda s, package: (
        kb_packages.release_for(package.name, _torch_at_hand(s)[0]) in (None, package.version)
    ),
    "no-wheel-for-python": lambda s, package: (
        not kb_packages.has_wheel(*package.split(" "), s.target.python or "")
    ),
    "installed-serves": _installed_serves,
    "no-common-build": _no_common_build,
    "no-common-build-here": lambda s: not _no_common_build(s) and not _is_served_whole(s),
    "installed-torch-driver": _keeps_torch,
    "torch-stays": _torch_stays,
    "nothing-wrong": lambda s: not _errors(s) and not _warnings(s),
    "warnings-alone": lambda s: bool(_warnings(s)) and not _errors(s),
    "accepted-without-gpu": lambda s: not s.sheet.facts.gpus and not _errors(s),
    "unproved-gpu": lambda s: any(
        str(gpu) not in kb_gpus.all_capabilities() for gpu in s.target.gpus
    ),
    "shadowed": _shadowed,
    "no-way": lambda s: not _running(s.target, _kind(s.target)),
    "with-python": lambda s, python, **named: not _objects(s, named, python=python),
    "with-driver": lambda s, driver, **named: (
        not _objects(s, named, driver=driver, driver_cuda=None)
    ),
    "without-pin": lambda s, **named: not _objects(s, named),
    "slower-than-cpu": lambda s: not any(_serving_here(s, str(gpu)) for gpu in s.target.gpus),
    "from-source": _toolkit,
    "on-processor": lambda s: (
        not any(_serving_here(s, str(gpu)) for gpu in s.target.gpus if s.sheet.facts.gpus)
    ),
    "on-apple": lambda s, torch, macos: (
        s.sheet.facts.host.os == "macos" and macos in (None, s.target.macos)
    ),
    "serves-vendor": lambda s, torch: any(
        gpu.vendor in ("amd", "intel") for gpu in s.sheet.facts.gpus
    ),
    "gpus-elsewhere": lambda s: not s.sheet.facts.gpus,
    "lacks-code": _lacks,
    "same-release-serves": lambda s, gpu, torch, cuda: (
        _installed_release(s) == torch
        and s.sheet.facts.torch.cuda != cuda
        and any((build.torch, build.cuda) == (torch, cuda) for build in _serving_here(s, gpu))
    ),
    "other-release-serves": _other_release,
    "served-elsewhere": lambda s, gpu: not _serving_here(s, gpu) and any(_every(gpu)),
    "served-by-none": lambda s, gpu: not any(_every(gpu)),
    "left-behind": lambda s, gpu, torch: not any(b.torch == torch for b in _serving_here(s, gpu)),
    "no-driver": _no_driver,
    "other-driver": lambda s: not s.sheet.facts.driver,
    "nvidia-driver": lambda s, version: s.sheet.facts.driver.version == version,
    "fact-unknown": lambda s, path: s.sheet.why_unknown(path) is not None,
    "no-step": lambda s: bool(_errors(s)) and not s.steps,
    "none-for-vendor": _none_for_vendor,
    "damaged": _is_damaged,
    "earlier-nightly": _day_before,
    "in-jetpack-index": _no_ordinary,
    "jetpack-wheel": lambda s, wheel: wheel in s.packages and not _is_indexed(s),
    "in-amd-index-alone": lambda s, gfx: (
        not any(_rocm_here(s, name) or not _built_by_amd(s, name) for name in gfx)
    ),
    "in-amd-index-too": lambda s, gfx: all(
        _rocm_here(s, name) and _built_by_amd(s, name) for name in gfx
    ),
    "untested-by-amd": lambda s, gfx: {_built_by_amd(s, name) for name in gfx} == {"untested"},
    "inside-the-processor": _inside,
    "older-than-served": _older_than_served,
    "left-by-rocblas": _left_by_rocblas,
    "in-wsl": lambda s: s.sheet.facts.host.wsl is True,
    "with-glibc": lambda s, glibc, **named: not _objects(s, named, glibc=glibc, libc="glibc"),
    "with-macos": lambda s, macos, **named: not _objects(s, named, macos=macos),
    "outside-wsl": lambda s: s.sheet.facts.host.wsl is True and bool(s.target.gfx),
    "another-gpu": _another_gpu,
    "on-linux": lambda s, torch, variant: any(
        (b.torch, b.variant, b.platform) == (torch, variant, "linux_x86_64")
        and all(gfx in b.gfx for gfx in s.target.gfx)
        for b in torch_releases.builds()
    ),
    "library-stays": lambda s: any(p.name.startswith("nvidia-") for p in s.sheet.facts.packages),
    "tool-owns": lambda s, tool: tool != "pip" and any(tool in (st.posix or "") for st in s.steps),
    "processor-unknown": lambda s: s.sheet.facts.host.arch is None,
    "python-unknown": lambda s: not (s.sheet.facts.python and s.sheet.facts.python.version),
    "needs-driver": _needs_driver,
    "for-older-driver": lambda s, driver: (
        starts(s.build.cuda or "", driver, None, s.target.floor_os) is True
    ),
    "lacks-library": _lacks_library,
    "managed-python": lambda s: s.sheet.facts.python.externally_managed is True,
    "ready-image": lambda s: any("PIP_CONSTRAINT" in (step.posix or "") for step in s.steps),
}
"""Of each kind, whether what is named holds there."""

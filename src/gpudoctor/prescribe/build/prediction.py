"""The facts as they will be after a prescription: the rules judge them before it is shown.

A prediction changes only what the steps change. Facts about the new wheels come from the
knowledge base; what cannot be known before (the exact NVIDIA libraries that an installer picks)
is left out, as an environment in good order would have it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache

from gpudoctor.kb.software import cuda as kb_cuda
from gpudoctor.kb.software import packages as kb_packages
from gpudoctor.kb.software import torch_releases
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Driver, Facts, Gpu, KernelModule, Package, Python, Torch
from gpudoctor.model.identity import Identical
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.version import numbers
from gpudoctor.model.value import replace
from gpudoctor.prescribe.build.companion_changes import Along
from gpudoctor.prescribe.driver.branches import DriverPlan, knows
from gpudoctor.prescribe.request.target import capability

_BUILT_IN_TORCH = ("torch", "torchvision", "torchaudio", "triton")
_FILE_OF_TORCH = late_pattern(r"libraries\[(?:.*[/\\])?torch[/\\]", re.ASCII)


def with_build(sheet: FactSheet, build: Build, along: Along) -> FactSheet:
    """The sheet after `build` and what comes along with it are installed."""
    facts = sheet.facts
    label = f"{build.torch}+{build.variant}" if build.kind != "cpu" else f"{build.torch}+cpu"
    triton = torch_releases.companions(build.torch).get("triton")
    row = kb_packages.triton(triton) if triton else None
    torch = Torch(
        version=label,
        cuda=build.cuda if build.kind == "cuda" else None,
        hip=build.variant.removeprefix("rocm") if build.kind == "rocm" else None,
        xpu=build.variant if build.kind == "xpu" else None,
        sass=build.sass,
        ptx=build.ptx,
        arch_source="knowledge",
        path=facts.torch.path if facts.torch else None,
        distribution_version=f"{build.torch}+{build.local}" if build.local else build.torch,
        cudnn=build.cudnn,
        nccl=build.nccl,
        copies=facts.torch.copies[:1] if facts.torch else (),
        ptxas_version=row.ptxas_cuda if row else None,
    )
    changed = {**along.versions, "torch": label, **({"triton": triton} if triton else {})}
    broken = {entry.package.name: entry.fitting for entry in along.broken}
    packages = _packages(facts, changed, broken, along.removals)
    gone = {*_BUILT_IN_TORCH, *along.removals, *broken, "pytorch-triton"}
    libraries = tuple(
        library
        for library in facts.libraries
        if library.distribution not in gone
        and not _is_nvidia(library.distribution)
        and not _belongs_to_torch(library.path)
    )
    return FactSheet(
        replace(facts, torch=torch, packages=packages, libraries=libraries),
        _but_files_of_torch(Identical(_without(sheet.unknown, "torch"))),
        sheet.sources,
    )


def with_vendor_torch(sheet: FactSheet, torch: Torch) -> FactSheet:
    """The sheet after torch came from an index of the GPU's vendor."""
    facts = replace(sheet.facts, torch=torch, libraries=())
    return FactSheet(facts, _without(sheet.unknown, "torch", "libraries"), sheet.sources)


def with_repair(sheet: FactSheet, along: Along, exact: Collection[str]) -> FactSheet:
    """The sheet after what is beside torch was put right, and torch itself stayed."""
    facts = sheet.facts
    pinned = dict(requirement.split("==", 1) for requirement in exact)
    changed = {**along.versions, **pinned}
    broken = {entry.package.name: entry.fitting for entry in along.broken}
    packages = []
    for package in facts.packages:
        removed = package.name in along.removals and package.name not in changed
        if removed or broken.get(package.name, "") is None:
            continue
        version = broken.get(package.name) or changed.get(package.name)
        packages.append(Package(name=package.name, version=version) if version else package)
    have = {package.name for package in packages}
    packages += [Package(name=n, version=v) for n, v in pinned.items() if n not in have]
    torch = facts.torch
    if torch is not None:
        requires = tuple(
            replace(entry, installed=pinned.get(entry.name, entry.installed))
            for entry in torch.requires
        )
        torch = replace(torch, requires=requires)
    gone = {*along.removals, *broken, *along.versions}
    libraries = tuple(library for library in facts.libraries if library.distribution not in gone)
    return FactSheet(
        replace(facts, torch=torch, packages=tuple(packages), libraries=libraries),
        sheet.unknown,
        sheet.sources,
    )


def with_driver(sheet: FactSheet, plan: DriverPlan) -> FactSheet:
    """The sheet after a driver is installed and the machine restarted."""
    facts = sheet.facts
    driver = Driver(
        version=plan.version,
        cuda=kb_cuda.cuda_of_branch(plan.branch),
        source="prediction",
        libcuda_path="libcuda.so.1",
        libcuda_kind="driver",
        libcuda_version=plan.version,
        cu_init=0,
    )
    old = facts.kernel_module
    flavour = old.flavour if old else None
    if plan.flavour == "open":
        flavour = "open"
    elif plan.flavour == "proprietary":
        flavour = "proprietary"
    module = KernelModule(
        loaded=True,
        version=plan.version,
        flavour=flavour,
        built_for_kernel=True,
        nouveau_loaded=False,
        packages_installed=True,
        device_nodes=old.device_nodes if old else (),
        uvm_loaded=True,
    )
    native = facts.host is not None and facts.host.os == "linux" and not facts.host.wsl
    gpus = tuple(
        # What the new driver does not know, CUDA will not list.
        replace(gpu, cuda_index=None)
        if _is_unknown_to(plan.version, gpu, flavour if native else None)
        else gpu
        for gpu in facts.gpus
    )
    return FactSheet(
        replace(facts, driver=driver, gpus=gpus, kernel_module=module if native else old),
        _without(sheet.unknown, "driver", *(("kernel_module",) if native else ())),
        sheet.sources,
    )


def _is_unknown_to(driver: str, gpu: Gpu, flavour: str | None) -> bool:
    """Whether a driver's branch or the flavour of its module leaves a GPU out."""
    found = capability(gpu) if gpu.vendor == "nvidia" else None
    if found is None:
        return False
    needed = kb_cuda.module_flavour(str(found))
    wrong = flavour is not None and needed not in (None, "either", flavour)
    return wrong or knows(driver, found) is False


def with_mask(sheet: FactSheet, visible: Collection[int]) -> FactSheet:
    """The sheet with all GPUs masked but those at the positions `visible`."""
    facts = sheet.facts
    order = 0
    gpus = []
    for position, gpu in enumerate(facts.gpus):
        shown = position in visible
        # A GPU that CUDA does not list now is not listed because others are hidden.
        listed = shown and gpu.cuda_index is not None
        gpus.append(replace(gpu, visible=shown, cuda_index=order if listed else None))
        order += listed
    named = [facts.gpus[p].uuid or str(facts.gpus[p].index) for p in sorted(visible)]
    environment = {
        **facts.environment,
        "CUDA_VISIBLE_DEVICES": ",".join(named),
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
    }
    return FactSheet(
        replace(facts, gpus=tuple(gpus), environment=environment),
        _with_listing(Identical(sheet.unknown)) if sheet.unknown else (),
        sheet.sources,
    )


def with_python(sheet: FactSheet, version: str) -> FactSheet:
    """The sheet of a new, empty environment with another Python (`3.12`, `3.13t`)."""
    bare = version.removesuffix("t")
    python = replace(
        sheet.facts.python or Python(),
        version=f"{bare}.0",
        tag="cp" + version.replace(".", ""),
        implementation="cpython",
        bits=64,
        environment="venv",
        executable=None,
        prefix=None,
        externally_managed=False,
        conda_base=False,
        writable=True,
        lock_owner=None,
        lock_file=None,
        has_pip=True,
    )
    facts = replace(sheet.facts, python=python, torch=None, packages=(), libraries=())
    return FactSheet(
        facts, _without(sheet.unknown, "python", "torch", "packages", "libraries"), sheet.sources
    )


def without_gpus(sheet: FactSheet) -> FactSheet:
    """The sheet as programs on the processor see it."""
    return FactSheet(
        replace(sheet.facts, gpus=(), driver=None), _without(sheet.unknown, "gpus"), sheet.sources
    )


def without_packages(sheet: FactSheet, names: Collection[str]) -> FactSheet:
    """The sheet after packages were removed."""
    facts = sheet.facts
    return FactSheet(
        replace(
            facts,
            packages=tuple(p for p in facts.packages if p.name not in names),
            libraries=tuple(x for x in facts.libraries if x.distribution not in names),
        ),
        sheet.unknown,
        sheet.sources,
    )


def _packages(
    facts: Facts,
    changed: Mapping[str, str],
    broken: Mapping[str, str | None],
    removals: Collection[str],
) -> tuple[Package, ...]:
    """The distributions afterwards; a broken extension is there in the release that fits."""
    result = []
    seen = set()
    for package in facts.packages:
        removed = package.name in removals and package.name not in changed
        if removed or package.name in seen or _is_nvidia(package.name):
            continue
        if package.name in changed:
            seen.add(package.name)
            result.append(Package(name=package.name, version=changed[package.name]))
        elif package.name in broken:
            fitting = broken[package.name]
            if fitting is not None:
                result.append(Package(name=package.name, version=fitting))
        else:
            result.append(package)
    if "torch" not in seen:
        result.append(Package(name="torch", version=changed["torch"]))
    return tuple(result)


def _is_nvidia(distribution: str | None) -> bool:
    """Whether it is a library of NVIDIA's that an installer brings in the right version."""
    return bool(distribution) and kb_packages.library_of(distribution or "") is not None


def _belongs_to_torch(path: str) -> bool:
    normal = path.replace("\\", "/")
    return any(normal.startswith((f"{name}/", f"{name}.libs/")) for name in _BUILT_IN_TORCH)


@lru_cache(maxsize=256)
def _but_files_of_torch(unknown: Identical[tuple[Unknown, ...]]) -> tuple[Unknown, ...]:
    """The unknown facts but those about files that an installer of torch lays down anew."""
    return tuple(entry for entry in unknown.value if not _FILE_OF_TORCH.match(entry.fact))


def _without(unknown: tuple[Unknown, ...], *roots: str) -> tuple[Unknown, ...]:
    """The unknown facts but those at or below `roots`, which are fields of the facts."""
    return _but(Identical(unknown), roots) if unknown else ()


@lru_cache(maxsize=256)
def _but(unknown: Identical[tuple[Unknown, ...]], roots: tuple[str, ...]) -> tuple[Unknown, ...]:
    return tuple(
        entry
        for entry in unknown.value
        # The first test alone is right but for fields that begin alike; it spares the second.
        if not entry.fact.startswith(roots)
        or entry.fact.partition(".")[0].partition("[")[0] not in roots
    )


@lru_cache(maxsize=64)
def _with_listing(unknown: Identical[tuple[Unknown, ...]]) -> tuple[Unknown, ...]:
    """The unknown facts but which GPUs are visible and how CUDA counts them."""
    return tuple(
        entry
        for entry in unknown.value
        if not (entry.fact.startswith("gpus[") and entry.fact.endswith((".visible", ".cuda_index")))
    )


def is_newer(version: str, other: str) -> bool:
    """Whether a release is newer than another."""
    return numbers(version) > numbers(other)

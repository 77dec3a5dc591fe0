"""Every (GPU, driver, CUDA, system, module flavour) of the tables, asked of each who answers.

The room that knows (`compat`) says what runs; the rules, the solver and the reading of a text must
say the same of the machine as a whole, whatever else is wrong with it at the same time.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gpudoctor.compat import builds, driver
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.kb.hardware import nvidia_gpus as gpus
from gpudoctor.kb.software import cuda, torch_releases
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.facts import Host
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import replace
from gpudoctor.prescribe.build.candidates import Offer, objections
from gpudoctor.prescribe.driver.branches import knows
from gpudoctor.prescribe.request.target import target_of
from gpudoctor.rules.engine.all_rules import rules
from gpudoctor.rules.engine.engine import judge_with, prepare
from gpudoctor.triage.judge import diagnose
from gpudoctor.triage.text.clean import clean
from gpudoctor.triage.text.cleaned_text import fold
from unit.rules.make import driver as driver_facts
from unit.rules.make import gpu, machine, module, on_pci, torch

pytestmark = pytest.mark.slow

SAID_OF_DRIVERS = {"gpu-needs-other-driver-branch", "driver-too-old", "open-kernel-module-required"}
SAID_OF_CODE = {
    "torch-lacks-arch-new-gpu",
    "torch-dropped-arch-old-gpu",
    "ptx-unsupported-toolchain",
}
JUDGES = prepare(rule for rule in rules() if rule.name in SAID_OF_DRIVERS | SAID_OF_CODE)

DRIVERS = (*(f"{branch.number}.10" for branch in cuda.branches()), "580.65.05", "580.65.06")
SYSTEMS = (
    ("linux", False, "open"),
    ("linux", False, "proprietary"),
    ("linux", True, None),
    ("windows", False, None),
)


def one_of_each() -> tuple[gpus.GpuModel, ...]:
    """A model for each capability, and each that has a first driver of its own on Linux."""
    found = {}
    for model in gpus.models():
        row = gpus.capability_row(model.capability)
        if row is not None and not row.tegra:
            first = driver.first_driver_of(model.name, model.capability)
            found.setdefault((model.capability, str(first)), model)
    return tuple(found.values())


def published() -> tuple[Build, ...]:
    """A build for each CUDA and each list of architectures."""
    found = {}
    for build in torch_releases.builds():
        if build.kind == "cuda" and build.platform == "linux_x86_64":
            found.setdefault((build.cuda, build.sass, build.ptx), build)
    return tuple(found.values())


MODELS, BUILDS = one_of_each(), published()
PRINTED = tuple(model for model in MODELS if "(" not in model.name)
"""A name with a chip in brackets is the table's own: no driver prints it."""


def host(os: str, *, wsl: bool) -> Host:
    return Host(os="windows" if os == "windows" else "linux", arch="x86_64", wsl=wsl)


def sheet_of(
    model: gpus.GpuModel, version: str, build: Build, system: tuple[str, bool, str | None]
) -> FactSheet:
    """The machine; a GPU that the driver or its module does not serve is on the bus alone."""
    os, wsl, flavour = system
    listed = sees(model, version, system)
    name = f"NVIDIA {model.name}"
    card = gpu(name, model.capability) if listed else on_pci(name, model.capability)
    return machine(
        unknown={"driver.cuda": "not reported"},
        host=host(os, wsl=wsl),
        gpus=(replace(card, driver="nvidia"),),
        driver=driver_facts(version, None, cu_init=0 if listed else 100),
        kernel_module=module(version, flavour=flavour) if flavour else None,
        torch=torch(build.torch, build.cuda, sass=build.sass, ptx=build.ptx),
    )


def sees(model: gpus.GpuModel, version: str, system: tuple[str, bool, str | None]) -> bool:
    """Whether the driver and its module serve the GPU."""
    os, wsl, flavour = system
    named = model.name if (os, wsl) == ("linux", False) else None
    return driver.knows(version, model.capability, named) in (None, "yes") and (
        flavour is None or driver.module_serves(flavour, model.capability) is not False
    )


def by_compat(
    model: gpus.GpuModel, version: str, build: Build, system: tuple[str, bool, str | None]
) -> tuple[bool, bool]:
    """Whether the driver serves GPU and CUDA, and whether the build has code for the GPU there."""
    os, wsl, _ = system
    named = driver.driver_os(os, wsl=wsl)
    assert named is not None
    starts = driver.starts(build.cuda or "", version, None, named) is not False
    serves = starts and sees(model, version, system)
    cc = ComputeCapability.parse(model.capability)
    newest = driver.newest_cuda_of(version, None)
    compiles = newest is None or driver.compiles_ptx_of(newest, build.cuda or "")
    codes = (*build.sass, *build.ptx)
    return serves, builds.native(codes, cc) or (builds.jittable(codes, cc) and compiles)


def machines(model: gpus.GpuModel) -> Iterator[tuple[str, Build, tuple[str, bool, str | None]]]:
    for version in DRIVERS:
        for build in BUILDS:
            for system in SYSTEMS:
                yield version, build, system


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_rules_and_the_solver_say_what_compat_says(model: gpus.GpuModel) -> None:
    cc = ComputeCapability.parse(model.capability)
    offers = {id(build): Offer(build) for build in BUILDS}
    for version, build, system in machines(model):
        serves, has_code = by_compat(model, version, build, system)
        sheet = sheet_of(model, version, build, system)
        found = {each.name for each in judge_with(sheet, JUDGES).findings}
        case = version, build.torch, build.variant, system
        assert bool(found) is not (serves and has_code), (case, found)
        if system[0] == "linux":
            against = {each.constraint for each in objections(offers[id(build)], target_of(sheet))}
            assert ("code" in against) is not has_code, (case, against)
            if "driver" in against or knows(version, cc) is False:
                assert not serves, (case, against)


@pytest.mark.parametrize("model", PRINTED, ids=lambda model: model.name)
def test_a_text_that_states_the_machine_is_judged_like_the_machine(model: gpus.GpuModel) -> None:
    system = ("linux", False, None)
    for place, version in enumerate(DRIVERS):
        build = BUILDS[(place + PRINTED.index(model)) % len(BUILDS)]
        text = (
            f"PyTorch version: {build.torch}+{build.variant}\n"
            f"CUDA used to build PyTorch: {build.cuda}\n"
            "OS: Ubuntu 22.04.4 LTS (x86_64)\n"
            f"GPU models and configuration: GPU 0: NVIDIA {model.name}\n"
            f"Nvidia driver version: {version}\n"
        )
        found = {each.name for each in diagnose(fold(clean(text))).findings}
        expected = by_compat(model, version, build, system)
        said = bool(found & (SAID_OF_DRIVERS | SAID_OF_CODE))
        assert said is not all(expected), (version, build.torch, build.variant, found)

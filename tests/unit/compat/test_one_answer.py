"""Rules, solver, triage and the kernels' proof give one answer to what runs on what.

Every compute capability, driver branch, CUDA, operating system and module flavour of the tables
is gone through; the answers come from the functions and rules that each of them uses.
"""

from __future__ import annotations

import pytest

from gpudoctor.compat import driver
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.kb.hardware import nvidia_gpus as gpus
from gpudoctor.kb.software import cuda, torch_releases
from gpudoctor.model.facts import Host
from gpudoctor.model.sheet import FactSheet
from gpudoctor.prescribe.build.candidates import Offer, driver_serves
from gpudoctor.prescribe.driver.branches import knows
from gpudoctor.prescribe.request.target import Target, target_of
from gpudoctor.rules.engine.all_rules import rules
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.engine import judge_with, prepare
from gpudoctor.smoke.causes import lacking_architecture
from gpudoctor.triage.code_for_gpus import judge_codes
from unit.rules.make import driver as driver_facts
from unit.rules.make import facts, gpu, machine, module, on_pci, torch

DESKTOP = tuple(
    name
    for name in gpus.all_capabilities()
    if (row := gpus.capability_row(name)) is not None and not row.tegra
)
BRANCHES = tuple(branch.number for branch in cuda.branches())
DRIVERS = (*(f"{number}.10" for number in BRANCHES), "580.65.05", "580.65.06", "525.60.12")
CUDAS = tuple(kit.version for kit in cuda.toolkits())
SYSTEMS = (("linux", False), ("linux", True), ("windows", False))
BUILDS = tuple({(b.sass, b.ptx): b for b in torch_releases.builds() if b.kind == "cuda"}.values())


def names(sheet: FactSheet, rule: str) -> set[str]:
    """What one rule finds, without the others."""
    chosen = prepare(entry for entry in rules() if entry.name == rule)
    return {found.name for found in judge_with(sheet, chosen).findings}


@pytest.mark.parametrize("capability", DESKTOP)
def test_whether_a_driver_knows_a_gpu(capability: str) -> None:
    cc = ComputeCapability.parse(capability)
    for version in DRIVERS:
        answer = driver.knows(version, capability)
        assert knows(version, cc) is (None if answer is None else answer == "yes")
        sheet = machine(
            gpus=(on_pci("some GPU", capability),),
            driver=driver_facts(version, None, cu_init=100),
            kernel_module=module(version),
            torch=torch(),
        )
        left_out = "gpu-needs-other-driver-branch" in names(sheet, "gpu-needs-other-driver-branch")
        judged = not Case(sheet).is_spare(Case(sheet).nvidia[0])
        if judged and driver_matters(cc):
            assert left_out is (answer in ("too-new", "too-old")), version


def driver_matters(cc: ComputeCapability) -> bool:
    """Not for a GPU that is older than every build: no driver would help it."""
    from gpudoctor.rules.engine.knowledge_queries import is_older_than_all

    return not is_older_than_all(cc)


@pytest.mark.parametrize(("os", "wsl"), SYSTEMS)
@pytest.mark.parametrize("version", DRIVERS)
def test_whether_a_driver_starts_programs_of_a_cuda(version: str, os: str, *, wsl: bool) -> None:
    system = driver.driver_os(os, wsl=wsl)
    assert system is not None
    for toolkit in CUDAS:
        answer = driver.starts(toolkit, version, None, system)
        numbers = tuple(int(part) for part in toolkit.split("."))
        target = Target(driver=version, os=os, wsl=wsl)
        assert driver_serves(numbers, target) is (answer is not False)
        sheet = machine(
            unknown={"driver.cuda": "not reported"},
            host=Host(os="windows" if os == "windows" else "linux", arch="x86_64", wsl=wsl),
            gpus=(gpu("NVIDIA A100-SXM4-80GB", "8.0"),),
            driver=driver_facts(version, None),
            torch=torch("2.9.1", toolkit),
        )
        assert bool(names(sheet, "driver-too-old")) is (answer is False), toolkit


@pytest.mark.parametrize("flavour", ["open", "proprietary"])
def test_which_flavour_of_the_kernel_module_serves_a_gpu(flavour: driver.Flavour) -> None:
    for capability in DESKTOP:
        answer = driver.module_serves(flavour, capability)
        sheet = machine(
            gpus=(on_pci("some GPU", capability, driver="nvidia"),),
            driver=driver_facts(cu_init=100),
            kernel_module=module(flavour=flavour),
        )
        found = "open-kernel-module-required" in names(sheet, "open-kernel-module-required")
        assert found is (answer is False), capability


@pytest.mark.parametrize("build", BUILDS, ids=lambda b: f"{b.torch}+{b.variant} {b.platform}")
def test_whether_a_build_has_code_for_a_gpu(build: torch_releases.Build) -> None:
    for capability in gpus.all_capabilities():
        cc = ComputeCapability.parse(capability)
        in_text = judge_codes(build.sass, build.ptx, cc)
        worker = {"architectures": (*build.sass, *build.ptx)}
        proved = lacking_architecture(worker, {"capability": capability})
        by_solver = Offer(build).coverage(cc)
        sheet = FactSheet(facts(gpus=(gpu("some GPU", capability),), torch=torch(
            build.torch, build.cuda, sass=build.sass, ptx=build.ptx
        )))  # fmt: skip
        by_rules = names(sheet, "torch-lacks-arch-new-gpu") | names(
            sheet, "torch-dropped-arch-old-gpu"
        )
        if by_solver == "native":
            assert in_text == "covers"
        if in_text == "covers":
            assert proved is None
            assert by_rules == set()
        if proved is not None:
            assert by_solver == "none"
            side = "lacks-new" if proved == "torch-lacks-arch-new-gpu" else "lacks-old"
            assert in_text == side
            if not cc.is_tegra:
                assert by_rules == {proved}


@pytest.mark.parametrize("os", ["linux", "windows", "macos", None])
@pytest.mark.parametrize("arch", ["x86_64", "AMD64", "aarch64", "arm64", "ARM64", "i686", None])
def test_the_platform_of_a_host(os: str | None, arch: str | None) -> None:
    host = Host(os=os, arch=arch)
    known = Case(machine(host=host, gpus=())).platform
    chosen = target_of(machine(host=host, gpus=())).platform
    assert known in (chosen, None)
    if arch is not None:
        assert known == chosen

"""Which driver to reach, and how on each system."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.model.facts import Host, KernelModule
from gpudoctor.model.sheet import FactSheet
from gpudoctor.prescribe import PlanRequest
from gpudoctor.prescribe.driver.branches import DriverPlan, NoDriver, driver_for, knows
from gpudoctor.prescribe.driver.driver_steps import driver_steps
from gpudoctor.prescribe.known_steps import driver_families
from gpudoctor.prescribe.plan import plan as planned
from unit.prescribe.sheets import cure, line, sheet


def gpus(*names):
    return tuple(ComputeCapability.parse(name) for name in names)


def test_pascal_ends_with_driver_580_and_the_proprietary_module():
    plan = driver_for(gpus("6.1"))
    assert isinstance(plan, DriverPlan)
    assert (plan.branch, plan.last, plan.flavour) == (580, True, "proprietary")


def test_kepler_ends_with_driver_470():
    plan = driver_for(gpus("3.7"))
    assert isinstance(plan, DriverPlan)
    assert plan.branch == 470


def test_blackwell_needs_the_open_module():
    plan = driver_for(gpus("12.0"), cuda_major=13)
    assert isinstance(plan, DriverPlan)
    assert (plan.branch, plan.last, plan.flavour) == (580, False, "open")


def test_pascal_beside_blackwell_has_no_module_on_linux_and_a_driver_on_windows():
    assert isinstance(driver_for(gpus("6.1", "12.0")), NoDriver)
    assert isinstance(driver_for(gpus("6.1", "12.0"), linux=False), DriverPlan)


def test_kepler_beside_ada_has_no_common_driver():
    found = driver_for(gpus("3.7", "8.9"))
    assert isinstance(found, NoDriver)
    assert "470" in found.why


def test_kepler_cannot_reach_cuda_13():
    assert isinstance(driver_for(gpus("3.7"), cuda_major=13), NoDriver)


@pytest.mark.parametrize(
    ("driver", "gpu", "expected"),
    [("580.95.05", "6.1", True), ("595.58.03", "6.1", False), ("550.54.15", "12.0", False),
     ("572.61", "12.0", True), ("999.1", "12.0", None)],
)  # fmt: skip
def test_a_driver_knows_the_gpus_of_its_time(driver, gpu, expected):
    assert knows(driver, ComputeCapability.parse(gpu)) is expected


@pytest.mark.parametrize(
    ("distribution", "words"),
    [
        ("ubuntu", "apt install nvidia-driver-580-open"),
        ("debian", "apt install nvidia-driver-pinning-580"),
        ("fedora", "dnf install --allowerasing nvidia-open"),
        ("rhel", "dnf module enable nvidia-driver:580-open"),
        ("arch", "pacman -Syu nvidia-open"),
        ("opensuse-leap", "zypper install nvidia-open"),
        ("slackware", "--kernel-module-type=open"),
    ],
)
def test_each_distribution_has_its_steps_and_a_restart(distribution, words):
    plan = driver_for(gpus("12.0"), cuda_major=13)
    steps = driver_steps(plan, Host(os="linux", distribution_id=distribution))
    assert words in str(steps[0].posix)
    assert steps[-1].kind == "reboot"
    assert all(not step.argv for step in steps), "drivers are never installed by gpudoctor"


def test_a_pascal_on_arch_gets_the_branch_of_the_aur():
    steps = driver_steps(driver_for(gpus("6.1")), Host(os="linux", distribution_id="arch"))
    assert "nvidia-580xx-utils" in str(steps[0].posix)


@pytest.mark.parametrize(
    ("host", "words"),
    [
        (Host(os="windows"), "www.nvidia.com/drivers"),
        (Host(os="linux", wsl=True, distribution_id="ubuntu"), "wsl --shutdown"),
        (Host(os="linux", container="docker", distribution_id="ubuntu"), "on the host"),
        (Host(os="linux", jetson="NVIDIA Jetson AGX Orin"), "JetPack"),
    ],
)
def test_where_no_command_helps_a_sentence_says_what_to_do(host, words):
    (step,) = driver_steps(driver_for(gpus("12.0"), cuda_major=13), host)
    assert words in step.text
    assert step.posix is None


def test_where_newer_branches_left_the_gpu_behind_exactly_one_is_named():
    (step,) = driver_steps(driver_for(gpus("6.1")), Host(os="windows"))
    assert "newer branches no longer know it" in step.text


def test_every_text_of_the_table_takes_the_branch():
    for family in driver_families():
        for text in (*family.open, *family.proprietary, family.text, family.note):
            assert "{" not in (text or "").format(branch=580)


def test_without_a_driver_the_driver_comes_first_and_then_the_wheel():
    found = cure(sheet("RTX 5060 Ti", driver=None, torch="2.6.0+cu124"))
    kinds = [step.kind for step in found.steps]
    assert kinds[0] == "driver"
    assert "nvidia-driver-580-open" in line(found)


def test_a_driver_that_left_the_gpu_behind_is_changed_before_anything_else():
    found = cure(sheet("GTX 1080", driver="595.58.03", torch="2.14.1+cu126"))
    assert found.status == "resolved"
    assert found.steps[0].kind == "driver"
    assert "nvidia-driver-580" in line(found)
    assert "-open" not in line(found)
    assert found.torch is None, "the installed torch serves it once the driver does"


def test_the_wrong_module_flavour_is_changed():
    machine = sheet("RTX 5090", torch="2.11.0+cu128", driver="570.172.08")
    card = replace(machine.facts.gpus[0], uuid=None, memory_bytes=None, cuda_index=None)
    facts = replace(machine.facts, gpus=(card,))
    module = KernelModule(loaded=True, version="570.172.08", flavour="proprietary")
    found = cure(FactSheet(replace(facts, kernel_module=module)))
    assert found.steps[0].kind == "driver"
    assert "-open" in line(found)


@pytest.mark.parametrize("driver", ["580.65.05", "580.12"])
def test_a_driver_of_the_floors_branch_but_below_the_floor_is_too_old(driver):
    answer = cure(sheet("A100", driver=driver, cuda="13.0"))
    assert answer.variant not in ("cu130", "cu132")
    assert any("580.65.06" in way.why for way in answer.alternatives)


def test_a_bare_branch_stands_for_a_driver_that_is_new_enough():
    _, found = planned(PlanRequest(gpus=("A100",), driver="580", python="3.12"))
    assert found.variant == "cu132"


def test_a_model_that_came_late_in_its_branch_is_said_with_the_driver_that_knows_it():
    found = driver_for((ComputeCapability(12, 0),), names=("GeForce RTX 5060 Ti",))
    assert found.branch > 575 or found.at_least is not None


def test_a_driver_is_no_alternative_where_the_present_one_serves_the_same_build():
    answer = cure(sheet("K80", driver="470.256.02", torch="2.6.0+cu124"))
    assert (answer.torch, answer.variant) == ("2.3.1", "cu118")
    assert not [step for way in answer.alternatives for step in way.steps if step.kind == "driver"]

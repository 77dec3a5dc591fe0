"""Containers: a ready image's pins, and a driver that is the host's."""

from __future__ import annotations

from dataclasses import replace

from gpudoctor.model.facts import Host, KernelModule
from gpudoctor.model.sheet import FactSheet
from unit.prescribe.sheets import cure, line, sheet

IMAGE = Host(
    os="linux", arch="x86_64", glibc="2.39", libc="glibc", container="docker", container_gpus=True
)


def commands(answer):
    ways = (answer.steps, *(way.steps for way in answer.alternatives))
    return [step.posix for steps in ways for step in steps if step.posix]


def test_an_image_that_pins_its_torch_gets_an_environment_beside_it():
    machine = sheet("5090", torch="2.6.0+cu124", host=IMAGE, environment="system")
    pins = {"PIP_CONSTRAINT": "/etc/pip/constraint.txt"}
    answer = cure(FactSheet(replace(machine.facts, environment=pins)))
    assert commands(answer)[:2] == ["unset PIP_CONSTRAINT", "python3.12 -m venv torch-env"]
    assert commands(answer)[2].startswith("torch-env/bin/python -m pip install torch==")
    assert not any(step.argv for step in answer.steps)
    assert any("image" in note for note in answer.notes)


def test_no_driver_package_is_installed_in_a_container():
    machine = sheet("4090", torch="2.9.1+cu128", host=IMAGE)
    driver = replace(
        machine.facts.driver,
        libcuda_path=None,
        libcuda_version=None,
        libcuda_kind=None,
        cu_init=None,
    )
    module = KernelModule(loaded=True, version="580.95.05")
    for lost in (driver, None):
        answer = cure(FactSheet(replace(machine.facts, driver=lost, kernel_module=module)))
        assert not [line for line in commands(answer) if "libnvidia" in line or "ldconfig" in line]


def test_where_the_system_keeps_its_python_an_environment_of_its_own_is_made():
    answer = cure(sheet("RTX 5090", environment="system", externally_managed=True))
    assert line(answer).startswith("python3.12 -m venv torch-env\ntorch-env/bin/python -m pip")
    assert not any(step.argv for step in answer.steps if step.kind == "install")
    assert "EXTERNALLY-MANAGED" in answer.notes[-1]


def test_an_environment_with_a_mark_of_nobody_is_changed_itself():
    assert "torch-env" not in line(cure(sheet("RTX 5090")))

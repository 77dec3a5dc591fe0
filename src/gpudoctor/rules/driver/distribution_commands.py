"""What to type about the kernel's module, by the Linux distribution (configs/driver_steps.yaml)."""

from __future__ import annotations

from gpudoctor.kb.software.module_steps import ModuleSteps, module_steps
from gpudoctor.model.step import Step
from gpudoctor.model.terms.shell import posix_step, sentence_step
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.restart import restart


def rebuild_initramfs(case: Case) -> tuple[Step, ...]:
    """The command that puts module settings into the image that the kernel starts from."""
    text = "Put the change into the boot image."
    return (posix_step("driver", text, _steps(case).initramfs),)


def rebuild_module(case: Case) -> tuple[Step, ...]:
    """The commands that build the NVIDIA module for the running kernel."""
    found = _steps(case)
    text = "Build the module for this kernel."
    if found.note:
        text = f"{text} {found.note}"
    steps = [posix_step("driver", text, found.build)]
    if found.headers:
        what = "Install what modules for the running kernel are built with."
        steps.insert(0, posix_step("driver", what, found.headers))
    load = posix_step("driver", "Load it.", "sudo modprobe nvidia && nvidia-smi")
    return (*steps, load if found.load else restart(case))


def enrol_key(case: Case) -> tuple[Step, ...]:
    """The commands that make the firmware know the key that signs locally built modules."""
    return (
        posix_step(
            "driver",
            "Make the key known to the firmware; it asks for a password of your choice.",
            f"sudo mokutil --import {_steps(case).key}",
        ),
        restart(case, "Restart, and choose “Enroll MOK” in the blue screen that appears."),
        sentence_step("manual", "Or switch Secure Boot off in the firmware's setup."),
    )


def _steps(case: Case) -> ModuleSteps:
    return module_steps(case.host.distribution_id)

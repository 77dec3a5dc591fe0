"""Steps for findings that no wheel cures: the remedies of the rule, or a driver, or a look."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from gpudoctor.model.facts import Host
from gpudoctor.model.finding import Finding
from gpudoctor.model.lazy import later
from gpudoctor.model.prescription import Step
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import replace

if TYPE_CHECKING:
    from gpudoctor.prescribe.answers import first_driver
else:  # reads the driver's tables
    first_driver = later("gpudoctor.prescribe.answers.first_driver")

MASKED = ("cuda-visible-devices-hides-gpus", "cuda-visible-devices-wrong-index")
"""Errors that hide GPUs from programs by a variable."""

_BY_SHADOW = ("user-site-leak",)
"""What a torch from outside of the environment does, which `options/shadowing.py` answers."""

_MASKS = ("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES")


def remedies(
    findings: Iterable[Finding], sheet: FactSheet, among: Collection[str] = ()
) -> tuple[Step, ...]:
    """Steps for each finding, in their order; what follows from another finding needs none.

    `among`: names of all that was found, where some of it is cured otherwise.
    """
    result: list[Step] = []
    listed = tuple(findings)
    names = {finding.name for finding in listed}.union(among)
    for finding in listed:
        if finding.caused_by in names or finding.name in _BY_SHADOW:
            continue
        if finding.caused_by is not None and not finding.remedies:
            continue  # its cause is cured elsewhere, and a look would say nothing more
        for step in _steps(finding, sheet):
            if step not in result:
                result.append(step)
    return tuple(result)


def unmasked(sheet: FactSheet) -> FactSheet:
    """The sheet after the variables that hide GPUs were removed."""
    facts = sheet.facts
    environment = {k: v for k, v in facts.environment.items() if k not in _MASKS}
    gpus = tuple(replace(gpu, visible=True) for gpu in facts.gpus)
    return FactSheet(
        replace(facts, environment=environment, gpus=gpus), sheet.unknown, sheet.sources
    )


def _steps(finding: Finding, sheet: FactSheet) -> tuple[Step, ...]:
    if not finding.remedies:
        return _computed(finding, sheet)
    first, *others = finding.remedies
    steps = (replace(first, text=f"{finding.title}. {first.text}"), *others)
    return (*steps, *_driver_besides(finding, sheet))


def _driver_besides(finding: Finding, sheet: FactSheet) -> tuple[Step, ...]:
    """The driver that is missing besides, where another one (nouveau) holds the GPU."""
    module = sheet.facts.kernel_module
    there = sheet.facts.driver is not None or (module is not None and module.packages_installed)
    if finding.name != "nouveau-owns-gpu" or there:
        return ()

    return first_driver.first_driver_steps(sheet)


def _computed(finding: Finding, sheet: FactSheet) -> tuple[Step, ...]:
    """Steps where the rule gives none: a driver, a restart, or where to look."""
    host = sheet.facts.host or Host()
    if "driver" in finding.clears_with and (steps := first_driver.driver_remedy(finding, sheet)):
        return steps
    if "reboot" in finding.clears_with:
        text = f"{finding.title}. Restart the machine."
        posix = "sudo reboot" if host.os == "linux" and not host.container else None
        return (Step(kind="reboot", text=text, posix=posix, risk="medium"),)
    if finding.next_look:
        return (Step(kind="manual", text=f"{finding.title}. {finding.next_look}"),)
    return ()


def leftover_notes(findings: tuple[Finding, ...], steps: tuple[Step, ...]) -> tuple[str, ...]:
    """Where to look next, for the first of the findings, unless a step says it already."""
    return tuple(
        finding.next_look
        for finding in findings[:1]
        if finding.next_look and not any(finding.next_look in step.text for step in steps)
    )

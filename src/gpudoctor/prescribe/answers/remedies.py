"""Steps for findings that no wheel cures: the remedies of the rule, or a driver, or a look."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from gpudoctor.model.facts import Host
from gpudoctor.model.finding import Finding
from gpudoctor.model.prescription import Step
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import replace
from gpudoctor.prescribe.build import prediction as predict
from gpudoctor.prescribe.driver.branches import DriverPlan, driver_for
from gpudoctor.prescribe.driver.driver_steps import driver_steps
from gpudoctor.prescribe.options import mask
from gpudoctor.prescribe.request.target import target_of
from gpudoctor.prescribe.tables import driver_families

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


def first_driver(sheet: FactSheet) -> DriverPlan | None:
    """The driver to install where there is none: for all GPUs, else for the most of them."""
    target = target_of(sheet)
    if not target.gpus or any(gpu.is_tegra for gpu in target.gpus):
        return None
    linux = target.os == "linux" and not target.wsl
    found = driver_for(target.gpus, linux=linux)
    if isinstance(found, DriverPlan):
        return found
    for visible in mask.groups(sheet):
        some = driver_for(target_of(predict.with_mask(sheet, visible)).gpus, linux=linux)
        if isinstance(some, DriverPlan):
            return some
    return None


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
    plan = first_driver(sheet)
    return () if plan is None else driver_steps(plan, sheet.facts.host or Host())


def _computed(finding: Finding, sheet: FactSheet) -> tuple[Step, ...]:
    """Steps where the rule gives none: a driver, a restart, or where to look."""
    host = sheet.facts.host or Host()
    if "driver" in finding.clears_with:
        plan = first_driver(sheet)
        if plan is not None:
            return driver_steps(plan, host)
        if any(gpu.is_tegra for gpu in target_of(sheet).gpus):
            (jetson,) = (family for family in driver_families() if family.id == "jetson")
            text = f"{finding.title}. {jetson.text}"
            return (Step(kind="driver", text=text, risk="high"),)
    if "reboot" in finding.clears_with:
        text = f"{finding.title}. Restart the machine."
        posix = "sudo reboot" if host.os == "linux" and not host.container else None
        return (Step(kind="reboot", text=text, posix=posix, risk="medium"),)
    if finding.next_look:
        return (Step(kind="manual", text=f"{finding.title}. {finding.next_look}"),)
    return ()

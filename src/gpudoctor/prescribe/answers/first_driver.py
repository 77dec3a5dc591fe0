"""The driver to install where there is none that serves the GPUs."""

from __future__ import annotations

from gpudoctor.model.facts import Host
from gpudoctor.model.finding import Finding
from gpudoctor.model.prescription import Step
from gpudoctor.model.sheet import FactSheet
from gpudoctor.prescribe.build import prediction as predict
from gpudoctor.prescribe.driver.branches import DriverPlan, driver_for
from gpudoctor.prescribe.driver.driver_steps import driver_steps
from gpudoctor.prescribe.known_steps import driver_families
from gpudoctor.prescribe.options import mask
from gpudoctor.prescribe.request.target import target_of


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


def first_driver_steps(sheet: FactSheet) -> tuple[Step, ...]:
    """How to install that driver; none where no driver is to be installed."""
    plan = first_driver(sheet)
    return () if plan is None else driver_steps(plan, sheet.facts.host or Host())


def driver_remedy(finding: Finding, sheet: FactSheet) -> tuple[Step, ...]:
    """A driver against a finding; none where no driver cures it."""
    if steps := first_driver_steps(sheet):
        return steps
    if any(gpu.is_tegra for gpu in target_of(sheet).gpus):
        (jetson,) = (family for family in driver_families() if family.id == "jetson")
        text = f"{finding.title}. {jetson.text}"
        return (Step(kind="driver", text=text, risk="high"),)
    return ()

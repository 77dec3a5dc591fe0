"""The steps to reach a driver, on each family of systems. Printed, and never executed."""

from __future__ import annotations

from gpudoctor.model.facts import Host
from gpudoctor.model.prescription import Claim, Step
from gpudoctor.prescribe.driver.branches import DriverPlan
from gpudoctor.prescribe.known_steps import DriverSteps, driver_families, table_date


def family_of(host: Host) -> DriverSteps:
    """The row that says how drivers are installed on this host."""
    by_id = {family.id: family for family in driver_families()}
    if host.jetson or host.l4t:
        return by_id["jetson"]
    if host.os == "windows":
        return by_id["windows"]
    if host.wsl:
        return by_id["wsl"]
    if host.container:
        return by_id["container"]
    distribution = (host.distribution_id or "").lower()
    for family in driver_families():
        if distribution in family.ids:
            return family
    name = (host.distribution or "").lower()
    for family in driver_families():
        if any(name.startswith(word) for word in family.ids):
            return family
    return by_id["other-linux"]


def driver_steps(plan: DriverPlan, host: Host) -> tuple[Step, ...]:
    """The steps to reach `plan` on `host`, the restart included."""
    family = family_of(host)
    because = f" ({plan.why})"
    if plan.at_least is not None and not plan.why_names_it:
        because = f", {plan.at_least} or newer{because}"
    if family.text:
        text = (family.text_exact or family.text) if plan.last else family.text
        return (
            Step(
                kind="driver",
                text=f"Install NVIDIA driver branch {plan.branch}{because}. "
                + text.format(branch=plan.branch),
                risk="high",
            ),
        )
    flavour = "proprietary" if plan.flavour == "proprietary" else "open"
    lines = family.proprietary if flavour == "proprietary" else family.open
    commands = tuple(line.format(branch=plan.branch) for line in lines)
    note = f" {family.note.format(branch=plan.branch)}" if family.note else ""
    return (
        Step(
            kind="driver",
            text=f"Install NVIDIA driver branch {plan.branch}{because} with the {flavour} kernel "
            f"module on {family.name}.{note}",
            posix=" && ".join(commands),
            risk="high",
        ),
        Step(
            kind="reboot",
            text="Restart the machine, so that the new kernel module is loaded.",
            posix="sudo reboot",
            risk="medium",
        ),
    )


def claim(host: Host) -> Claim:
    """Where the steps come from."""
    family = family_of(host)
    return Claim(
        claim=f"how a driver is installed on {family.name}",
        source=family.source,
        date=table_date(),
    )

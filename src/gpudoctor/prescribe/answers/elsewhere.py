"""No GPU here, and GPUs elsewhere: a login node, a CI job, a laptop with a project for a cluster.

To put the CPU build over what the project asks for would be wrong there, however right it is on a
machine that has no GPU and never meets one.
"""

from __future__ import annotations

from gpudoctor.kb import environment_variables as kb_environment
from gpudoctor.model.finding import Finding
from gpudoctor.model.prescription import Prescription, Step
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.sentence import said
from gpudoctor.model.terms.shell import command_step


def gpus_elsewhere(
    sheet: FactSheet, errors: tuple[Finding, ...], first: tuple[Step, ...] = ()
) -> Prescription | None:
    """The answer where no GPU is here and something says that GPUs are meant; else `None`."""
    if not any(finding.name == "no-gpu-found" for finding in errors):
        return None
    sign = _sign(sheet)
    if sign is None:
        return None
    return Prescription(
        status="impossible",
        why=said(
            "gpus-elsewhere",
            f"No GPU is in this machine, and {sign}: the GPUs are elsewhere, so what is installed "
            "is not changed for this one. The nearest way out is to check where they are, or to "
            "plan for them from here.",
        ),
        steps=(*first, *looks(sheet)),
    )


def _sign(sheet: FactSheet) -> str | None:
    """What says that the programs of this environment run on GPUs of other machines."""
    facts = sheet.facts
    if (scheduler := _variable(sheet, "scheduler")) is not None:
        return f"{scheduler} says that jobs run on the nodes of a cluster"
    if facts.python is not None and facts.python.lock_file and facts.torch is None:
        return f"{facts.python.lock_file} says which torch belongs here"
    if (ci := _variable(sheet, "ci")) is not None:
        return f"{ci} says that this is a CI job"
    return None


def _variable(sheet: FactSheet, role: str) -> str | None:
    """A variable of the environment with that role, if one is set."""
    names = kb_environment.variables_with(role)
    return next((name for name in names if sheet.facts.environment.get(name)), None)


def looks(sheet: FactSheet) -> tuple[Step, ...]:
    """How to check where the GPUs are, and to plan for them from here."""
    steps = []
    if (_variable(sheet, "scheduler") or "SLURM").startswith("SLURM"):
        steps.append(
            command_step(
                "manual",
                "On a cluster with Slurm, check on a node with a GPU (with the partition and "
                "account that your jobs name).",
                ("srun", "--gres=gpu:1", "gpudoctor", "check"),
                executable=False,
            )
        )
    steps.append(
        command_step(
            "manual",
            "Or plan from here for the GPUs that are there, by name.",
            ("gpudoctor", "plan", "--gpu", "NAME"),
            executable=False,
        )
    )
    return tuple(steps)

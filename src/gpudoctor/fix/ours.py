"""What a fix may do at all: which steps are ours to take, and whose environments are not."""

from __future__ import annotations

from gpudoctor.model.facts import Python
from gpudoctor.model.prescription import Step

NEW = "make an environment of your own (`python3 -m venv .venv`, then name it with --python)"
"""The way to go where an environment is not ours."""


def split(steps: tuple[Step, ...]) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """The steps that a fix executes, and those that stay with the user.

    What is not ours (a driver, a reboot, a lock file's manifest, conda's own package) stops the
    execution: installing past it would not cure, or would not last. Only a manual step behind all
    of ours, such as another way to the same end, can wait.
    """
    mine = tuple(s for s in steps if s.kind in ("install", "uninstall") and s.argv)
    last = max((i for i, step in enumerate(steps) if step in mine), default=-1)
    for position, step in enumerate(steps):
        if step.kind in ("driver", "reboot", "source-build"):
            return (), steps
        if step.kind == "manual" and position < last:
            return (), steps
    return mine, tuple(step for step in steps if step not in mine)


def not_ours(python: Python) -> str | None:
    """Why nobody but its owner may change this environment, whatever its files allow."""
    if python.externally_managed:
        return (
            f"{python.executable} belongs to the operating system (EXTERNALLY-MANAGED), whose "
            f"package manager owns its packages; {NEW}"
        )
    if python.environment == "system":
        return f"{python.executable} is the system's Python, which other programs use; {NEW}"
    if python.conda_base:
        return (
            "this is conda's base environment, which conda itself runs from; "
            "make another (`conda create -n train python=3.12`), activate it, and run fix there"
        )
    return None

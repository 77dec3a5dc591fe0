"""How a kernel module is built anew on a Linux distribution (configs/driver_steps.yaml)."""

from __future__ import annotations

from gpudoctor.kb._data import load
from gpudoctor.kb.rows import made
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleSteps:
    """The commands of one family of distributions."""

    initramfs: str
    """Puts module settings into the image that the kernel starts from."""
    build: str
    """Builds or installs the module for the running kernel."""
    headers: str | None = None
    """Installs what it is built with; `None` where `build` does that too."""
    note: str | None = None
    load: bool
    """Whether the new module can be loaded at once; else a restart does it."""
    key: str
    """The key that signs locally built modules."""


def module_steps(distribution: str | None) -> ModuleSteps:
    """The commands for a distribution, by the `ID` of its /etc/os-release; the last row's else."""
    rows = load("driver_steps")["module_steps"]
    row = next((row for row in rows if distribution in row["ids"]), rows[-1])
    return made(ModuleSteps, row)

"""What an entry of the catalogue is, and the settings that several of them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from machines.build import Machine
from machines.trees import Module, System


@dataclass(frozen=True, kw_only=True)
class Case:
    """A machine, how it is asked, and what the doctor must find."""

    machine: Machine | None = None
    sheet: dict[str, Any] | None = None
    """A fact sheet in its place: for systems that cannot stand here."""
    finds: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    exit_code: int | None = None
    """0 without errors and 1 with, unless said."""
    plain_user: bool = False
    """Whether the modes of files count, whoever runs the test."""

    @property
    def needs_host_without_driver(self) -> bool:
        """Whether a driver library of the testing machine would be taken for this one's."""
        if self.machine is None:
            return False
        driver = self.machine.driver
        return driver is None or "missing" in (driver.nvml, driver.libcuda)


CONTAINER = {
    "/.dockerenv": "",
    "/proc/1/cgroup": "0::/\n",
    "/proc/self/mountinfo": "29 1 0:50 / / rw - overlay overlay rw,lowerdir=/var/lib/docker/l\n"
    "31 29 0:26 / /dev/shm rw,nosuid - tmpfs shm rw,size=65536k\n",
}
IN_CONTAINER = System(files=CONTAINER, secure_boot=None)
NO_DRIVER = {"driver": None, "module": Module(loaded=False, built_for=(), packages=False)}

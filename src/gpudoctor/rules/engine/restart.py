"""The restart of a machine, which several findings need."""

from __future__ import annotations

from gpudoctor.model.step import Step
from gpudoctor.rules.engine.case import Case


def restart(case: Case, text: str = "Restart the machine.") -> Step:
    """A restart, with its command where a shell of this machine can give one.

    A container cannot restart its host, and a phrase such as "If that fails" may come first.
    """
    inside = case.host.container or case.host.wsl
    posix = "sudo reboot" if case.host.os in ("linux", None) and not inside else None
    return Step(kind="reboot", text=text, posix=posix, risk="medium")

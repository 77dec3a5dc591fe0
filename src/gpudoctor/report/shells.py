"""Commands for the shell of the machine that was examined, wherever its report is read."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.step import Step
from gpudoctor.report.blocks import Command
from gpudoctor.report.style import Shell, Style

Shells = Sequence[Shell]
"""The shells of the machine, the likeliest first."""

_WINDOWS: Shells = ("powershell", "cmd")


def shells_of(sheet: FactSheet, style: Style, *, one: bool) -> Shells:
    """The shells of the examined machine; its reader's own where nothing is said of its system.

    With `one` a Windows machine is given the one shell that is in use, else PowerShell.
    """
    host = sheet.facts.host
    system = None if host is None else host.os
    here: Shell = style.shell
    if system is None:
        return (here,)
    if system != "windows":
        return ("posix",)
    if one:
        return (here,) if here != "posix" else _WINDOWS[:1]
    return _WINDOWS


def commands(step: Step, shells: Shells) -> tuple[Command, ...]:
    """What is typed for a step: once for each shell in which it is written otherwise.

    A step that exists for another shell alone (PowerShell on the Windows around WSL) is given in
    that one, marked as such.
    """
    written = {"posix": step.posix, "powershell": step.powershell, "cmd": step.cmd}
    found: dict[str, Command] = {}
    for shell in shells:
        if text := written[shell]:
            found.setdefault(text, Command(text, shell))
    if found:
        return tuple(found.values())
    relatives: Shells = _WINDOWS if shells[0] != "posix" else ()
    orders: tuple[Shell, ...] = (*relatives, "powershell", "posix", "cmd")
    for shell in orders:
        if text := written[shell]:
            return (Command(text, shell, foreign=shell not in relatives),)
    return ()

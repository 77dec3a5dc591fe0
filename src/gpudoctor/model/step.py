"""One thing to do: a command as data where it is one, a sentence where it is not."""

from __future__ import annotations

from typing import Literal

from gpudoctor.model.value import dataclass

StepKind = Literal[
    "install", "uninstall", "driver", "environment", "reboot", "mask-gpus", "source-build", "manual"
]
Risk = Literal["low", "medium", "high"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: of a prescription, or a remedy of one finding.

    `argv` is there where gpudoctor may execute it. A step that is only printed has the command
    for each shell and no `argv`; one that is no command at all has `text` alone.
    """

    kind: StepKind
    text: str
    argv: tuple[str, ...] = ()
    posix: str | None = None
    """The command as typed in a POSIX shell."""
    powershell: str | None = None
    cmd: str | None = None
    risk: Risk = "low"

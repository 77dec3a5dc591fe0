"""How a result is drawn."""

from __future__ import annotations

from typing import Literal

from gpudoctor.model.value import dataclass

Shell = Literal["posix", "powershell", "cmd"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Width in columns, whether colours are wanted, how much to say, and which shell is meant."""

    color: bool = False
    width: int = 100
    verbose: int = 0
    quiet: bool = False
    unicode: bool = True
    """Whether the stream's encoding has the marks; otherwise they are drawn in ASCII."""
    shell: Shell = "posix"
    links: bool = False
    """Whether the terminal takes hyperlinks."""

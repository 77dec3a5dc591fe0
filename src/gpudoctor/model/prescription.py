"""What to do: commands are data here, and prose is rendered from them."""

from __future__ import annotations

from typing import Literal

from gpudoctor.model.step import Risk as Risk
from gpudoctor.model.step import Step as Step
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim that a prescription rests on, with its source and that source's date."""

    claim: str
    source: str
    date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Another way out, complete in itself."""

    why: str
    steps: tuple[Step, ...] = ()
    torch: str | None = None
    variant: str | None = None
    index_url: str | None = None
    packages: tuple[str, ...] = ()
    risk: Risk = "medium"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prescription:
    """The answer to the findings as a whole."""

    status: Literal["not-needed", "resolved", "impossible"]
    why: str = ""
    """One sentence: what decided, or what makes it impossible and the nearest way out."""
    torch: str | None = None
    """Release to install, `2.9.1`; `None` if torch stays as it is."""
    variant: str | None = None
    """`cu128`, `cpu`, `rocm6.4`, `xpu`."""
    index_url: str | None = None
    packages: tuple[str, ...] = ()
    """Requirements as pip takes them: `torch==2.9.1+cu128`."""
    steps: tuple[Step, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    evidence: tuple[Claim, ...] = ()
    notes: tuple[str, ...] = ()
    """What the reader should know beside it: a line that has ended, extensions that will break."""
    download_bytes: int | None = None

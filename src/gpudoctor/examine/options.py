"""What a visit is asked to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from gpudoctor.examine.settings.policy import Policy
from gpudoctor.model.value import dataclass, field

if TYPE_CHECKING:  # the solver is loaded only where there is something to prescribe
    from gpudoctor.prescribe import Options as PrescribeOptions

SmokeLevel = Literal["off", "quick", "full"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitOptions:
    """Options of one visit."""

    python: str | None = None
    """Interpreter or environment folder; `None`: found by the usual order."""
    smoke: SmokeLevel | None = None
    """`None`: quick where a usable GPU and a build of torch for it are there, else off."""
    policy: Policy = field(default_factory=Policy)
    timeout_seconds: float | None = None
    """Deadline of the whole visit; `None`: `STATIC_SECONDS`, and the proof's own limits."""
    progress: Callable[[str], None] | None = None
    """Told what is being done, a line at a time."""
    prescribe: PrescribeOptions | None = None
    """What the user wants of the prescription: tool, pin, channel, mirror."""


STATIC_SECONDS = 10.0
"""How long reading a machine may take: a GPU without persistence mode needs up to a few seconds
to wake (NVIDIA driver persistence documentation), a dying one answers late or never."""

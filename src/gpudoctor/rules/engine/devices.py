"""What the case is made of: a GPU with its place, and the code that a build of torch carries."""

from __future__ import annotations

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.model.facts import Gpu
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU of the sheet: its place there, and its compute capability if that is known."""

    position: int
    gpu: Gpu
    capability: ComputeCapability | None

    @property
    def index(self) -> int:
        """The driver's index of the GPU; its place in the sheet where the driver gave none."""
        return self.position if self.gpu.index is None else self.gpu.index

    @property
    def path(self) -> str:
        """`gpus[0]`"""
        return f"gpus[{self.position}]"

    @property
    def label(self) -> str:
        """How a sentence names it."""
        return self.gpu.name or f"GPU {self.index}"


@dataclass(frozen=True, slots=True)
class Code:
    """The architectures that a build of torch carries, and where that was read."""

    sass: tuple[str, ...]
    ptx: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class HipCode:
    """What a ROCm build of torch was compiled for, and who says so."""

    targets: tuple[str, ...]
    """`gfx1100`, `gfx90a:xnack-`, `gfx11-generic`; empty where the code lies in archives and none
    is there."""
    source: str


def as_text(value: object) -> str:
    """A fact as evidence shows it: `none`, `yes`, `sm_80, sm_90`."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (tuple, list)) and not isinstance(value, ComputeCapability):
        return ", ".join(map(str, value)) if value else "none"
    return str(value)

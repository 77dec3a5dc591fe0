"""Compute capabilities, and which compiled code runs on which of them.

Sources: NVIDIA Blackwell Compatibility Guide and CUDA C++ Programming Guide (binary and
PTX compatibility); NVIDIA technical blog on the family-specific features of CUDA 12.9;
`DEVICE_REQUIREMENT` in `torch/cuda/__init__.py` of torch 2.13.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.value import dataclass

Kind = Literal["sass", "ptx"]
Suffix = Literal["", "a", "f"]

# The Tegra parts: NVIDIA promises no binary compatibility between them and desktop parts
# of the same major (CUDA C++ Programming Guide, "Binary Compatibility"). 10.1 is the number
# that CUDA 12.8 and 12.9 gave to Thor, which is 11.0 since CUDA 13.0.
_TEGRA = frozenset({(5, 3), (6, 2), (7, 2), (8, 7), (10, 1), (11, 0)})

_NAME = late_pattern(r"(sm|compute|lto)_(\d{2,3})([af]?)\Z", re.ASCII)
_DOTTED = late_pattern(r"(\d{1,2})\.(\d)\Z", re.ASCII)


class ComputeCapability(NamedTuple):
    """A compute capability such as 12.0: what a GPU can execute. (The solver's commonest key.)"""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> ComputeCapability:
        """Read `12.0`, `sm_120`, `sm_90a` or `compute_90`.

        Raises:
            ValueError: the text is none of these.
        """
        stripped = text.strip()
        if match := _DOTTED.match(stripped):
            return cls(int(match[1]), int(match[2]))
        if match := _NAME.match(stripped.lower()):
            return cls(int(match[2][:-1]), int(match[2][-1]))
        raise ValueError(f"{text!r} is no compute capability such as 12.0 or sm_120")

    @property
    def sm(self) -> str:
        """The name of its machine code, `sm_120` for 12.0."""
        return f"sm_{self.major}{self.minor}"

    @property
    def is_tegra(self) -> bool:
        """Whether it is a Tegra (Jetson) part, which no desktop code is promised to run on."""
        return self in _TEGRA

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@dataclass(frozen=True, slots=True)
class Architecture:
    """The target of a piece of device code: `sm_90a` (SASS) or `compute_90` (PTX)."""

    kind: Kind
    capability: ComputeCapability
    suffix: Suffix = ""

    @classmethod
    def parse(cls, text: str) -> Architecture:
        """Read `sm_120`, `sm_90a`, `sm_120f`, `compute_90` and the like.

        Raises:
            ValueError: the text is not the name of an architecture.
        """
        match = _NAME.match(text.strip().lower())
        if not match or match[1] == "lto":
            raise ValueError(f"{text!r} is no architecture such as sm_120 or compute_90")
        kind: Kind = "sass" if match[1] == "sm" else "ptx"
        suffix: Suffix = "a" if match[3] == "a" else "f" if match[3] == "f" else ""
        return cls(kind, ComputeCapability(int(match[2][:-1]), int(match[2][-1])), suffix)

    def __str__(self) -> str:
        prefix = "sm" if self.kind == "sass" else "compute"
        return f"{prefix}_{self.capability.major}{self.capability.minor}{self.suffix}"

    @property
    def sort_key(self) -> tuple[int, int, str]:
        """Orders architectures as people list them: by number, plain before `a` and `f`."""
        return (self.capability.major, self.capability.minor, self.suffix)


def is_architecture(text: str) -> bool:
    """Whether `Architecture.parse` reads it."""
    match = _NAME.match(text.strip().lower())
    return match is not None and match[1] != "lto"


def runs_natively(code: Architecture, gpu: ComputeCapability) -> bool:
    """Whether SASS built for `code` executes on `gpu` as it is.

    Plain `sm_XY` runs on X.Z with Z >= Y, desktop parts only; a Tegra part runs its own
    code alone. `sm_XYa` runs on X.Y alone. `sm_XYf` runs on its family: X.Z with Z >= Y.
    """
    if code.kind != "sass":
        return False
    own, target = _modern(code.capability), _modern(gpu)
    if code.suffix == "a" or own.is_tegra or target.is_tegra:
        return own == target
    return own.major == target.major and own.minor <= target.minor


def can_be_jitted(code: Architecture, gpu: ComputeCapability) -> bool:
    """Whether a driver that knows `gpu` may compile the PTX `code` for it.

    Plain `compute_P` serves every capability >= P, Tegra included; `compute_XYa` X.Y alone;
    `compute_XYf` its family. Whether the driver is new enough for the toolkit that wrote the
    PTX is another question (`gpudoctor.compat.driver`).
    """
    if code.kind != "ptx":
        return False
    own, target = _modern(code.capability), _modern(gpu)
    if code.suffix == "a":
        return own == target
    if code.suffix == "f":
        return own.major == target.major and own.minor <= target.minor
    return own <= target


def _modern(capability: ComputeCapability) -> ComputeCapability:
    """Thor was 10.1 under CUDA 12.8 and 12.9 and is 11.0 since 13.0."""
    return ComputeCapability(11, 0) if capability == ComputeCapability(10, 1) else capability

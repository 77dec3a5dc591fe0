"""The device code of one binary: the part of the facts that reading binaries alone needs.

It stands apart from the other facts because their classes take 10 ms to make, at every start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from gpudoctor.model.value import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeGroup:
    """Kernels of a library that were compiled for the same set of architectures.

    A fatbin container holds one translation unit for several architectures; `count` containers
    of the library carry exactly the images `sass` and `ptx`.
    """

    sass: tuple[str, ...] = ()
    ptx: tuple[str, ...] = ()
    count: int = 1
    ptx_isa: str | None = None
    """Newest PTX ISA version among the PTX images, `9.0`."""
    relinkable: bool = False
    """Whether the driver may link it again from the library's relocatable objects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One binary with device code, as the X-ray read it."""

    path: str
    """Relative to the environment's site-packages where it lies in one."""
    distribution: str | None = None
    format: Literal["elf", "pe"] | str = "elf"
    machine: str | None = None
    fatbins: int = 0
    sass: Mapping[str, int] = field(default_factory=dict)
    ptx: Mapping[str, int] = field(default_factory=dict)
    groups: tuple[CodeGroup, ...] = ()
    """The containers of `.nv_fatbin`, grouped; what coverage is judged on."""
    relocatable: tuple[CodeGroup, ...] = ()
    """The containers of `__nv_relfatbin`, grouped."""

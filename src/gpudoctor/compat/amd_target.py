"""On which AMD GPUs a code object runs: exact targets, generic ones, SPIR-V, features.

Source of the rules: LLVM, "User Guide for AMDGPU Backend" (processors, generic processors,
target features), and ROCm's page on SPIR-V code objects, both read 2026-11-21.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from gpudoctor.kb.hardware import amd_gpus as amd
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.pattern import late_pattern

SPIRV = "amdgcnspirv"
"""The portable form: the driver compiles it for any AMD GPU."""

Service = Literal["native", "jit", "none"]
_OVERRIDE = late_pattern(r"(\d{1,2})\.(\d{1,2})\.(\d{1,2})\Z", re.ASCII)


def service(target: str, gfx: str, *, xnack: bool | None = None) -> Service:
    """How a code object labelled `target` (`gfx90a:xnack-`) serves a GPU of instruction set `gfx`.

    `xnack` is whether the GPU runs with retry on page faults; `None`: as it mostly does, without.
    A label without the feature runs either way; sramecc is fixed by the board and the loader
    accepts what it finds.
    """
    name, *features = target.split(":")
    if name == SPIRV:
        return "jit"
    if name != gfx and gfx not in amd.generic_family(name):
        return "none"
    wanted = {"xnack+": True, "xnack-": False}
    asked = next((wanted[feature] for feature in features if feature in wanted), None)
    return "native" if asked is None or asked is bool(xnack) else "none"


def best_service(targets: Iterable[str], gfx: str, *, xnack: bool | None = None) -> Service:
    """The best that a set of code objects has for a GPU."""
    found = {service(target, gfx, xnack=xnack) for target in targets}
    return "native" if "native" in found else "jit" if "jit" in found else "none"


def pretended(value: str) -> str | None:
    """The instruction set that an HSA_OVERRIDE_GFX_VERSION claims: `10.3.0` → `gfx1030`.

    `None` where it is not of the form `major.minor.step`: ROCm's set-up of GPUs then fails.
    """
    match = _OVERRIDE.match(value.strip())
    if match is None or int(match[1]) > 99 or int(match[2]) > 15 or int(match[3]) > 15:
        return None
    return f"gfx{int(match[1])}{int(match[2]):x}{int(match[3]):x}"


def generation(gfx: str) -> str:
    """The first number of an instruction set: `gfx1030` → `10`, `gfx90a` → `9`."""
    return gfx.removeprefix("gfx").partition("-")[0][:-2]


def build_serves(build: Build, gfx: str) -> bool:
    """Whether a published ROCm build trains on a GPU: code in torch, and in its rocBLAS too."""
    return gfx in build.gfx and gfx not in amd.blas_gap(build.variant)


def wsl_serves(gfx: str) -> bool:
    """Whether ROCm under WSL serves a GPU: Radeon cards of RDNA 3 and newer."""
    return generation(gfx) in amd.wsl_generations()

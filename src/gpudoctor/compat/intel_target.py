"""On which Intel GPUs the images of a library run: compiled ahead of time, or by the driver.

An image is named after the IP version of the GPU that it was compiled for: architecture, release
and revision (`12.55.8`). The driver takes it on every stepping of that release and on a few
others (`runs_also` in configs/intel.yaml, from the driver's own table); SPIR-V it compiles itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from gpudoctor.kb.hardware import intel_gpus as intel

SPIRV, OTHER = "spirv", "other"

Service = Literal["native", "jit", "none"]


def runs_on(image: str, version: str) -> bool:
    """Whether an image named `12.55.8` runs as it is on a GPU of IP version `12.56`."""
    own = ".".join(image.split(".")[:2])
    return own == version or version in intel.runs_also(own)


def best_service(images: Iterable[str], version: str) -> Service | None:
    """The best that a set of images has for a GPU; `None` where some are of no kind we know."""
    found = set(images)
    if any(runs_on(image, version) for image in found - {SPIRV, OTHER}):
        return "native"
    if SPIRV in found:
        return "jit"
    return None if OTHER in found or not found else "none"

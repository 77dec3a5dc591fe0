"""The libraries of one installed distribution, judged together.

A distribution may bring one library for each CUDA version (bitsandbytes) and libraries for a
few GPUs on purpose (vllm's FlashAttention 3): what matters for it is the rest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpudoctor.binaries.coverage import CanJit, Coverage, coverage
from gpudoctor.binaries.general import made_on_purpose
from gpudoctor.binaries.names import is_nvidias_own
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.model.library import Library

# libbitsandbytes_cuda128.so, libbitsandbytes_cuda118_nocublaslt.so, foo_cu124.so
_FOR_CUDA = re.compile(r"(?<![a-z])cu(?:da)?(1[0-9][0-9])(?![0-9])")


def judged(
    libraries: Sequence[Library],
    gpu: ComputeCapability,
    *,
    cuda: str | None = None,
    can_jit: CanJit | None = None,
) -> tuple[tuple[Library, Coverage], ...]:
    """The libraries of a distribution that count for it on `gpu`, each with its coverage.

    `cuda` is the version of CUDA that torch was built for (`12.8`). Left out are NVIDIA's own
    libraries, libraries whose names say that they are for another CUDA, and those that serve
    few GPUs on purpose; one of these is kept if it runs on `gpu` all the same.
    """
    result = []
    others = [each for each in libraries if not is_nvidias_own(each.path, each.distribution)]
    applicable = for_cuda(others, cuda)
    for library in applicable:
        found = coverage(library, gpu, can_jit)
        if found.runnable or not made_on_purpose(library, applicable):
            result.append((library, found))
    return tuple(result)


def for_cuda(libraries: Sequence[Library], cuda: str | None) -> tuple[Library, ...]:
    """Those that may be loaded beside CUDA `cuda`, by their names.

    Names that say no version are kept. Where no name says exactly `cuda`, those of the same
    major are kept, and of no major, all.
    """
    if cuda is None:
        return tuple(libraries)
    wanted = "".join(cuda.split(".")[:2])
    said = {each.path: _version_in(each.path) for each in libraries}
    for fits in (wanted, wanted[:2]):
        if any(version and version.startswith(fits) for version in said.values()):
            return tuple(each for each in libraries if (said[each.path] or fits).startswith(fits))
    return tuple(libraries)


def without_cuda(path: str) -> str | None:
    """The path with the CUDA version in the file's name left out; `None` if it has none."""
    folder, separator, name = path.replace("\\", "/").rpartition("/")
    bare, found = _FOR_CUDA.subn("", name.lower())
    return folder + separator + bare if found else None


def _version_in(path: str) -> str | None:
    match = _FOR_CUDA.search(re.split(r"[/\\]", path)[-1].lower())
    return match[1] if match else None

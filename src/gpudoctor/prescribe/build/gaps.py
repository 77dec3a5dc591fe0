"""Parts of a build that have no code for a GPU that the build otherwise serves."""

from __future__ import annotations

from collections.abc import Iterable

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.kb.torch_releases import Build


def gaps(build: Build, gpus: Iterable[ComputeCapability]) -> tuple[str, ...]:
    """A sentence for each library of a wheel that was read and lacks code for one of the GPUs.

    From torch 2.11 on, `libtorch_cuda_linalg.so` of the CUDA 13 wheels for x86_64 begins at sm_80,
    although the rest of the build begins at sm_75 (configs/torch_binaries.yaml).
    """
    if build.confidence != "binary":
        return ()
    from gpudoctor.binaries.coverage import coverage
    from gpudoctor.kb.packages import purpose_of
    from gpudoctor.kb.torch_binaries import libraries

    said = []
    for library in libraries(build) or ():
        lacking = []
        for gpu in sorted(set(gpus)):
            found = coverage(library, gpu)
            # Where the smaller part of a library is for newer GPUs alone, that is on purpose.
            on_purpose = found.below_floor and 2 * found.runnable >= found.of
            if found.status in ("none", "partial") and not on_purpose:
                lacking.append(gpu.sm)
        if lacking:
            file = library.path.rpartition("/")[2]
            purpose = purpose_of(library.path)
            said.append(
                f"{file} of this build{f' ({purpose})' if purpose else ''} was compiled for fewer "
                f"GPUs than the rest: what needs it fails on {', '.join(lacking)}."
            )
    return tuple(said)

"""What is said of a build whose libraries do not all serve a GPU."""

from __future__ import annotations

from collections.abc import Iterable

from gpudoctor.binaries.judgement.published import gaps
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.terms.sentence import said


def sentences(build: Build, gpus: Iterable[ComputeCapability]) -> tuple[str, ...]:
    """The gaps of a build, a sentence each."""
    found: list[str] = []
    for gap in gaps(build, gpus):
        own = gap.read == build.variant
        where = "this build" if own else f"the {gap.read} build of this release"
        after = "" if own else f" The wheel with {build.variant} is very likely made alike."
        text = (
            f"{gap.file} of {where}{f' ({gap.purpose})' if gap.purpose else ''} was compiled for "
            f"fewer GPUs than the rest: what needs it fails on {', '.join(gap.gpus)}.{after}"
        )
        found.append(said("lacks-library", text, file=gap.file, gpus=gap.gpus))
    return tuple(found)

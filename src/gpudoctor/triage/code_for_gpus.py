"""Whether the torch that a text means has code for the GPUs that it names."""

from __future__ import annotations

from typing import Literal

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.compat.builds import jittable, likely_platform, native, side
from gpudoctor.kb.software import cuda as kb_cuda
from gpudoctor.kb.software import torch_releases
from gpudoctor.model.facts import Host
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.version import numbers, public_version

Coverage = Literal["covers", "lacks-new", "lacks-old"]


def coverage(sheet: FactSheet) -> Coverage | None:
    """What can be said of every GPU in the text together; `None`: nothing for certain.

    The architectures of the build decide, by the text or by the knowledge base. Where only the
    CUDA variant is known, all its published builds must agree; for builds older than the
    knowledge base, the toolkit that could not compile for the GPU decides.
    """
    capabilities = _capabilities(sheet)
    torch = sheet.facts.torch
    if not capabilities or torch is None:
        return None
    verdicts = {_of_one(sheet, capability) for capability in capabilities}
    for answer in ("lacks-new", "lacks-old"):
        if answer in verdicts:
            return "lacks-new" if answer == "lacks-new" else "lacks-old"
    return "covers" if verdicts == {"covers"} else None


def _capabilities(sheet: FactSheet) -> list[ComputeCapability]:
    found = []
    for gpu in sheet.facts.gpus:
        if gpu.compute_capability and gpu.vendor == "nvidia":
            try:
                found.append(ComputeCapability.parse(gpu.compute_capability))
            except ValueError:
                continue
    return list(dict.fromkeys(found))


def _of_one(sheet: FactSheet, gpu: ComputeCapability) -> Coverage | None:
    torch = sheet.facts.torch
    assert torch is not None  # noqa: S101 - the caller looked
    if torch.sass:
        return judge_codes(torch.sass, torch.ptx, gpu)
    if not torch.cuda:
        return None
    base = public_version(torch.version or "")
    host = sheet.facts.host or Host()
    # Most reports are of Linux on x86-64, where nothing else is said.
    platform = likely_platform(host.os or "linux", host.arch, (str(gpu),))
    answers = {
        judge_codes(build.sass, build.ptx, gpu)
        for build in torch_releases.builds()
        if build.kind == "cuda"
        and build.platform == platform
        and build.cuda
        and build.cuda.startswith(torch.cuda)
        and (not base or build.torch == base or build.torch.startswith(base + "."))
    }
    if len(answers) == 1:
        return answers.pop()
    if not answers and (span := kb_cuda.toolkits_for(str(gpu))):
        _, last = span
        # Machine code for the first GPU of a generation runs on the others: sm_80 on an RTX 4090.
        eldest = kb_cuda.toolkits_for(f"{gpu.major}.0") or span
        if numbers(torch.cuda) < numbers(eldest[0]):
            return "lacks-new"
        if last and numbers(torch.cuda) > numbers(last):
            return "lacks-old"
    return None


def judge_codes(
    sass: tuple[str, ...], ptx: tuple[str, ...], gpu: ComputeCapability
) -> Coverage | None:
    """Whether these architectures serve a GPU, and if not, on which side of them it lies."""
    if native(sass, gpu):
        return "covers"
    if jittable(ptx, gpu) or not sass:
        return None
    return "lacks-new" if side((*sass, *ptx), gpu) == "new" else "lacks-old"

"""GPUs as people write them: `5060 ti`, `RTX PRO 6000 Blackwell`, `sm_120`, `12.0`, `gfx1100`."""

from __future__ import annotations

import os
import re
from functools import lru_cache

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.errors import UsageError
from gpudoctor.kb.hardware import amd_gpus as kb_amd
from gpudoctor.kb.hardware import intel_gpus as kb_intel
from gpudoctor.kb.hardware import nvidia_gpus as kb_gpus
from gpudoctor.model.facts import Gpu
from gpudoctor.model.value import replace

_APPLE = re.compile(r"(apple\b.*|m[1-9]( (pro|max|ultra))?|mps)\Z", re.ASCII)
_GFX = re.compile(r"gfx[0-9a-f]{3,4}\Z", re.ASCII)


def is_apple(name: str) -> bool:
    """Whether a name is that of an Apple GPU: `M3 Max`, `Apple M2`, `mps`."""
    return _APPLE.match(name.strip().lower()) is not None


@lru_cache(maxsize=1024)
def gpu_of(text: str, index: int) -> Gpu:
    """The GPU that `text` means, as the card number `index` of a machine.

    Raises:
        UsageError: nobody knows it (the message suggests the nearest names), or it means several
            GPUs with different compute capabilities (the message lists them).
    """
    stripped = text.strip()
    lowered = stripped.lower()
    if _looks_like_capability(lowered):
        return _by_capability(lowered, stripped, index)
    if _GFX.match(lowered):
        return _by_gfx(lowered, index)
    if is_apple(lowered):
        return Gpu(index=index, cuda_index=None, name=stripped, vendor="apple")
    models = kb_gpus.match(stripped)
    if models:
        return _by_model(stripped, models, index)
    amd = kb_amd.match(stripped)
    if amd:
        found = {model.gfx for model in amd}
        if len(found) > 1:
            raise UsageError(
                f"--gpu {stripped!r} fits several AMD GPUs: "
                + ", ".join(f"{model.name} ({model.gfx})" for model in amd)
            )
        return _amd(amd[0].name, amd[0].gfx, index)
    if (called := kb_amd.by_other_name(stripped)) is not None:
        return _amd(*called, index)
    if kb_intel.match(stripped) is not None or kb_intel.version_of_target(lowered) is not None:
        return Gpu(index=index, cuda_index=None, name=stripped, vendor="intel")
    if (whole := kb_intel.by_model_number(stripped)) is not None:
        return Gpu(index=index, cuda_index=None, name=f"Intel {whole}", vendor="intel")
    if (older := kb_intel.unserved(stripped)) is not None:
        return Gpu(
            index=index, cuda_index=None, name=f"Intel {older}", vendor="intel", integrated=True
        )
    if generation := kb_gpus.of_generation(stripped):
        if len(generation) > 1:
            listed = ", ".join(f"sm_{value.replace('.', '')}" for value in generation)
            raise UsageError(
                f"--gpu {stripped!r} is a generation of GPUs with different code: {listed}; name "
                "the GPU, or one of these"
            )
        return _by_capability(generation[0], stripped, index)
    if (capability := kb_gpus.capability_by_pci_name(stripped)) is not None:
        return replace(_by_capability(capability, stripped, index), name=f"NVIDIA {stripped}")
    raise UsageError(f"--gpu {stripped!r} is no GPU that is known{_suggest(stripped)}")


def _looks_like_capability(text: str) -> bool:
    return bool(re.match(r"(sm_?\d|compute_\d|\d{1,2}\.\d\Z)", text))


def _by_capability(lowered: str, text: str, index: int) -> Gpu:
    spelled = re.sub(r"\Asm(?=\d)", "sm_", lowered)
    try:
        capability = ComputeCapability.parse(spelled)
    except ValueError:
        capability = None
    known = kb_gpus.all_capabilities()
    if capability is None or str(capability) not in known:
        near = _nearest_capabilities(spelled)
        raise UsageError(
            f"--gpu {text!r} is no compute capability that is known; the nearest are {near}"
        )
    return Gpu(
        index=index,
        cuda_index=index,
        name=None,
        vendor="nvidia",
        compute_capability=str(capability),
        sm=capability.sm,
    )


def _nearest_capabilities(text: str) -> str:
    digits = re.sub(r"[^0-9]", "", text)
    wanted = int(digits) if digits else 0
    known = [ComputeCapability.parse(name) for name in kb_gpus.all_capabilities()]
    close = sorted(known, key=lambda c: abs(c.major * 10 + c.minor - wanted))[:3]
    return ", ".join(f"{c.sm} ({kb_gpus.architecture_of(str(c))})" for c in sorted(close))


def _by_gfx(gfx: str, index: int) -> Gpu:
    models = kb_amd.by_gfx(gfx)
    if not models:
        known = sorted({model.gfx for model in kb_amd.gpus()})
        raise UsageError(f"--gpu {gfx!r} is no AMD GPU that is known; known are {', '.join(known)}")
    name = models[0].name if len(models) == 1 else None  # one of several was not asked for
    return _amd(name, gfx, index)


def _amd(name: str | None, gfx: str, index: int) -> Gpu:
    inside = kb_amd.is_integrated(gfx)
    return Gpu(
        index=index, cuda_index=None, name=name, vendor="amd", gfx=gfx, integrated=inside or None
    )


def _by_model(text: str, models: tuple[kb_gpus.GpuModel, ...], index: int) -> Gpu:
    found = {capability for model in models for capability in model.capabilities}
    if len(found) > 1:
        listed = "; ".join(
            f"{model.name} ({' or '.join(model.capabilities)})" for model in models[:8]
        )
        more = f" and {len(models) - 8} more" if len(models) > 8 else ""
        raise UsageError(
            f"--gpu {text!r} fits several GPUs with different compute capabilities: {listed}{more}"
            "; name one of them, or its capability such as 8.6"
        )
    capability = ComputeCapability.parse(models[0].capability)
    return Gpu(
        index=index,
        cuda_index=index,
        name=f"NVIDIA {_shared_name(text, models)}",
        vendor="nvidia",
        compute_capability=str(capability),
        sm=capability.sm,
    )


def _shared_name(text: str, models: tuple[kb_gpus.GpuModel, ...]) -> str:
    """What the names that fit begin with, if that says what was asked for; else the plainest."""
    names = [model.name for model in models]
    shared = os.path.commonprefix(names)  # noqa: RUF071 - letters are meant, not folders
    if any(name[len(shared) :][:1].isalnum() for name in names):
        shared = re.sub(r"[A-Za-z0-9]+\Z", "", shared)
    shared = shared.rstrip(" -")
    if _squeezed(text) in _squeezed(shared):
        return shared
    return min(names, key=len)


def _squeezed(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower().replace("nvidia", ""))


def _suggest(text: str) -> str:
    near = kb_gpus.nearest(text)
    return f"; did you mean {', '.join(near)}?" if near else ""

"""What is said of a GPU by its name."""

from __future__ import annotations

from gpudoctor.compat.amd_target import build_serves
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.examine.explain import explain_architecture as architecture
from gpudoctor.examine.explain.page import Explanation
from gpudoctor.kb.hardware import amd_gpus as amd
from gpudoctor.kb.hardware import intel_gpus as intel
from gpudoctor.kb.hardware import nvidia_gpus as gpus
from gpudoctor.kb.software import torch_releases
from gpudoctor.prescribe.request.gpu_names import is_apple

# How many GPUs of one name a page lists.
_NAMES = 24


def of_gpu(text: str) -> Explanation | None:
    """The page about a GPU's name, of any vendor; `None` if nobody knows it."""
    found = gpus.match(text)
    if not found:
        return _other_vendor(text) or _by_bus(text)
    capabilities = sorted({c for model in found for c in model.capabilities})
    lines = [f"# {found[0].name if len(found) == 1 else text}", ""]
    if len(capabilities) > 1:
        lines += ["The name fits several GPUs that execute different code:", ""]
    for model in found[:_NAMES]:
        sizes = ", ".join(f"{size} GB" for size in model.memory_gb)
        alternatives = " or ".join(model.capabilities)
        lines.append(
            f"- {model.name}: compute capability {alternatives}, {model.architecture} "
            f"({model.chip}{', ' + sizes if sizes else ''})."
        )
        if model.min_driver:
            lines.append(f"  First driver seen to list it: {model.min_driver}.")
        if model.note:
            lines.append(f"  {model.note}")
    for value in capabilities:
        capability = ComputeCapability.parse(value)
        lines += ["", f"## {capability.sm}", "", *architecture.lines(capability, None)]
    subject = found[0].name if len(found) == 1 else text
    return Explanation(kind="gpu", subject=subject, markdown="\n".join(lines) + "\n")


def _by_bus(text: str) -> Explanation | None:
    """The page about a name that only the list of the bus has: `P106-100`."""
    value = gpus.capability_by_pci_name(text)
    if value is None:
        return None
    capability = ComputeCapability.parse(value)
    body = "\n".join(architecture.lines(capability, None))
    return Explanation(kind="gpu", subject=text, markdown=f"# {text}\n\n{body}\n")


def _other_vendor(text: str) -> Explanation | None:
    """The page about a GPU of AMD, Intel or Apple, or about AMD's name of an instruction set."""
    if is_apple(text):
        body = (
            "A GPU of Apple: there is no CUDA for it. PyTorch's build for macOS runs on it through "
            'MPS, the device "mps" in programs, where torch.backends.mps.is_available() is True.'
        )
        return Explanation(kind="gpu", subject=text, markdown=f"# {text}\n\n{body}\n")
    called = amd.by_other_name(text)
    rows = amd.by_gfx(text.lower()) or amd.match(text) or (called and amd.by_gfx(called[1]))
    if rows:
        lines = [f"# {rows[0].name if len(rows) == 1 else text}", ""]
        for row in rows[:_NAMES]:
            lines.append(f"- {row.name}: {row.gfx}, {row.architecture}, from AMD.")
            lines += [f"  {row.note}"] if row.note else []
        for gfx in dict.fromkeys(row.gfx for row in rows):
            lines += ["", f"## {gfx}", "", *_rocm_builds(gfx)]
        return Explanation(kind="gpu", subject=lines[0][2:], markdown="\n".join(lines) + "\n")
    family = intel.match(text) or intel.match(intel.by_model_number(text) or "")
    if family is None and (older := intel.unserved(text)):
        body = (
            "Graphics of Intel that no XPU build of PyTorch is made for: PyTorch runs on the CPU."
        )
        return Explanation(kind="gpu", subject=older, markdown=f"# {older}\n\n{body}\n")
    if family is None:
        return None
    since = f" from torch {family.since} on" if family.since else ""
    note = f"\n{family.note}.\n" if family.note else ""
    body = f"An Intel GPU of the family {family.family}; PyTorch's XPU builds serve it{since}."
    return Explanation(kind="gpu", subject=text, markdown=f"# {text}\n\n{body}\n{note}")


def _rocm_builds(gfx: str) -> list[str]:
    """The newest stable release on PyTorch's index that serves an AMD GPU, by variant."""
    newest = {
        build.variant: build.torch
        for build in torch_releases.builds()
        if build.kind == "rocm" and build.exists and build_serves(build, gfx)
    }
    if not newest:
        if any(amd.own_builds(gfx, os) for os in ("linux", "windows")):
            return ["No stable PyTorch build on the PyTorch index serves it; AMD's own index does."]
        return ["No stable PyTorch build on the PyTorch index serves it."]
    return [
        "PyTorch builds with code for it, in rocBLAS too (newest release of each variant):",
        "",
        *(f"- {variant}: {version}" for variant, version in newest.items()),
    ]

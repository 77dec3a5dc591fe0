"""What `gpudoctor explain` answers: a finding, an architecture, or a GPU, as Markdown."""

from __future__ import annotations

from typing import Literal

from gpudoctor.compat.architecture import (
    Architecture,
    ComputeCapability,
    can_be_jitted,
    runs_natively,
)
from gpudoctor.errors import UsageError
from gpudoctor.kb import catalogue, cuda, gpus, pages, torch_releases
from gpudoctor.model.value import dataclass

Kind = Literal["finding", "architecture", "gpu"]

# How many GPU names an architecture's page lists before it says how many more there are.
_NAMES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A page: what it is about, and its Markdown."""

    kind: Kind
    subject: str
    markdown: str


def explain(what: str) -> Explanation:
    """The page about a finding's code or name, `sm_120`, `12.0`, or a GPU's name.

    Raises:
        UsageError: nobody knows it; names the nearest.
    """
    text = what.strip()
    if entry := catalogue.find(text):
        page = pages.page(entry.code) or f"# {entry.code} {entry.name}\n\n{entry.meaning}\n"
        return Explanation(kind="finding", subject=entry.code, markdown=page)
    try:
        capability = ComputeCapability.parse(text)
    except ValueError:
        return _gpu(text)
    if gpus.capability_row(str(capability)) is None:
        near = " or ".join(_nearest_capabilities(capability))
        raise UsageError(f"nobody knows {text}; the nearest are {near}")
    code = None if "." in text else Architecture.parse(text)
    if code is not None and code.suffix and f"{capability.sm}{code.suffix}" not in _targets():
        raise UsageError(f"nobody knows {text}: no CUDA compiles for it; there is {capability.sm}")
    name = str(code) if code else capability.sm
    markdown = f"# {name}\n\n" + "\n".join(_architecture(capability, code)) + "\n"
    return Explanation(kind="architecture", subject=name, markdown=markdown)


def _targets() -> set[str]:
    """Every target that some CUDA toolkit compiles for, `sm_90a` and `sm_120f` among them."""
    return {name for toolkit in cuda.toolkits() for name in toolkit.sm}


def _gpu(text: str) -> Explanation:
    found = gpus.match(text)
    if not found:
        if page := _other_vendor(text):
            return page
        looks_like_code = text.upper().startswith("GPU") or "-" in text
        near = (catalogue.nearest if looks_like_code else gpus.nearest)(text)
        hint = f"; the nearest are {', '.join(near)}" if near else ""
        raise UsageError(f"nobody knows {text!r}: it is no code, architecture or GPU{hint}")
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
        lines += ["", f"## {capability.sm}", "", *_architecture(capability, None)]
    subject = found[0].name if len(found) == 1 else text
    return Explanation(kind="gpu", subject=subject, markdown="\n".join(lines) + "\n")


def _other_vendor(text: str) -> Explanation | None:
    """The page about a GPU of AMD, Intel or Apple, or about AMD's name of an instruction set."""
    from gpudoctor.kb import amd, intel
    from gpudoctor.prescribe.request.gpu_names import is_apple

    if is_apple(text):
        body = (
            "A GPU of Apple: there is no CUDA for it. PyTorch's build for macOS runs on it through "
            'MPS, the device "mps" in programs, where torch.backends.mps.is_available() is True.'
        )
        return Explanation(kind="gpu", subject=text, markdown=f"# {text}\n\n{body}\n")
    rows = amd.by_gfx(text.lower()) or amd.match(text)
    if rows:
        lines = [f"# {rows[0].name if len(rows) == 1 else text}", ""]
        for row in rows[:_NAMES]:
            lines.append(f"- {row.name}: {row.gfx}, {row.architecture}, from AMD.")
            lines += [f"  {row.note}"] if row.note else []
        for gfx in dict.fromkeys(row.gfx for row in rows):
            lines += ["", f"## {gfx}", "", *_rocm_builds(gfx)]
        return Explanation(kind="gpu", subject=lines[0][2:], markdown="\n".join(lines) + "\n")
    family = intel.match(text)
    if family is None:
        return None
    since = f" from torch {family.since} on" if family.since else ""
    note = f"\n{family.note}.\n" if family.note else ""
    body = f"An Intel GPU of the family {family.family}; PyTorch's XPU builds serve it{since}."
    return Explanation(kind="gpu", subject=text, markdown=f"# {text}\n\n{body}\n{note}")


def _rocm_builds(gfx: str) -> list[str]:
    """The newest stable release on PyTorch's index with code for an AMD GPU, by variant."""
    newest = {
        build.variant: build.torch
        for build in torch_releases.builds()
        if build.kind == "rocm" and build.exists and gfx in build.gfx
    }
    if not newest:
        return ["No stable PyTorch build on the PyTorch index has code for it."]
    return [
        "PyTorch builds with code for it (newest release of each variant):",
        "",
        *(f"- {variant}: {version}" for variant, version in newest.items()),
    ]


def _architecture(capability: ComputeCapability, code: Architecture | None) -> list[str]:
    row = gpus.capability_row(str(capability))
    assert row is not None, "the caller looked the capability up"  # noqa: S101 - for the type checker
    lines = [f"Compute capability {capability}: {row.architecture}.", ""]
    if code is not None and (code.suffix or code.kind == "ptx"):
        lines += [_reach(code), ""]
    lines += _code_that_runs(capability)
    lines += _toolchain(capability)
    lines += _builds(capability)
    names = [m.name for m in gpus.models() if str(capability) in m.capabilities]
    if names:
        more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
        lines += ["", f"GPUs: {', '.join(names[:_NAMES])}{more}."]
    return lines


def _reach(code: Architecture) -> str:
    every = [ComputeCapability.parse(value) for value in gpus.all_capabilities()]
    runs = runs_natively if code.kind == "sass" else can_be_jitted
    reached = ", ".join(str(gpu) for gpu in every if runs(code, gpu))
    how = "runs as it is" if code.kind == "sass" else "can be compiled by the driver"
    return f"Code for {code} {how} on compute capability {reached}."


def _code_that_runs(gpu: ComputeCapability) -> list[str]:
    every = [ComputeCapability.parse(value) for value in gpus.all_capabilities()]
    own = [c for c in every if runs_natively(Architecture("sass", c), gpu)]
    special = [
        name
        for name in sorted(_targets())
        if name[-1] in "af" and runs_natively(Architecture.parse(name), gpu)
    ]
    names = ", ".join([c.sm for c in own] + special)
    lines = [f"Machine code that runs on it: {names}."]
    others = [c for c in every if c.major == gpu.major and c not in own]
    if others:
        because = (
            "Tegra parts share no code with desktop ones"
            if gpu.is_tegra or any(c.is_tegra for c in others)
            else "code for a higher minor number does not run"
        )
        lines.append(f"Not: {', '.join(c.sm for c in others)} ({because}).")
    return lines


def _toolchain(gpu: ComputeCapability) -> list[str]:
    lines = []
    if span := cuda.toolkits_for(str(gpu)):
        first, last = span
        lines.append(f"CUDA toolkits that compile for it: {first} to {last or 'the newest'}.")
    row = gpus.capability_row(str(gpu))
    if row is not None and (row.first_branch or row.last_branch):
        lines.append(
            f"Driver branches that know it: {row.first_branch or 'the first'} to "
            f"{row.last_branch or 'the newest'}."
        )
    if row is not None and row.module in ("open", "proprietary"):
        lines.append(f"On Linux it needs the {row.module} kernel module.")
    return lines


def _builds(gpu: ComputeCapability) -> list[str]:
    """The newest stable release with code for it, by variant, on Linux x86_64 or aarch64."""
    newest: dict[tuple[str, str], str] = {}
    for build in torch_releases.builds():
        if build.kind != "cuda" or not build.exists or not _serves(build.sass, gpu):
            continue
        newest[(build.variant, build.platform)] = build.torch
    lines = ["", "PyTorch builds with code for it (newest release of each variant):", ""]
    by_variant: dict[str, list[str]] = {}
    for (variant, platform), version in newest.items():
        by_variant.setdefault(variant, []).append(f"{version} ({platform})")
    if not by_variant:
        return ["", "No stable PyTorch build on the PyTorch index has code for it."]
    return lines + [f"- {variant}: {', '.join(found)}" for variant, found in by_variant.items()]


def _serves(sass: tuple[str, ...], gpu: ComputeCapability) -> bool:
    """Machine code only: PTX would carry torch's own kernels, but not cuBLAS and cuDNN."""
    return any(runs_natively(Architecture.parse(name), gpu) for name in sass)


def _nearest_capabilities(wanted: ComputeCapability) -> list[str]:
    def distance(value: str) -> int:
        other = ComputeCapability.parse(value)
        return abs(other.major * 10 + other.minor - wanted.major * 10 - wanted.minor)

    near = sorted(gpus.all_capabilities(), key=distance)[:3]
    return [ComputeCapability.parse(value).sm for value in near]

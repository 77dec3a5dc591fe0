"""What is said of an architecture: which code runs on it, and which tools and builds know it."""

from __future__ import annotations

from gpudoctor.compat.architecture import (
    Architecture,
    ComputeCapability,
    can_be_jitted,
    runs_natively,
)
from gpudoctor.errors import UsageError
from gpudoctor.examine.explain.page import Explanation
from gpudoctor.kb.hardware import nvidia_gpus as gpus
from gpudoctor.kb.software import cuda, torch_releases

# How many GPU names an architecture's page lists before it says how many more there are.
_NAMES = 24


def of_architecture(text: str) -> Explanation | None:
    """The page about `sm_120`, `compute_90`, `12.0`; `None` if it is none of these.

    Raises:
        UsageError: nobody knows this architecture; names the nearest.
    """
    try:
        capability = ComputeCapability.parse(text)
    except ValueError:
        return None
    if gpus.capability_row(str(capability)) is None:
        near = " or ".join(nearest(capability))
        raise UsageError(f"nobody knows {text}; the nearest are {near}")
    code = None if "." in text else Architecture.parse(text)
    if code is not None and code.suffix and f"{capability.sm}{code.suffix}" not in targets():
        raise UsageError(f"nobody knows {text}: no CUDA compiles for it; there is {capability.sm}")
    name = str(code) if code else capability.sm
    markdown = f"# {name}\n\n" + "\n".join(lines(capability, code)) + "\n"
    return Explanation(kind="architecture", subject=name, markdown=markdown)


def of_generation(text: str) -> Explanation | None:
    """The page about NVIDIA's name of a generation: `Hopper`; `None` if it is none."""
    found = [ComputeCapability.parse(value) for value in gpus.of_generation(text)]
    if not found:
        return None
    name = gpus.architecture_of(str(found[0])) or text
    parts = [f"# {name}", "", f"Compute capability {', '.join(map(str, found))}."]
    for capability in found:
        parts += ["", f"## {capability.sm}", "", *lines(capability, None)]
    return Explanation(kind="architecture", subject=name, markdown="\n".join(parts) + "\n")


def targets() -> set[str]:
    """Every target that some CUDA toolkit compiles for, `sm_90a` and `sm_120f` among them."""
    return {name for toolkit in cuda.toolkits() for name in toolkit.sm}


def lines(capability: ComputeCapability, code: Architecture | None) -> list[str]:
    """The page about a compute capability, or about code for it, without its title."""
    row = gpus.capability_row(str(capability))
    assert row is not None, "the caller looked the capability up"  # noqa: S101 - for the type checker
    said = [f"Compute capability {capability}: {row.architecture}.", ""]
    if code is not None and (code.suffix or code.kind == "ptx"):
        said += [_reach(code), ""]
    said += _code_that_runs(capability)
    said += _toolchain(capability)
    said += _builds(capability)
    names = [m.name for m in gpus.models() if str(capability) in m.capabilities]
    if names:
        more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
        said += ["", f"GPUs: {', '.join(names[:_NAMES])}{more}."]
    return said


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
        for name in sorted(targets())
        if name[-1] in "af" and runs_natively(Architecture.parse(name), gpu)
    ]
    names = ", ".join([c.sm for c in own] + special)
    lines = [f"Machine code that runs on it: {names}."]
    others = [c for c in every if c.major == gpu.major and c not in own]
    apart = [c.sm for c in others if c.is_tegra != gpu.is_tegra]
    higher = [c.sm for c in others if c.is_tegra == gpu.is_tegra]
    not_run = []
    if higher:
        not_run.append(f"{', '.join(higher)} (code for a higher minor number does not run)")
    if apart:
        not_run.append(f"{', '.join(apart)} (Tegra parts share no code with desktop ones)")
    if not_run:
        lines.append(f"Not: {'; '.join(not_run)}.")
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


def nearest(wanted: ComputeCapability) -> list[str]:
    """The three known architectures nearest to one that nobody knows."""

    def distance(value: str) -> int:
        other = ComputeCapability.parse(value)
        return abs(other.major * 10 + other.minor - wanted.major * 10 - wanted.minor)

    near = sorted(gpus.all_capabilities(), key=distance)[:3]
    return [ComputeCapability.parse(value).sm for value in near]

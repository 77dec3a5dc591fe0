"""What is said of a variant of torch's wheels: `cu128`, `rocm6.4`, `xpu`, `cpu`."""

from __future__ import annotations

import re

from gpudoctor.compat.driver import DriverOs, floor_of
from gpudoctor.examine.explain.page import Explanation
from gpudoctor.kb.software import torch_releases

_SYSTEMS: tuple[tuple[DriverOs, str], ...] = (("linux", "Linux"), ("windows", "Windows"))
_VARIANT = re.compile(r"\+?(cu\d{2,3}|rocm\d\.\d(?:\.\d)?|xpu|cpu)\Z", re.I)


def of_variant(text: str) -> Explanation | None:
    """The page about a variant; `None` if no build of torch that is known has it."""
    match = _VARIANT.match(text)
    if match is None:
        return None
    name = match[1].lower()
    builds = [b for b in torch_releases.builds() if b.variant == name and b.exists]
    if not builds:
        return None
    lines = [f"# {name}", "", _meaning(name), ""]
    platforms = dict.fromkeys(build.platform for build in builds)
    for platform in platforms:
        own = [build for build in builds if build.platform == platform]
        first, last = own[0], own[-1]
        span = first.torch if first.torch == last.torch else f"{first.torch} to {last.torch}"
        lines.append(f"- {platform}: torch {span}.")
        if codes := last.sass or last.gfx:
            lines.append(f"  Code of {last.torch}: {', '.join(codes)}.")
    lines += ["", f"Index: {builds[-1].index_url}"]
    return Explanation(kind="variant", subject=name, markdown="\n".join(lines) + "\n")


def _meaning(name: str) -> str:
    if cuda := torch_releases.cuda_of_variant(name):
        floors = [
            f"{floor} or newer on {name}"
            for system, name in _SYSTEMS
            if (floor := floor_of(int(cuda.split(".")[0]), system))
        ]
        needs = f" The driver must be {', '.join(floors)}." if floors else ""
        return f"Builds of torch for CUDA {cuda}, which they bring along.{needs}"
    if name.startswith("rocm"):
        return f"Builds of torch for AMD GPUs, with ROCm {name.removeprefix('rocm')}; Linux alone."
    if name == "xpu":
        return "Builds of torch for Intel GPUs."
    return "Builds of torch without support for any GPU."

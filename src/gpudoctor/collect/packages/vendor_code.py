"""Which GPUs of AMD and Intel, and which macOS, the installed torch was built for: its binary says.

Where the binary cannot be read nothing is filled in: the rules have tables for that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gpudoctor.collect.packages.device_code import Xray
from gpudoctor.collect.reason import Reason
from gpudoctor.model.facts import Library, Torch
from gpudoctor.model.value import replace

_HIP = re.compile(r"(?:^|/)(?:lib)?torch_hip\.(?:so|dll)\Z", re.ASCII)
_XPU = re.compile(r"(?:^|/)(?:lib)?torch_xpu\w*\.(?:so|dll)\Z", re.ASCII)
_MACOS = re.compile(r"(?:^|/)libtorch_cpu\.dylib\Z", re.ASCII)


def vendor_architectures(torch: Torch, xray: Xray | None) -> tuple[Torch, dict[str, Reason], str]:
    """Fill `gfx`, `xpu_images` and `macos` of a torch that has no CUDA.

    Returns:
        The torch, what is unknown of it (field → reason), and the libraries that told.
    """
    if torch.hip is not None:
        found, reason = _named(xray, _HIP)
        if not found:
            return torch, {"gfx": reason}, ""
        targets = [name for each in found for name in (*each.hip, *each.archived)]
        filled = replace(torch, gfx=tuple(dict.fromkeys(targets)), arch_source="binary")
        return filled, {}, _sources(found)
    if torch.xpu is not None:
        found, reason = _named(xray, _XPU)
        if not found:
            return torch, {"xpu_images": reason}, ""
        images = tuple(dict.fromkeys(name for each in found for name in each.xpu))
        return replace(torch, xpu_images=images, arch_source="binary"), {}, _sources(found)
    found, _ = _named(xray, _MACOS)
    systems = [each.macos for each in found if each.macos]
    return (replace(torch, macos=systems[0]) if systems else torch), {}, _sources(found)


def _named(xray: Xray | None, pattern: re.Pattern[str]) -> tuple[list[Library], Reason]:
    """The libraries of that name, or why there are none."""
    if xray is None:
        return [], Reason("failed", "the device code of the environment could not be read")
    found = [each for each in xray.libraries if pattern.search(each.path)]
    for unread in xray.unread:
        if pattern.search(unread.candidate.shown):
            kind, text = unread.reason
            return found, Reason(kind, f"{unread.candidate.shown}: {text}")
    return found, Reason("not-stated", "no library of torch carries device code")


def _sources(libraries: Iterable[Library]) -> str:
    return ", ".join(each.path for each in libraries)

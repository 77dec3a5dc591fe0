"""Which GPUs of AMD and Intel, and which macOS, the installed torch was built for: its binary says.

Where the binary cannot be read nothing is filled in: the rules have tables for that.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence

from gpudoctor.collect.packages.device_code import Xray
from gpudoctor.collect.reason import Reason
from gpudoctor.collect.system.files import names
from gpudoctor.model.facts import Library, Torch
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.value import replace

_HIP = late_pattern(r"(?:^|/)(?:lib)?torch_hip\.(?:so|dll)\Z", re.ASCII)
_XPU = late_pattern(r"(?:^|/)(?:lib)?torch_xpu\w*\.(?:so|dll)\Z", re.ASCII)
_MACOS = late_pattern(r"(?:^|/)libtorch_cpu\.dylib\Z", re.ASCII)


# Below torch's own folder, or that of ROCm's libraries in an environment.
_KERNELS = (
    *("lib/rocblas/library", "bin/rocblas/library"),
    *("lib/hipblaslt/library", "bin/hipblaslt/library"),
    *("share/miopen/db", "lib/aotriton.images"),
)
_ROCM = "_rocm_sdk_libraries"


def vendor_architectures(
    torch: Torch, xray: Xray | None, site: Sequence[str] = ()
) -> tuple[Torch, dict[str, Reason], str]:
    """Fill `gfx`, `kernel_files`, `xpu_images` and `macos` of a torch that has no CUDA.

    `site` are the folders of the path, where ROCm's libraries are looked for.

    Returns:
        The torch, what is unknown of it (field → reason), and the libraries that told.
    """
    if torch.hip is not None:
        from gpudoctor.binaries.code.kernel_files import kernel_files  # AMD's alone

        torch = replace(torch, kernel_files=dict(kernel_files(_kernel_paths(torch, site))))
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


def _kernel_paths(torch: Torch, site: Sequence[str]) -> Iterator[str]:
    roots = [torch.path] if torch.path else []
    for folder in site:
        roots += [os.path.join(folder, each) for each in names(folder) if each.startswith(_ROCM)]
    for root in roots:
        for folder in _KERNELS:
            end = "/" if folder.endswith("images") else ""
            yield from (f"{folder}/{name}{end}" for name in names(os.path.join(root, folder)))


def _named(xray: Xray | None, pattern: re.Pattern[str]) -> tuple[list[Library], Reason]:
    """The libraries of that name, or why there are none."""
    if xray is None:
        return [], Reason("failed", "the device code of the environment could not be read")
    found = [each for each in xray.libraries if pattern.search(each.path)]
    for each in found:
        if each.unread and not (each.hip or each.archived or each.xpu):
            return [], Reason("failed", f"{each.path}: {each.unread}")
    for unread in xray.unread:
        if pattern.search(unread.candidate.shown):
            kind, text = unread.reason
            return found, Reason(kind, f"{unread.candidate.shown}: {text}")
    return found, Reason("not-stated", "no library of torch carries device code")


def _sources(libraries: Iterable[Library]) -> str:
    return ", ".join(each.path for each in libraries)

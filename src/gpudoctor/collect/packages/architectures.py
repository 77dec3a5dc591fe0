"""Which architectures the installed torch carries: from its binary, else from itself, else known.

The order is that of trust. The knowledge base speaks only where the binary is there and merely
could not be reached (permission, time): a library that is missing or damaged is not what was
published, and nothing may be concluded from what was.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from gpudoctor.binaries.source import UnreadableBinaryError
from gpudoctor.collect.packages.device_code import Xray, unread_reason
from gpudoctor.collect.packages.vendor_code import vendor_architectures
from gpudoctor.collect.reason import Reason
from gpudoctor.collect.system.files import is_file, is_folder
from gpudoctor.compat.architecture import Architecture
from gpudoctor.model.facts import Library, Torch
from gpudoctor.model.lazy import later
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.terms.version import split_label
from gpudoctor.model.value import replace

if TYPE_CHECKING:
    from gpudoctor.binaries import ptxas as assembler
    from gpudoctor.collect.packages import torch_child
    from gpudoctor.kb.software import torch_releases
else:  # where the binary does not tell; beside a Triton
    assembler = later("gpudoctor.binaries.ptxas")
    torch_child = later("gpudoctor.collect.packages.torch_child")
    torch_releases = later("gpudoctor.kb.software.torch_releases")

_Source = Literal["binary", "torch", "knowledge"]
# torch 1.10 to 1.13 split the library in two; linalg and nvshmem are built for other lists, and
# say nothing about the kernels that nearly every program needs.
_MAIN = late_pattern(r"(?:^|/)(?:lib)?torch_cuda(?:_cu|_cpp)?\.(?:so|dll)\Z", re.ASCII)


def torch_architectures(
    torch: Torch,
    xray: Xray | None,
    *,
    executable: str | None,
    platform: str,
    site: Sequence[str],
    environ: Mapping[str, str],
    deadline: float,
) -> tuple[Torch, dict[str, Reason], str]:
    """Fill `sass`, `ptx` (`gfx` and the like), `arch_source` and what Triton's assembler knows.

    Args:
        torch: as its files say it.
        xray: what the device code of the environment is.
        executable: the interpreter, if it may be started.
        platform: `linux_x86_64` and the like, as the knowledge base names it.
        site: folders of the path, where Triton is looked for.
        environ: for a child process.
        deadline: on `time.monotonic`.

    Returns:
        The torch, what is unknown of it (field → reason), and the source of the architectures.
    """
    torch, unknown = _with_ptxas(torch, site)
    if torch.cuda is None:
        torch, missing, source = vendor_architectures(torch, xray, site)
        return torch, {**unknown, **missing}, source
    main = [library for library in xray.libraries if _MAIN.search(library.path)] if xray else []
    if main:
        names = ", ".join(library.path for library in main)
        return _filled(torch, *_union(main), "binary"), unknown, names
    reason, reachable = _why_not(torch, xray)
    if executable is not None:
        answer = torch_child.ask_torch(executable, environ, deadline)
        if answer.architectures is not None:
            sass, ptx = _split(answer.architectures)
            return _filled(torch, sass, ptx, "torch"), unknown, "torch._C._cuda_getArchFlags"
        reason = Reason(reason.kind, f"{reason.text}; {answer.reason}")
    if reachable and (known := _known(torch, platform)) is not None:
        return _filled(torch, *known, "knowledge"), unknown, "knowledge base"
    return torch, {**unknown, "sass": reason, "ptx": reason, "arch_source": reason}, ""


def _filled(torch: Torch, sass: list[str], ptx: list[str], source: _Source) -> Torch:
    return replace(torch, sass=tuple(sass), ptx=tuple(ptx), arch_source=source)


def _union(libraries: Sequence[Library]) -> tuple[list[str], list[str]]:
    sass = {name for library in libraries for name in library.sass}
    ptx = {name for library in libraries for name in library.ptx}
    return _sorted(sass), _sorted(ptx)


def _split(flags: Sequence[str]) -> tuple[list[str], list[str]]:
    return (
        _sorted({flag for flag in flags if flag.startswith("sm_")}),
        _sorted({flag for flag in flags if flag.startswith("compute_")}),
    )


def _sorted(names: set[str]) -> list[str]:
    def key(name: str) -> tuple[tuple[int, int, str], str]:
        try:
            return Architecture.parse(name).sort_key, name
        except ValueError:
            return (99, 0, ""), name

    return sorted(names, key=key)


def _why_not(torch: Torch, xray: Xray | None) -> tuple[Reason, bool]:
    """Why no binary told, and whether it is there and only out of reach."""
    for unread in xray.unread if xray else ():
        if _MAIN.search(unread.candidate.shown):
            kind, text = unread.reason
            return Reason(kind, f"{unread.candidate.shown}: {text}"), unread.out_of_reach
    if xray is None:
        return Reason("failed", "the device code of the environment could not be read"), True
    folder = os.path.join(torch.path or "torch", "lib")
    present = any(
        is_file(os.path.join(folder, name)) for name in ("libtorch_cuda.so", "torch_cuda.dll")
    )
    if present:
        return Reason("not-stated", "torch's CUDA library carries no device code"), False
    return Reason("damaged", f"no CUDA library of torch lies in {folder}"), False


def _known(torch: Torch, platform: str) -> tuple[list[str], list[str]] | None:
    """What the published wheel carries, if this is the published wheel.

    A build of one's own has its own list, whatever its number: the commit tells them apart.
    """
    version, label = split_label(torch.version or "")
    variant = label or "cu" + (torch.cuda or "").replace(".", "")
    release = torch_releases.release(version)
    build = torch_releases.build(version, variant, platform)
    if release is None or build is None or not (build.sass or build.ptx):
        return None
    if release.git and torch.git_version and not torch.git_version.startswith(release.git):
        return None
    return list(build.sass), list(build.ptx)


def _with_ptxas(torch: Torch, site: Sequence[str]) -> tuple[Torch, dict[str, Reason]]:
    """What the assembler of the first Triton on the path knows; nothing without a Triton."""
    folder = next((place for f in site if is_folder(place := os.path.join(f, "triton"))), None)
    if folder is None:
        return torch, {}
    try:
        ptxas = assembler.triton_ptxas(folder)
    except UnreadableBinaryError as error:
        reason = unread_reason(error)
        return torch, {"ptxas_architectures": reason, "ptxas_version": reason}
    if ptxas is None:
        return torch, {}
    filled = replace(torch, ptxas_architectures=ptxas.architectures, ptxas_version=ptxas.version)
    return filled, {}

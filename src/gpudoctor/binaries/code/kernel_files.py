"""AMD's libraries whose kernels are files of their own: for which GPUs, as the names say.

A GPU for which torch has kernels and rocBLAS has no files fails at its first matrix product. The
names, as in the wheels of ROCm 5.7 to 7.14:

* rocBLAS and hipBLASLt: `TensileLibrary_lazy_gfx1100.dat`, `…_fallback_gfx90a.hsaco`,
  `Kernels.so-000-gfx90a-xnack-.hsaco`, `extop_gfx942.co`, below `rocblas/` or `hipblaslt/`.
* MIOpen: `gfx90a6e.HIP.fdb.txt`, `gfx942130.kdb`, `gfx1030_36.kdb` below `miopen/`: behind the
  name stands the number of compute units, in hexadecimal digits, or in decimal ones behind a line.
* AOTriton: folders `aotriton.images/amd-gfx942`, and `amd-gfx11xx` for a family.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gpudoctor.binaries.code.amdgpu import PROCESSORS
from gpudoctor.model.pattern import late_pattern

_TENSILE = late_pattern(
    r"/(rocblas|hipblaslt)/.*[_-](gfx[0-9a-f]+)(?:-xnack[+-])?\.(?:co|hsaco|dat|yaml)\Z"
)
_MIOPEN = late_pattern(r"/miopen/.*/(gfx[0-9a-f]+)(_[0-9]+)?\.(?:[\w.]+)\Z")
_AOTRITON = late_pattern(r"/aotriton\.images/amd-(gfx[0-9a-fx]+)/")
_NAMES = {"rocblas": "rocBLAS", "hipblaslt": "hipBLASLt"}
_UNITS = (2, 3)
"""How many hexadecimal digits of compute units follow the name in MIOpen's files."""


def kernel_files(paths: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Target → the libraries that bring kernels for it, of files by their paths.

    A family stands as AOTriton writes it, `gfx11xx`. A library that occurs nowhere brings no
    files at all, which says nothing about any GPU.
    """
    found: dict[str, dict[str, None]] = {}
    for path in paths:
        entry = _entry("/" + path.replace("\\", "/"))
        if entry is not None:
            library, target = entry
            found.setdefault(target, {})[library] = None
    return {target: tuple(sorted(found[target])) for target in sorted(found)}


def _entry(path: str) -> tuple[str, str] | None:
    if match := _TENSILE.search(path):
        return _NAMES[match[1]], match[2]
    if match := _AOTRITON.search(path):
        return "AOTriton", match[1]
    if match := _MIOPEN.search(path):
        name = match[1] if match[2] else _without_units(match[1])
        return ("MIOpen", name) if name else None
    return None


def _without_units(name: str) -> str | None:
    """`gfx942` of `gfx942130`: the digits are told apart by the processors that there are."""
    names = (name[:-count] for count in _UNITS)
    return next((each for each in names if each in PROCESSORS), None)

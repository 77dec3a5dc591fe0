"""Cubins: the machine code of one architecture, as an ELF file of its own.

Flags: LLVM, `llvm/BinaryFormat/ELF.h` (`EF_CUDA_SM`, `EF_CUDA_SM_MASK`, `EF_CUDA_ACCELERATORS`),
read 2026-11-21. The family forms (`sm_100f`) have no flag of their own.
"""

from __future__ import annotations

MACHINE = 190
"""`EM_CUDA` in the header of an ELF file."""
_SECOND_ABI = 8
"""From CUDA 13 on the number of the architecture has moved by a byte."""
_SPECIFIC, _SPECIFIC_SECOND = 0x800, 0x8


def architecture_of(head: bytes) -> str:
    """`sm_90a` from the first 64 bytes of a cubin."""
    flags = int.from_bytes(head[48:52], "little")
    if head[8] >= _SECOND_ABI:
        number, specific = flags >> 8 & 0xFF, flags & _SPECIFIC_SECOND
    else:
        number, specific = flags & 0xFF, flags & _SPECIFIC
    return f"sm_{number}" + ("a" if specific else "")

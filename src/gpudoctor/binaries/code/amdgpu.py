"""AMD's code objects: which target an ELF header names.

Flags: LLVM, "User Guide for AMDGPU Backend", "ELF Code Object" (`e_flags`), read 2026-11-21.
"""

from __future__ import annotations

MACHINE = 224
"""`EM_AMDGPU` in the header of an ELF file."""

_MACHINES = {
    0x020: "gfx600", 0x021: "gfx601", 0x022: "gfx700", 0x023: "gfx701", 0x024: "gfx702",
    0x025: "gfx703", 0x026: "gfx704", 0x028: "gfx801", 0x029: "gfx802", 0x02A: "gfx803",
    0x02B: "gfx810", 0x02C: "gfx900", 0x02D: "gfx902", 0x02E: "gfx904", 0x02F: "gfx906",
    0x030: "gfx908", 0x031: "gfx909", 0x032: "gfx90c", 0x033: "gfx1010", 0x034: "gfx1011",
    0x035: "gfx1012", 0x036: "gfx1030", 0x037: "gfx1031", 0x038: "gfx1032", 0x039: "gfx1033",
    0x03A: "gfx602", 0x03B: "gfx705", 0x03C: "gfx805", 0x03D: "gfx1035", 0x03E: "gfx1034",
    0x03F: "gfx90a", 0x040: "gfx940", 0x041: "gfx1100", 0x042: "gfx1013", 0x043: "gfx1150",
    0x044: "gfx1103", 0x045: "gfx1036", 0x046: "gfx1101", 0x047: "gfx1102", 0x048: "gfx1200",
    0x049: "gfx1250", 0x04A: "gfx1151", 0x04B: "gfx941", 0x04C: "gfx942", 0x04E: "gfx1201",
    0x04F: "gfx950", 0x050: "gfx1310", 0x051: "gfx9-generic", 0x052: "gfx10-1-generic",
    0x053: "gfx10-3-generic", 0x054: "gfx11-generic", 0x055: "gfx1152", 0x058: "gfx1153",
    0x059: "gfx12-generic", 0x05A: "gfx1251", 0x05B: "gfx12-5-generic", 0x05C: "gfx1172",
    0x05D: "gfx1170", 0x05E: "gfx1171", 0x05F: "gfx9-4-generic",
}  # fmt: skip
PROCESSORS = frozenset(_MACHINES.values())
"""The names of all that are known."""
_XNACK = {2: ":xnack-", 3: ":xnack+"}
_SRAMECC = {2: ":sramecc-", 3: ":sramecc+"}
_OLDEST_ABI = 2
"""Code object version 4; before it the two features had other bits, and no "any"."""


def target_of(head: bytes) -> str | None:
    """`gfx90a:sramecc+:xnack-` from the first 64 bytes of a code object.

    `None`: it is none, or its target is newer than this list.
    """
    if len(head) < 52 or head[:4] != b"\x7fELF" or head[18:20] != MACHINE.to_bytes(2, "little"):
        return None
    flags = int.from_bytes(head[48:52], "little")
    name = _MACHINES.get(flags & 0xFF)
    if name is None or head[8] < _OLDEST_ABI:
        return name
    return name + _SRAMECC.get(flags >> 10 & 3, "") + _XNACK.get(flags >> 8 & 3, "")


def processor(target: str) -> str:
    """`gfx90a` of `gfx90a:sramecc+:xnack-`."""
    return target.partition(":")[0]


def agree(label: str, target: str) -> bool:
    """Whether a label and a code object's header name the same target.

    A header says "any" by silence, as a label does; one that says more than the other is no
    contradiction where the processors agree and no feature is both on and off.
    """
    first, *ours = label.split(":")
    second, *theirs = target.split(":")
    opposite = {each[:-1] + ("-" if each.endswith("+") else "+") for each in ours if each}
    return first == second and not opposite.intersection(theirs)

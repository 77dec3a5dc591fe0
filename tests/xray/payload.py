"""What the images themselves say: a second witness where NVIDIA's disassembler gives up.

A cubin is an ELF file whose flags carry the number of its architecture, and PTX names its
target and version in its first lines. The containers of CUDA before 12.8 hold both as they are
or compressed by LZ4, of which the beginning can be unpacked in a few lines.
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

MAGIC = struct.pack("<IHH", 0xBA55ED50, 1, 16)
_LZ4 = 1 << 13
_CUDA = 190
_BEGINNING = 2048


def witnessed(file: Path) -> Counter[str]:
    """The architectures that the images in a library state themselves.

    The containers are found by their magic in the whole file, not by sections: nothing is
    shared with the reader under test but the layout of the two headers.
    """
    data = file.read_bytes()
    return Counter(name for start in _containers(data) for name in _images(data, start))


def _containers(data: bytes) -> Iterator[int]:
    at = data.find(MAGIC)
    while at >= 0:
        yield at
        at = data.find(MAGIC, at + 16 + struct.unpack_from("<Q", data, at + 8)[0])


def _images(data: bytes, start: int) -> Iterator[str]:
    end = start + 16 + struct.unpack_from("<Q", data, start + 8)[0]
    at = start + 16
    while at < end:
        kind, _, header, size = struct.unpack_from("<HHIQ", data, at)
        flags = struct.unpack_from("<Q", data, at + 40)[0]
        begin = data[at + header : at + header + min(size, 4 * _BEGINNING)]
        if flags & _LZ4:
            begin = unpack_lz4(begin, _BEGINNING)
        yield cubin_architecture(begin) if kind == 2 else ptx_architecture(begin)
        at += header + size


def cubin_architecture(begin: bytes) -> str:
    """`sm_86` from the flags in a cubin's ELF header."""
    assert begin[:4] == b"\x7fELF", begin[:16].hex()
    machine = struct.unpack_from("<H", begin, 18)[0]
    assert machine == _CUDA
    flags = struct.unpack_from("<I", begin, 48)[0]
    return f"sm_{flags & 0xFF}" + ("a" if flags & 0x800 else "")


def ptx_architecture(begin: bytes) -> str:
    """`compute_86` from the `.target` of PTX."""
    match = re.search(rb"\.target\s+sm_(\d+[af]?)", begin)
    assert match, begin[:200]
    return f"compute_{match[1].decode()}"


def unpack_lz4(block: bytes, wanted: int) -> bytes:
    """The first bytes of an LZ4 block (LZ4 Block Format Description)."""
    out, at = bytearray(), 0
    while len(out) < wanted and at < len(block):
        token = block[at]
        at += 1
        length, at = _length(block, at, token >> 4)
        out += block[at : at + length]
        at += length
        if at + 2 > len(block):
            break
        offset = struct.unpack_from("<H", block, at)[0]
        length, at = _length(block, at + 2, token & 15)
        for _ in range(length + 4):
            out.append(out[-offset])
    return bytes(out)


def _length(block: bytes, at: int, length: int) -> tuple[int, int]:
    if length == 15:
        while at < len(block):
            more = block[at]
            at += 1
            length += more
            if more != 255:
                break
    return length, at

"""Holding what is read of AMD's device code against the code objects themselves.

    python tests/benchmarks/xray_truth_amd.py [WORD…]

Fetches wheels with AMD's code and takes every library apart without the reader under test: the
bundles are those that the host code's wrappers point to, each is decompressed to its end by the
program `zstd` or by zlib, and what a code object is for stands in the flags of its own ELF header.
The number of bundles, their labels and the headers must agree with what the reader lists. Where
Clang's `clang-offload-bundler` is installed, its list of the labels of plain bundles is compared
too.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from gpudoctor.binaries.code.amdgpu import agree, target_of
from gpudoctor.binaries.containers.wheel import read_wheel
from gpudoctor.model.parts.binary import Library
from xray.truth import Wheel, cache_folder, fetch

WHEELS = (
    Wheel("bitsandbytes==0.50.2", "manylinux_2_24_x86_64"),
    Wheel("bitsandbytes==0.50.2", "win_amd64"),
    Wheel("bitsandbytes==0.49.2", "manylinux_2_24_x86_64"),
    Wheel("jax-rocm7-plugin==0.10.2", "manylinux_2_27_x86_64", "3.12"),
    Wheel("cupy-rocm-7-0==14.2.0", "manylinux2014_x86_64", "3.12"),
)
_WRAPPER = struct.pack("<II", 0x48495046, 1)
_BUNDLES = (b"CCOB", b"__CL")
_BUNDLER = shutil.which("clang-offload-bundler")


def main() -> int:
    """Compare the wheels whose names hold one of the words given, or all."""
    wanted = sys.argv[1:]
    differing = 0
    for wheel in WHEELS:
        if wanted and not any(word in wheel.name for word in wanted):
            continue
        path = fetch(wheel, cache_folder() / "wheels")
        ours = {each.path.partition("!/")[2]: each for each in read_wheel(str(path))}
        libraries = bundles = objects = 0
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if not name.endswith((".so", ".dll", ".pyd")):
                    continue
                truth = [list(targets(each)) for each in pointed_at(archive.read(name))]
                listed = Counter(target for each in truth for target in each)
                found = ours.get(name)
                assert found is None or isinstance(found, Library), found
                counted = Counter(found.hip) if found else Counter()
                groups = sum(each.count for each in found.bundles) if found else 0
                if counted != listed or groups != len(truth):
                    differing += 1
                    print(f"    {name}\n      ours   {counted}\n      theirs {listed}")
                libraries += bool(truth)
                bundles += len(truth)
                objects += sum(map(len, truth))
        print(f"{wheel.name}: {libraries} libraries, {bundles} bundles, {objects} code objects")
    print(f"{differing} libraries differ")
    return 1 if differing else 0


def pointed_at(data: bytes) -> Iterator[bytes]:
    """What the wrappers of a library point to, each to the end of the file.

    Where lld left the pointers to the loader (jax), as many bundles begin at some page.
    """
    wrappers = 0
    at = data.find(_WRAPPER)
    while at >= 0:
        pointer = struct.unpack_from("<Q", data, at + 8)[0]
        offset = file_offset(data, pointer) if pointer else None
        if offset is not None and data[offset : offset + 4] in _BUNDLES:
            yield data[offset:]
        wrappers += not pointer
        at = data.find(_WRAPPER, at + 8)
    pages = range(0, len(data) if wrappers else 0, 4096)
    found = [page for page in pages if data[page : page + 4] in _BUNDLES]
    assert len(found) == wrappers, (found, wrappers)
    yield from (data[page:] for page in found)


def file_offset(data: bytes, address: int) -> int | None:
    """Where an address lies in the file: by the segments of ELF, by the sections of PE."""
    if data[:4] == b"\x7fELF":
        table, size, count = (
            struct.unpack_from("<Q", data, 32)[0],
            *struct.unpack_from("<HH", data, 54),
        )
        for at in range(table, table + size * count, size):
            kind, _, offset, start, _, length = struct.unpack_from("<IIQQQQ", data, at)
            if kind == 1 and start <= address < start + length:
                return int(address - start + offset)
        return None
    at = struct.unpack_from("<I", data, 0x3C)[0]
    count, optional = struct.unpack_from("<H12xH", data, at + 6)
    base = struct.unpack_from("<Q", data, at + 48)[0]
    for index in range(count):
        entry = at + 24 + optional + 40 * index
        start, length, offset = struct.unpack_from("<III", data, entry + 12)
        if base + start <= address < base + start + length:
            return int(address - base - start + offset)
    return None


def targets(data: bytes) -> Iterator[str]:
    """The labels of a bundle, each held against the header of its code object."""
    if data[:4] == b"CCOB":
        version, method = struct.unpack_from("<HH", data, 4)
        header = {1: 20, 2: 24, 3: 32}[version]
        data = unpacked(data[header:], method)
    elif _BUNDLER:
        yield from by_clang(data)
        return
    at = 32
    for _ in range(struct.unpack_from("<Q", data, 24)[0]):
        offset, size, length = struct.unpack_from("<QQQ", data, at)
        label = data[at + 24 : at + 24 + length].decode()
        at += 24 + length
        if not size:
            continue
        target = label.partition("-amd-amdhsa-")[2].partition("-")[2]
        own = target_of(data[offset : offset + 64])
        assert own is None or agree(target, own), (label, own)
        yield target


def unpacked(data: bytes, method: int) -> bytes:
    """The whole of a compressed body; what follows it is left out."""
    if method == 0:
        return zlib.decompressobj().decompress(data)
    done = subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=False)
    return done.stdout  # it fails at what follows the frame, after having written it


def by_clang(data: bytes) -> Iterator[str]:
    """What Clang's own program lists."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        command = [str(_BUNDLER), "--list", "--type=o", f"--input={file.name}"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    for line in done.stdout.split():
        if "-amd-amdhsa-" in line:
            yield line.partition("-amd-amdhsa-")[2].partition("-")[2]


if __name__ == "__main__":
    sys.exit(main())

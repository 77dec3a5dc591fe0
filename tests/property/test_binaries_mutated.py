"""Well-formed binaries and wheels, mutated: a result or the one documented exception."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor.binaries import UnreadableBinaryError, coverage
from gpudoctor.binaries.code.skeleton import Skeleton
from gpudoctor.binaries.containers.inflated import InflatedSource
from gpudoctor.binaries.containers.zip_archive import data_offset, members
from gpudoctor.binaries.library import read_source
from gpudoctor.binaries.source import BytesSource, Source
from gpudoctor.compat.architecture import ComputeCapability
from xray.made import PE_BASE, Section, container, elf, fatbin, pe, records, wheel
from xray.made_vendors import (
    SPIRV,
    ar,
    bundle,
    compressed,
    fat,
    hip_fatbin,
    intel_image,
    kernel_archive,
    macho,
    reference,
    wrappers,
)

GENERAL = container("sm_75 sm_80 sm_90a sm_120f compute_120")
ELF = elf(
    fatbin(GENERAL, container("sm_90a"), bytes(24), container()),
    fatbin(container("sm_80 compute_80"), name="__nv_relfatbin"),
    records((1, 64), (2, 200)),
    extended=True,
)
PE = pe(fatbin(GENERAL), records((1, PE_BASE + 512)))
WHEEL = wheel([("a/b.so", ELF), ("a/c.pyd", PE)])
INNER = bundle("gfx90a:sramecc+:xnack-", "gfx1100")
BUNDLES, STARTS = hip_fatbin(
    INNER, compressed(INNER), compressed(INNER, 2, 0), compressed(INNER, 1)
)
AMD = elf(BUNDLES, wrappers(*(64 + start for start in STARTS)), reference("x", "../@GFXARCH@.k"))
IMAGES = Section("__CLANG_OFFLOAD_BUNDLE__sycl-spir64_gen", intel_image("12.60.7") + SPIRV)
INTEL = elf(IMAGES, Section(".tgtimg", struct.pack("<4Q", 64, 1000, 64 + 400, 600)))
VENDORS = [
    AMD,
    INTEL,
    kernel_archive({"gfx1100": ["a", "b"], "gfx90a:xnack-": ["a"]}),
    ar(("a.o", ELF), ("a name longer than fifteen.o", AMD)),
    macho("14.0", ["14.0", "26.2"]),
    fat(macho("11.0", ["13.0"]), macho("10.13", old_command=True)),
    GENERAL,
    compressed(INNER),
]
# What a header must not say: sizes at the edges of every width.
EDGES = [0, 1, 2**15, 2**16 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1]


def read(source: Source) -> None:
    found = read_source(source, "x.so")
    if found is not None:
        result = coverage(found, ComputeCapability(12, 0))
        assert 0 <= result.runnable <= result.of


def read_wheel(data: bytes) -> None:
    source = BytesSource(data)
    for member in members(source):
        start = data_offset(source, member)
        size = min(member.size, 1 << 22)
        try:
            follower = Skeleton()
            read(InflatedSource(source, start, member.compressed, size, follower=follower))
        except UnreadableBinaryError:
            continue


def survives(reader: Callable[[bytes], None], data: bytes) -> None:
    try:
        reader(data)
    except UnreadableBinaryError:
        pass


def read_bytes(data: bytes) -> None:
    read(BytesSource(data))


KINDS = st.sampled_from(
    [
        (read_bytes, ELF),
        (read_bytes, PE),
        (read_wheel, WHEEL),
        *((read_bytes, data) for data in VENDORS),
    ]
)
Kind = tuple[Callable[[bytes], None], bytes]


@settings(max_examples=400, deadline=None)
@given(KINDS, st.integers(0, 1 << 16), st.sampled_from(EDGES), st.sampled_from([1, 2, 4, 8]))
def test_any_field_may_claim_anything(kind: Kind, at: int, value: int, width: int) -> None:
    reader, data = kind
    at %= len(data)
    field = (value % (1 << (8 * width))).to_bytes(width, "little")
    survives(reader, data[:at] + field + data[at + width :])


@settings(max_examples=200, deadline=None)
@given(KINDS, st.integers(0, 1 << 16))
def test_a_file_may_end_anywhere(kind: Kind, length: int) -> None:
    reader, data = kind
    survives(reader, data[: length % len(data)])


@settings(max_examples=200, deadline=None)
@given(KINDS, st.integers(0, 2**32))
def test_bytes_may_be_moved_copied_and_flipped(kind: Kind, seed: int) -> None:
    reader, original = kind
    chance = random.Random(seed)
    data = bytearray(original)
    for _ in range(chance.randint(1, 8)):
        begin, target = chance.randrange(len(data)), chance.randrange(len(data))
        length = chance.randint(1, 64)
        if chance.random() < 0.5:
            data[target : target + length] = data[begin : begin + length]
        else:
            data[target] ^= 1 << chance.randrange(8)
    survives(reader, bytes(data))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=600), st.sampled_from([b"\x7fELF\x02\x01", b"MZ", b"PK\x05\x06", b""]))
def test_noise_behind_a_magic_number_is_read_as_anything_else(noise: bytes, magic: bytes) -> None:
    survives(read_bytes, magic + noise)
    survives(read_wheel, magic + noise)

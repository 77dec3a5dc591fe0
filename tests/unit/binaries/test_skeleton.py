"""A compressed library is decompressed once: its headers are kept while it goes by."""

from __future__ import annotations

import random
import zlib

import pytest

from gpudoctor.binaries.code.skeleton import Skeleton
from gpudoctor.binaries.containers.inflated import InflatedSource
from gpudoctor.binaries.library import read_source
from gpudoctor.binaries.source import BytesSource
from gpudoctor.model.parts.binary import Library
from xray.made import Image, Section, container, elf, fatbin, pe, records

MiB = 1 << 20
NAMES = ["sm_75", "sm_80", "sm_90", "sm_90a", "sm_100f", "compute_90"]


def read(data: bytes) -> tuple[Library | None, int]:
    """What is found in the compressed library, and in how many passes."""
    engine = zlib.compressobj(1, zlib.DEFLATED, -15)
    packed = engine.compress(data) + engine.flush()
    source = InflatedSource(BytesSource(packed), 0, len(packed), len(data), follower=Skeleton())
    return read_source(source, "x.so"), source.passes


def library(chance: random.Random, *, tail: int) -> bytes:
    """Containers of many sizes, padding, constants, records, and `tail` bytes of something else."""
    made, at, starts = b"", 64, []
    filler = bytes(chance.randrange(256) for _ in range(4096)) * (tail // 4096)
    for _ in range(chance.randint(1, 30)):
        images = [
            Image(chance.choice(NAMES), payload=8 * chance.choice([1, 50, 200, 9000]))
            for _ in range(chance.randint(0, 6))
        ]
        starts.append(at + len(made))
        made += container(images) + bytes(8 * chance.choice([0, 0, 3, 90]))
    return elf(
        Section(".nv_fatbin", made),
        Section(".rodata", b"words " * 100 + container("sm_80") + b"more"),
        fatbin(container("sm_80 compute_80"), name="__nv_relfatbin"),
        Section(".text", filler),
        records(*[(1 + chance.randrange(2), start) for start in starts]),
        Section(".strtab", filler),
    )


@pytest.mark.parametrize("seed", range(25))
def test_what_is_found_in_one_pass_is_what_is_there(seed: int) -> None:
    data = library(random.Random(seed), tail=2 * MiB)
    assert read(data) == (read_source(BytesSource(data), "x.so"), 1)


def test_a_container_that_is_longer_than_the_window_is_passed_over() -> None:
    big = container([Image("sm_80", payload=5 * MiB), Image("sm_90", payload=3 * MiB)])
    data = elf(fatbin(big, container("sm_75")), Section(".text", bytes(2 * MiB)))
    found, passes = read(data)
    assert found is not None
    assert (found.sass, passes) == ({"sm_75": 1, "sm_80": 1, "sm_90": 1}, 1)


def test_a_windows_library_takes_one_pass_too() -> None:
    data = pe(fatbin(container("sm_80") * 50), Section(".text", bytes(3 * MiB)))
    found, passes = read(data)
    assert found is not None
    assert (found.fatbins, passes) == (50, 1)


def test_what_swallows_the_device_code_by_chance_costs_a_second_pass() -> None:
    lying = bytearray(container("sm_80"))
    lying[8:16] = (4 * MiB).to_bytes(8, "little")
    data = elf(
        Section(".text", bytes(lying)),
        fatbin(container("sm_80") * 9, bytes(0), container("sm_90")),
        Section(".data", bytes(8 * MiB)),
    )
    found, passes = read(data)
    assert found is not None
    assert (found.sass, passes) == ({"sm_80": 9, "sm_90": 1}, 2)


def test_a_container_whose_header_claims_to_be_long_is_no_surprise() -> None:
    """Found by fuzzing."""
    lying = bytearray(container("sm_80"))
    lying[6:8] = (500).to_bytes(2, "little")
    skeleton = Skeleton()
    skeleton.see(bytes(lying), 0, last=True)
    assert skeleton.next_container(0, 1000) == 0


def test_what_is_kept_is_bounded() -> None:
    skeleton = Skeleton()
    data = container([Image("sm_80", payload=456)] * 2000) * 20
    skeleton.see(data, 0, last=True)
    assert skeleton.read(0, 16) is None

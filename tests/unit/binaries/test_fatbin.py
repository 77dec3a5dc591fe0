"""The walk over containers and their images."""

from __future__ import annotations

import random
import struct

import pytest

from gpudoctor.binaries.budget import MOST_PADDING, Budget
from gpudoctor.binaries.code.fatbin import Containers, walk
from gpudoctor.binaries.source import BytesSource, UnreadableBinaryError
from xray.made import LTO, Image, container, images


class Counting(BytesSource):
    """Counts what is read."""

    def __init__(self, data: bytes, size: int | None = None) -> None:
        super().__init__(data)
        self.size = size or len(data)
        self.reads = 0
        self.bytes = 0

    def read(self, offset: int, length: int) -> bytes:
        self.reads += 1
        found = super().read(offset, length)
        self.bytes += len(found)
        return found


def walked(data: bytes, start: int = 0) -> Containers:
    return walk(BytesSource(data), start, len(data) - start, Budget(0))


def names(found: Containers) -> dict[str, int]:
    return {" ".join(each.name for each in key): len(starts) for key, starts in found.items()}


def refusal(data: bytes, size: int | None = None) -> str:
    with pytest.raises(UnreadableBinaryError) as caught:
        walk(BytesSource(data), 0, size or len(data), Budget(0))
    return caught.value.reason


def test_containers_are_grouped_by_their_images_whatever_the_order() -> None:
    data = container("sm_80 sm_90a compute_90") + container("compute_90 sm_90a sm_80")
    assert names(walked(data)) == {"compute_90 sm_80 sm_90a": 2}


def test_the_forms_of_an_architecture_are_told_from_flag_bits() -> None:
    found = walked(container("sm_100 sm_100a sm_100f compute_120f"))
    assert names(found) == {"compute_120f sm_100 sm_100a sm_100f": 1}


def test_ptx_carries_its_version_and_machine_code_none() -> None:
    (key,) = walked(container([Image("sm_90"), Image("compute_90", isa=(8, 7))]))
    assert [each.isa for each in key] == [(8, 7), (0, 0)]


def test_padding_between_containers_is_passed_over() -> None:
    data = container("sm_80") + bytes(24) + container("sm_90") + b"\xff" * 40
    assert names(walked(data)) == {"sm_80": 1, "sm_90": 1}


def test_a_magic_number_off_the_alignment_is_no_container() -> None:
    data = container("sm_80") + bytes(4) + container("sm_50") + bytes(4)
    assert names(walked(data)) == {"sm_80": 1}


def test_padding_of_many_chunks_is_passed_over() -> None:
    data = bytes(200_000) + container("sm_80")
    assert names(walked(data)) == {"sm_80": 1}


def test_an_empty_container_stands_for_itself() -> None:
    assert (
        walked(container("") + container("sm_80")).keys()
        == walked(container("sm_80") + container("")).keys()
    )
    assert walked(container("")) == {(): [0]}


def test_zeros_behind_the_last_image_end_a_container() -> None:
    assert names(walked(container("sm_80", trailing=bytes(128)) + container("sm_90"))) == {
        "sm_80": 1,
        "sm_90": 1,
    }


def test_headers_of_other_sizes_are_followed() -> None:
    """nvcc 13.0 writes 64 bytes, and 80 or 112 where a name or options follow."""
    entries = [Image("sm_75"), Image("sm_90", header=112), Image("compute_90", header=80)]
    assert names(walked(container(entries))) == {"compute_90 sm_75 sm_90": 1}


def test_other_kinds_of_code_are_told_from_machine_code() -> None:
    (key,) = walked(container([Image("sm_90"), Image("sm_90", kind=LTO)]))
    assert [each.is_sass for each in key] == [True, False]


def test_payloads_are_never_read() -> None:
    big = container(images("sm_80 sm_90 sm_100", payload=1 << 20))
    source = Counting(big * 4)
    walk(source, 0, source.size, Budget(0))
    assert source.reads == 12
    assert source.bytes < 12 * 1024


def test_small_images_share_a_read() -> None:
    source = Counting(container(images("sm_80 sm_90 sm_100", payload=8)))
    walk(source, 0, source.size, Budget(0))
    assert source.reads == 1


@pytest.mark.parametrize("cut", [1, 40, 100, 150])
def test_a_container_that_is_cut_short_is_refused(cut: int) -> None:
    assert "more than there are" in refusal(container("sm_80 sm_90")[:-cut])


def test_a_file_that_ends_before_its_section_does_is_refused() -> None:
    """As when somebody cuts it while it is read."""
    data = container("sm_80 sm_90")
    assert "ends inside its device code" in refusal(data[:100], size=len(data))


@pytest.mark.parametrize("size", [2**64 - 1, 2**63, 1000])
def test_an_image_larger_than_its_container_is_refused(size: int) -> None:
    data = bytearray(container("sm_80"))
    data[16 + 8 : 16 + 16] = struct.pack("<Q", size)
    assert "which its container does not hold" in refusal(bytes(data))


@pytest.mark.parametrize("size", [0, 1, 47])
def test_an_image_with_too_small_a_header_is_refused_and_not_read_for_ever(size: int) -> None:
    data = bytearray(container("sm_80"))
    data[16 + 4 : 16 + 8] = struct.pack("<I", size)
    assert "which its container does not hold" in refusal(bytes(data))


@pytest.mark.parametrize(("version", "header"), [(2, 16), (1, 8), (1, 17), (0, 16)])
def test_an_unknown_kind_of_container_is_unknown_and_not_empty(version: int, header: int) -> None:
    data = bytearray(container("sm_80"))
    data[4:8] = struct.pack("<HH", version, header)
    assert "does not know" in refusal(bytes(data))


def test_more_images_than_any_library_has_are_refused() -> None:
    data = container([Image("sm_80", payload=0)] * 1000)
    with pytest.raises(UnreadableBinaryError, match="more parts"):
        walk(BytesSource(data * 2), 0, len(data) * 2, Budget(0, steps=2001))
    assert len(walk(BytesSource(data * 2), 0, len(data) * 2, Budget(0, steps=2002))) == 1


def test_a_section_full_of_empty_containers_is_refused_after_a_bounded_time() -> None:
    """A gigabyte holds 67 million of them."""
    many = container("") * 1000
    with pytest.raises(UnreadableBinaryError, match="more parts"):
        walk(BytesSource(many), 0, len(many), Budget(0, steps=999))


def test_a_section_full_of_something_else_is_refused_after_a_bounded_search() -> None:
    class Zeros:
        """A sparse file of four exabytes."""

        size = 1 << 62
        total = 0

        def read(self, offset: int, length: int) -> bytes:
            self.total += length
            return bytes(length)

    source = Zeros()
    with pytest.raises(UnreadableBinaryError, match="MiB in its device code sections"):
        walk(source, 0, source.size, Budget(0))
    assert source.total < 2 * MOST_PADDING


def test_random_containers_come_back_as_they_were_made() -> None:
    chance = random.Random(1)
    known = ["sm_75", "sm_80", "sm_90", "sm_90a", "sm_100f", "sm_120", "compute_90"]
    for _ in range(100):
        made = [chance.sample(known, chance.randint(1, 6)) for _ in range(chance.randint(1, 9))]
        data = b"".join(
            container([Image(name, payload=8 * chance.randint(0, 200)) for name in each])
            + bytes(8 * chance.randint(0, 5))
            for each in made
        )
        found = [sorted(each.name for each in key) for key, at in walked(data).items() for _ in at]
        assert sorted(found) == sorted(sorted(each) for each in made)

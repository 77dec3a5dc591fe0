"""Which sections of a binary are found, and which claims of its headers are refused."""

from __future__ import annotations

import struct

import pytest

from gpudoctor.binaries.library import read_source
from gpudoctor.binaries.source import BytesSource, UnreadableBinaryError
from gpudoctor.model.facts import Library
from xray.made import PE_BASE, Section, container, elf, fatbin, pe, records

CODE = fatbin(container("sm_80 sm_90 compute_90"))


def read(data: bytes) -> Library | None:
    return read_source(BytesSource(data), "library")


def found(data: bytes) -> Library:
    library = read(data)
    assert library is not None
    return library


def refusal(data: bytes) -> str:
    with pytest.raises(UnreadableBinaryError) as caught:
        read(data)
    return caught.value.reason


@pytest.mark.parametrize(
    ("number", "name"), [(62, "x86_64"), (183, "aarch64"), (21, "ppc64le"), (243, None)]
)
def test_an_elf_library_says_its_processor(number: int, name: str | None) -> None:
    library = found(elf(CODE, machine=number))
    assert (library.format, library.machine) == ("elf", name)
    assert library.sass == {"sm_80": 1, "sm_90": 1}


@pytest.mark.parametrize(("number", "name"), [(0x8664, "x86_64"), (0xAA64, "aarch64")])
def test_a_windows_library_says_its_processor(number: int, name: str) -> None:
    library = found(pe(Section(".text", b"code"), CODE, machine=number))
    assert (library.format, library.machine) == ("pe", name)
    assert library.sass == {"sm_80": 1, "sm_90": 1}


def test_more_sections_than_the_header_can_count_are_read() -> None:
    library = found(elf(CODE, extended=True, padding=70_000))
    assert library.fatbins == 1


def test_device_code_in_several_sections_of_one_name_is_added_up() -> None:
    assert found(elf(CODE, Section(".text", b"x"), CODE)).fatbins == 2


def test_a_section_without_bytes_in_the_file_is_left_out() -> None:
    """As in the debug half of a library that was split."""
    split = Section(".nv_fatbin", b"", kind=8, offset=1 << 40, size=1 << 30)
    assert read(elf(split)) is None


def test_section_names_are_compared_whole() -> None:
    assert (
        read(elf(Section(".nv_fatbin_not", CODE.data), Section("x.nv_fatbin", CODE.data))) is None
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"MZ",
        b"\x7fELF",
        b"#!/bin/sh\n" + b"x" * 100,
        b"MZ is how this text begins".ljust(200),
        b"\x7fELF\x01\x01" + bytes(94),  # 32-bit
        b"\x7fELF\x02\x02" + bytes(94),  # big-endian
        elf(Section(".text", b"code")),
        pe(Section(".text", b"code")),
    ],
)
def test_what_carries_no_device_code_is_no_error(data: bytes) -> None:
    assert read(data) is None


def test_a_library_without_section_headers_is_unknown_and_not_empty() -> None:
    data = bytearray(elf(CODE))
    data[40:48] = bytes(8)
    assert "no section headers" in refusal(bytes(data))


@pytest.mark.parametrize("claim", [2**64 - 1, 2**63, 2**63 - 1, 1 << 40, 200])
def test_section_headers_beyond_the_end_are_refused(claim: int) -> None:
    data = bytearray(elf(CODE))
    data[40:48] = struct.pack("<Q", claim)
    assert refusal(bytes(data))


@pytest.mark.parametrize("size", [2**64 - 1, 1 << 40])
@pytest.mark.parametrize("offset", [2**64 - 1, 64])
def test_a_section_that_ends_beyond_the_end_is_refused(offset: int, size: int) -> None:
    beyond = Section(".nv_fatbin", b"", offset=offset, size=size)
    assert refusal(elf(beyond)) == "Its section .nv_fatbin ends beyond the end of the file."


def test_a_million_claimed_sections_are_refused_before_they_are_read() -> None:
    data = bytearray(elf(CODE, extended=True))
    table = struct.unpack_from("<Q", data, 40)[0]
    data[table + 32 : table + 40] = struct.pack("<Q", 2**64 - 1)
    assert "sections, more than the file holds" in refusal(bytes(data))


def test_a_windows_section_that_ends_beyond_the_end_is_refused() -> None:
    assert refusal(pe(CODE)[:-400]) == "Its section .nv_fatbin ends beyond the end of the file."


def test_padding_behind_a_windows_section_is_not_read() -> None:
    """The raw size is rounded up; what lies there belongs to nobody."""
    data = pe(CODE, alignment=4096)
    stray = data[: len(CODE.data) - 4096] + container("sm_50").ljust(4096 - len(CODE.data), b"\0")
    assert found(stray).sass == {"sm_80": 1, "sm_90": 1}


def test_windows_pointers_count_from_the_image_base() -> None:
    registered = pe(CODE, fatbin(container("sm_50")), records((1, PE_BASE + 512)))
    library = found(registered)
    assert library.sass == {"sm_50": 1, "sm_80": 1, "sm_90": 1}
    assert [group.sass for group in library.groups] == [("sm_80", "sm_90")]

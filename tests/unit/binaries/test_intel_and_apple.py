"""Intel's SYCL images, static archives, cubins, and the systems of Apple's libraries."""

from __future__ import annotations

import struct

import pytest

from gpudoctor.binaries.library import read_source
from gpudoctor.binaries.source import BytesSource, UnreadableBinaryError
from gpudoctor.model.parts.binary import CodeGroup, Library
from xray.made import PE_BASE, Section, container, elf, fatbin, pe
from xray.made_vendors import SPIRV, ar, fat, intel_image, macho, zstd_frame

AHEAD = "__CLANG_OFFLOAD_BUNDLE__sycl-spir64_gen"
JIT = "__CLANG_OFFLOAD_BUNDLE__sycl-spir64"


def found(data: bytes) -> Library:
    library = read_source(BytesSource(data), "library")
    assert library is not None
    return library


def table(*entries: tuple[int, int]) -> Section:
    return Section(".tgtimg", b"".join(struct.pack("<QQ", *each) for each in entries))


def test_images_are_listed_by_the_gpus_that_they_were_compiled_for() -> None:
    first, second = intel_image("12.60.7", "20.1.4"), intel_image("12.60.7")
    first += bytes(-len(first) % 16)
    ahead, jit = Section(AHEAD, first + second), Section(JIT, zstd_frame(SPIRV))
    jit_at = 64 + len(ahead.data) + -len(ahead.data) % 8
    places = [(64, 1000), (64 + len(first), 1000), (jit_at, len(SPIRV))]
    assert found(elf(ahead, jit, table(*places))).xpu == {"12.60.7": 2, "20.1.4": 1, "spirv": 1}


def test_images_that_are_not_compressed_are_read_too() -> None:
    image = intel_image("12.55.8", packed=False)
    assert found(elf(Section(AHEAD, image), table((64, len(image))))).xpu == {"12.55.8": 1}


def test_without_addresses_each_section_is_read_from_its_beginning() -> None:
    data = elf(Section(AHEAD, intel_image("12.55.8")), Section(JIT, SPIRV), table((0, 0), (0, 0)))
    assert found(data).xpu == {"12.55.8": 1, "spirv": 1}


@pytest.mark.parametrize("kind", [8, 1027])  # x86-64 and aarch64
def test_addresses_that_lie_in_the_relocations_alone_are_found_there(kind: int) -> None:
    first, second = intel_image("12.55.8"), intel_image("20.1.4")
    first += bytes(-len(first) % 16)
    images, entries = Section(AHEAD, first + second), table((0, 900), (0, 900))
    at = 64 + len(images.data) + -len(images.data) % 8  # of the table
    other = struct.pack("<QQQ", 8, kind, 64)  # moves something else
    moves = b"".join(
        struct.pack("<QQQ", at + 16 * place, kind, address)
        for place, address in enumerate((64, 64 + len(first)))
    )
    data = elf(images, entries, Section(".rela.dyn", other + moves + other))
    assert found(data).xpu == {"12.55.8": 1, "20.1.4": 1}


def test_in_windows_libraries_all_images_lie_in_one_section() -> None:
    image = intel_image("12.71.4")
    image += bytes(-len(image) % 16)
    images = Section("__CLANG_", image + SPIRV)
    at = PE_BASE + 512
    library = found(pe(images, table((at, 1000), (at + len(image), len(SPIRV)))))
    assert library.xpu == {"12.71.4": 1, "spirv": 1}


def test_a_module_without_kernels_is_no_way_to_run() -> None:
    tiny = b"\x03\x02\x23\x07".ljust(88, b"\0")
    data = elf(Section(JIT, tiny), table((64, len(tiny))))
    assert read_source(BytesSource(data), "x") is None


def test_an_image_of_an_unknown_kind_is_listed_as_such() -> None:
    assert found(elf(Section(JIT, b"something" * 50))).xpu == {"other": 1}


def test_a_damaged_image_is_refused() -> None:
    data = elf(Section(JIT, b"\x28\xb5\x2f\xfd" + b"\xff" * 200))
    with pytest.raises(UnreadableBinaryError, match="damaged"):
        read_source(BytesSource(data), "x")


def test_static_archives_add_up_their_members() -> None:
    member = elf(fatbin(container("sm_80 compute_80")))
    library = found(ar(("a.o", member), ("a name longer than fifteen.o", member), ("x.txt", b"x")))
    assert (library.format, library.machine, library.fatbins) == ("ar", "x86_64", 2)
    assert library.groups == (
        CodeGroup(sass=("sm_80",), ptx=("compute_80",), count=2, ptx_isa="9.0"),
    )


def test_a_container_that_is_a_file_is_read() -> None:
    library = found(container("sm_80 sm_90a compute_90"))
    assert library.sass == {"sm_80": 1, "sm_90a": 1}
    assert library.format == "nv_fatbin"


def cubin(flags: int, abi: int) -> bytes:
    head = b"\x7fELF" + bytes([2, 1, 1, 51, abi]) + bytes(7)
    return head + struct.pack("<HHIQQQIHHHHHH", 2, 190, 1, 0, 0, 0, flags, 64, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("flags", "abi", "name"),
    [
        (0x550055 | 0x500, 7, "sm_85"),
        (0x5A055A | 0x800, 7, "sm_90a"),
        (0x6402 << 0, 8, "sm_100"),
        (0x7802 | 0x8, 8, "sm_120a"),
    ],
)
def test_a_cubin_says_its_architecture(flags: int, abi: int, name: str) -> None:
    library = found(cubin(flags, abi))
    assert library.sass == {name: 1}
    assert library.groups == (CodeGroup(sass=(name,)),)


def test_a_mac_library_says_the_oldest_system_that_loads_it() -> None:
    library = found(macho("14.0", metal=["14.0", "26.2"]))
    assert (library.format, library.machine) == ("macho", "arm64")
    assert (library.macos, library.metal) == ("14.0", ("14.0", "26.2"))


def test_an_older_load_command_says_it_too() -> None:
    assert found(macho("10.13", old_command=True, machine=0x01000007)).macos == "10.13"


def test_of_a_fat_library_every_part_is_read() -> None:
    library = found(fat(macho("10.13", machine=0x01000007), macho("11.0", ["13.0"])))
    assert (library.macos, library.metal, library.machine) == ("11.0", ("13.0",), None)


def test_a_java_class_is_no_fat_library() -> None:
    assert read_source(BytesSource(b"\xca\xfe\xba\xbe\0\0\0\x41" + bytes(100)), "x") is None


def test_headers_that_contradict_the_file_are_refused() -> None:
    whole = macho("14.0", metal=["14.0"])
    with pytest.raises(UnreadableBinaryError, match="beyond the end"):
        read_source(BytesSource(whole[:100]), "x")
    with pytest.raises(UnreadableBinaryError, match="no length"):
        read_source(BytesSource(whole[:36] + bytes(len(whole))), "x")

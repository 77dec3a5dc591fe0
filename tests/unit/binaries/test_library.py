"""Libraries as facts: groups, relocatable code, what is registered; samples of nvcc 13.0."""

from __future__ import annotations

import lzma
import os
from pathlib import Path

import pytest

from gpudoctor.binaries.budget import Budget
from gpudoctor.binaries.code.fatbin import walk
from gpudoctor.binaries.library import read_library, read_source
from gpudoctor.binaries.source import BytesSource, UnreadableBinaryError
from gpudoctor.errors import UsageError
from gpudoctor.model.facts import CodeGroup, Library
from xray.made import LTO, Image, Section, container, elf, fatbin, pe, records

FIXTURES = Path(__file__).with_name("fixtures")
BASE = 64


def sample(name: str) -> bytes:
    """What nvcc 13.0.88 made; fixtures/README.md has the commands."""
    return lzma.decompress((FIXTURES / f"{name}.xz").read_bytes())


def found(data: bytes) -> Library:
    library = read_source(BytesSource(data), "library")
    assert library is not None
    return library


def test_the_forms_that_nvcc_was_asked_for_are_those_that_are_read() -> None:
    data = sample("forms.fatbin")
    (images,) = walk(BytesSource(data), 0, len(data), Budget(0))
    assert {each.name for each in images} == {
        "sm_75", "sm_90a", "compute_90a", "sm_100f", "sm_103a", "compute_103a",
        "sm_120f", "compute_120f", "sm_110", "compute_110",
    }  # fmt: skip
    assert {each.isa for each in images if each.is_ptx} == {(9, 0)}


def test_a_library_of_two_files_has_two_containers() -> None:
    assert found(sample("whole.so")).groups == (
        CodeGroup(sass=("sm_80", "sm_90"), ptx=("compute_90",), count=2, ptx_isa="9.0"),
    )


def test_a_device_link_is_kept_apart_from_the_objects_it_was_made_of() -> None:
    library = found(sample("relocatable.so"))
    assert library.groups == (CodeGroup(sass=("sm_80", "sm_90"), relinkable=True),)
    assert library.relocatable == (
        CodeGroup(sass=("sm_80", "sm_90"), ptx=("compute_90",), count=2, ptx_isa="9.0"),
    )
    assert (library.fatbins, library.sass, library.ptx) == (1, {"sm_80": 1, "sm_90": 1}, {})


def test_the_most_frequent_set_of_images_comes_first() -> None:
    many, few = container("sm_75 sm_80"), container("sm_90a")
    library = found(elf(fatbin(few, many, many)))
    assert [(each.count, each.sass) for each in library.groups] == [
        (2, ("sm_75", "sm_80")),
        (1, ("sm_90a",)),
    ]
    assert library.sass == {"sm_75": 2, "sm_80": 2, "sm_90a": 1}


def test_architectures_are_in_the_order_of_their_numbers() -> None:
    library = found(elf(fatbin(container("sm_120 sm_90a sm_90 sm_75 sm_100f sm_100"))))
    assert list(library.sass) == ["sm_75", "sm_90", "sm_90a", "sm_100", "sm_100f", "sm_120"]
    assert library.groups[0].sass == tuple(library.sass)


def test_two_images_of_one_architecture_count_twice_and_are_named_once() -> None:
    library = found(elf(fatbin(container("sm_80 sm_80"))))
    assert library.sass == {"sm_80": 2}
    assert library.groups[0].sass == ("sm_80",)


def test_the_newest_ptx_version_of_a_container_is_kept() -> None:
    entries = [Image("compute_80", isa=(8, 10)), Image("compute_90", isa=(8, 9))]
    assert found(elf(fatbin(container(entries)))).groups[0].ptx_isa == "8.10"


def test_containers_of_which_nothing_can_be_loaded_are_left_out() -> None:
    lto = container([Image("sm_90", kind=LTO)])
    assert read_source(BytesSource(elf(fatbin(container(), lto))), "x") is None


def test_a_container_that_nobody_registers_counts_as_there_but_not_as_a_kernel() -> None:
    """libcurand.so and libnvjpeg.so carry such a leftover of a device link."""
    first, second = container("sm_80 compute_80"), container("sm_80")
    library = found(elf(fatbin(first, second), records((1, BASE))))
    assert library.sass == {"sm_80": 2}
    assert library.groups == (CodeGroup(sass=("sm_80",), ptx=("compute_80",), ptx_isa="9.0"),)


def test_all_containers_count_where_the_linker_leaves_pointers_to_the_loader() -> None:
    library = found(elf(fatbin(container("sm_80"), container("sm_90")), records((1, 0), (1, 0))))
    assert len(library.groups) == 2


def test_all_containers_count_in_an_object_file_whose_sections_begin_at_zero() -> None:
    data = bytearray(elf(fatbin(container("sm_80"), container("sm_90")), records((1, 0), (1, 0))))
    table = int.from_bytes(data[40:48], "little")
    for section in range(4):
        data[table + 64 * section + 16 : table + 64 * section + 24] = bytes(8)
    assert len(found(bytes(data)).groups) == 2


def test_a_relinkable_container_without_a_pointer_is_one_without_ptx() -> None:
    linked, plain = container("sm_80"), container("sm_80 compute_80")
    objects = fatbin(container("sm_80 compute_80"), name="__nv_relfatbin")
    library = found(elf(fatbin(plain, linked), objects, records((1, 0), (2, 0), (1, 0))))
    assert [(each.relinkable, each.ptx) for each in library.groups] == [
        (True, ()),
        (False, ("compute_80",)),
    ]


def test_relocatable_code_alone_is_device_code() -> None:
    library = found(elf(fatbin(container("sm_80"), name="__nv_relfatbin")))
    assert (library.fatbins, library.groups, len(library.relocatable)) == (0, (), 1)


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "library.so"
    path.write_bytes(pe(fatbin(container("sm_80"))))
    library = read_library(str(path))
    assert library is not None
    assert (library.path, library.format) == (str(path), "pe")


def test_a_file_that_is_not_there_is_a_usage_error_with_its_path() -> None:
    with pytest.raises(UsageError) as caught:
        read_library("/nowhere/library.so")
    assert str(caught.value) == "/nowhere/library.so cannot be read: No such file or directory."


def test_a_damaged_file_is_named_in_the_message(tmp_path: Path) -> None:
    path = tmp_path / "library.so"
    path.write_bytes(elf(fatbin(container("sm_80")))[:-100])
    with pytest.raises(UnreadableBinaryError) as caught:
        read_library(str(path))
    assert str(caught.value).startswith(f"{path} cannot be read: ")


@pytest.mark.parametrize("content", [b"", b"x", b"\x7fELF"])
def test_tiny_files_carry_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tiny.so"
    path.write_bytes(content)
    assert read_library(str(path)) is None


def test_offsets_that_no_system_call_takes_are_refused(tmp_path: Path) -> None:
    """Found by fuzzing: pread raises OverflowError for 2**63 and beyond."""
    path = tmp_path / "library.so"
    for claim in (2**63, 2**64 - 1):
        data = bytearray(elf(fatbin(container("sm_80")), extended=True))
        data[40:48] = claim.to_bytes(8, "little")
        path.write_bytes(data)
        with pytest.raises(UnreadableBinaryError):
            read_library(str(path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_does_not_stop_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "pipe.so"
    os.mkfifo(path)
    assert read_library(str(path)) is None


def test_a_file_that_shrinks_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """With mmap this would be a SIGBUS, which ends the process."""
    from gpudoctor.binaries.source import FileSource

    path = tmp_path / "library.so"
    data = elf(fatbin(*[container([Image("sm_80", payload=1 << 16)])] * 20))
    path.write_bytes(data)

    class Shrinking(FileSource):
        """Cuts the file once its headers have been read."""

        def read(self, offset: int, length: int) -> bytes:
            if offset > 1 << 19:
                os.truncate(path, 4096)
            return super().read(offset, length)

    with Shrinking(str(path)) as source, pytest.raises(UnreadableBinaryError):
        read_source(source, "x")


def test_containers_among_the_constants_count_for_the_verdict_and_stand_apart() -> None:
    """TensorFlow has 1,149 of them beside 248 others."""
    constants = b"text" * 10 + container("sm_80 compute_90") + b"more" * 9
    data = elf(Section(".rodata", constants), fatbin(container("sm_80 sm_90")))
    library = found(data)
    assert (library.fatbins, library.sass) == (1, {"sm_80": 1, "sm_90": 1})
    assert library.embedded == (CodeGroup(sass=("sm_80",), ptx=("compute_90",), ptx_isa="9.0"),)
    assert set(library.groups) == {CodeGroup(sass=("sm_80", "sm_90")), *library.embedded}


def test_the_magic_number_of_a_container_may_stand_among_constants_by_chance() -> None:
    chance = container("sm_80")[:16] + b"\xff" * 200
    library = found(elf(Section(".rodata", chance), fatbin(container("sm_80"))))
    assert library.embedded == ()


def test_the_constants_of_a_library_without_device_code_are_not_searched() -> None:
    data = elf(Section(".rodata", container("sm_80")))
    assert read_source(BytesSource(data), "x") is None

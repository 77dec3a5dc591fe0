"""Wheels: their members are read without being unpacked."""

from __future__ import annotations

import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest

from gpudoctor.binaries.containers.inflated import InflatedSource
from gpudoctor.binaries.containers.wheel import read_wheel
from gpudoctor.binaries.containers.zip_archive import Member, members
from gpudoctor.binaries.source import BytesSource, Skipped, UnreadableBinaryError
from gpudoctor.model.facts import Library
from xray.made import Image, Section, container, elf, fatbin, pe, records, wheel

NAME = "My.Package-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"
FILLER = Section(".text", bytes(range(256)) * 8)
LINUX = elf(FILLER, fatbin(container("sm_80 sm_90")), records((1, 64)))
WINDOWS = pe(FILLER, records((1, 0)), fatbin(container("sm_75 compute_75")))


def written(folder: Path, data: bytes, name: str = NAME) -> str:
    path = folder / name
    path.write_bytes(data)
    return str(path)


def read(path: str) -> list[Library | Skipped]:
    return list(read_wheel(path))


def reason(path: str) -> str:
    with pytest.raises(UnreadableBinaryError) as caught:
        read(path)
    assert str(caught.value).startswith(path)
    return caught.value.reason


@pytest.mark.parametrize("stored", [True, False])
def test_the_libraries_of_a_wheel_are_named_by_wheel_and_path(tmp_path: Path, stored: bool) -> None:
    files = [("pkg/a.so", LINUX), ("pkg/b.pyd", WINDOWS), ("pkg/c.py", b"#" * 5000)]
    path = written(tmp_path, wheel(files, stored=stored))
    first, second = read(path)
    assert isinstance(first, Library)
    assert isinstance(second, Library)
    assert first.path == f"{path}!/pkg/a.so"
    assert (first.sass, first.distribution) == ({"sm_80": 1, "sm_90": 1}, "my-package")
    assert (second.ptx, second.format) == ({"compute_75": 1}, "pe")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_archives_of_others_are_read(tmp_path: Path, method: int) -> None:
    path = tmp_path / NAME
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.comment = b"PK\x05\x06 is no end record in a comment"
        archive.writestr("x/__init__.py", "")
        with archive.open("x/a.so", "w", force_zip64=True) as member:
            member.write(LINUX)
    (library,) = read(str(path))
    assert isinstance(library, Library)
    assert library.fatbins == 1


def test_an_archive_written_as_a_stream_is_read(tmp_path: Path) -> None:
    """Its local headers state no sizes: they stand behind the data."""

    class Pipe:
        def __init__(self, path: Path) -> None:
            self.file = path.open("wb")

        def write(self, data: bytes) -> int:
            return self.file.write(data)

        def flush(self) -> None:
            self.file.flush()

    path = tmp_path / NAME
    pipe = Pipe(path)
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        archive.writestr("x/a.so", LINUX)
    pipe.file.close()
    assert len(read(str(path))) == 1


def test_a_deflated_library_is_decompressed_twice() -> None:
    payload = Image("sm_80", payload=3 << 20)
    data = elf(FILLER, fatbin(container([payload])), FILLER, records((1, 64)))
    source = deflated(data)
    from gpudoctor.binaries.library import read_source

    library = read_source(source, "x")
    assert library is not None
    assert source.passes == 2


def deflated(data: bytes, size: int | None = None) -> InflatedSource:
    engine = zlib.compressobj(1, zlib.DEFLATED, -15)
    packed = engine.compress(data) + engine.flush()
    return InflatedSource(BytesSource(packed), 0, len(packed), size or len(data))


def test_memory_does_not_grow_with_the_library(tmp_path: Path) -> None:
    payload = Image("sm_80", payload=48 << 20)
    path = written(tmp_path, wheel([("x/a.so", elf(fatbin(container([payload]))))]))
    tracemalloc.start()
    assert len(read(path)) == 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_bytes_of_a_deflated_stream_are_those_of_the_data() -> None:
    data = bytes(range(256)) * 20_000
    source = deflated(data)
    for offset, length in ((0, 10), (5_000_000, 64), (4_999_000, 64), (100, 3_000_000), (7, 7)):
        assert source.read(offset, length) == data[offset : offset + length]
    assert source.read(len(data), 10) == b""
    assert source.read(len(data) - 3, 10) == data[-3:]


def test_not_a_byte_more_than_claimed_is_decompressed() -> None:
    source = deflated(bytes(100 << 20), size=4096)
    assert len(source.read(0, 1 << 30)) == 4096


def test_a_stream_that_ends_too_early_is_refused() -> None:
    with pytest.raises(UnreadableBinaryError, match="ends too early"):
        deflated(b"x" * 5000, size=9000).read(8000, 10)


def test_headers_scattered_over_compressed_data_end_in_a_refusal_and_not_in_hours() -> None:
    source = deflated(bytes(4 << 20))

    def read_back_and_forth() -> None:
        for _ in range(100):
            source.read(3 << 20, 8)
            source.read(0, 8)

    with pytest.raises(UnreadableBinaryError, match="scattered"):
        read_back_and_forth()


def test_damaged_members_are_skipped_and_the_rest_is_read(tmp_path: Path) -> None:
    data = bytearray(wheel([("a.so", LINUX), ("b.so", LINUX)]))
    data[40:60] = b"\xff" * 20
    skipped, library = read(written(tmp_path, bytes(data)))
    assert isinstance(skipped, Skipped)
    assert skipped.reason == "Its compressed data is damaged."
    assert isinstance(library, Library)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        (8, struct.pack("<H", 1), "It is encrypted."),
        (10, struct.pack("<H", 12), "It is compressed by method 12, not by deflate."),
        (20, struct.pack("<I", 1 << 30), "It ends beyond the end of the archive."),
        (42, struct.pack("<I", 5), "It has no header where the archive's directory says."),
    ],
)
def test_odd_members_are_skipped_with_the_reason(
    tmp_path: Path, field: int, value: bytes, said: str
) -> None:
    data = bytearray(wheel([("a.so", LINUX)]))
    entry = data.index(b"PK\x01\x02")
    data[entry + field : entry + field + len(value)] = value
    (skipped,) = read(written(tmp_path, bytes(data)))
    assert isinstance(skipped, Skipped)
    assert skipped.reason == said


def test_a_member_of_absurd_size_is_skipped(tmp_path: Path) -> None:
    data = wheel([("a.so", LINUX)])
    entry, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    extra = struct.pack("<2HQ", 1, 8, 1 << 50)
    directory = bytearray(data[entry:end] + extra)
    directory[24:28] = b"\xff" * 4
    directory[30:32] = struct.pack("<H", len(extra))
    tail = bytearray(data[end:])
    tail[12:16] = struct.pack("<I", len(directory))
    (skipped,) = read(written(tmp_path, data[:entry] + bytes(directory) + bytes(tail)))
    assert isinstance(skipped, Skipped)
    assert "more than any library has" in skipped.reason


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        b"no archive" * 100,
        wheel([("a.so", LINUX)])[:-30],
        wheel([("a.so", LINUX)])[:-22],
    ],
)
def test_what_is_no_complete_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    assert "no complete ZIP archive" in reason(written(tmp_path, data))


def test_a_directory_with_fewer_entries_than_claimed_is_refused(tmp_path: Path) -> None:
    data = bytearray(wheel([("a.so", LINUX)]))
    end = data.index(b"PK\x05\x06")
    data[end + 10 : end + 12] = struct.pack("<H", 500)
    assert (
        reason(written(tmp_path, bytes(data))) == "Its directory has fewer entries than it claims."
    )


def test_a_directory_beyond_the_end_is_refused(tmp_path: Path) -> None:
    data = bytearray(wheel([("a.so", LINUX)]))
    end = data.index(b"PK\x05\x06")
    data[end + 16 : end + 20] = b"\xff" * 4
    assert "beyond the end" in reason(written(tmp_path, bytes(data)))


def test_a_wheel_that_is_not_there_is_named() -> None:
    assert reason("/nowhere/x.whl") == "No such file or directory."


def test_many_members_are_listed_one_at_a_time() -> None:
    data = wheel([(f"pkg/module_{number}.py", b"") for number in range(3_000)])
    listed = members(BytesSource(data))
    assert isinstance(next(listed), Member)
    assert sum(1 for _ in listed) == 2_999


def test_progress_says_how_much_was_decompressed(tmp_path: Path) -> None:
    path = written(tmp_path, wheel([("a.so", LINUX)]))
    told: list[int] = []
    list(read_wheel(path, told.append))
    assert sum(told) == len(LINUX)

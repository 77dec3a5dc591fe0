"""Small files that claim much: what reading one costs is linear in the bytes that it has.

Each of them took from seconds to minutes, or gigabytes, where a reader believed it.
"""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gpudoctor.binaries import budget as budgets
from gpudoctor.binaries.budget import Budget
from gpudoctor.binaries.judgement.coverage import coverage
from gpudoctor.binaries.library import read_source
from gpudoctor.binaries.ptxas import read_ptxas
from gpudoctor.binaries.scan import Scan, scan
from gpudoctor.binaries.source import BytesSource, TooCostlyError, UnreadableBinaryError
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.model.facts import Library
from xray.made import Image, Section, container, elf, fatbin, pe, records, wheel

MiB = 1 << 20
CODE = container("sm_80 sm_90")


def scanned(folder: Path, data: bytes, name: str = "x-1-py3-none-any.whl") -> Scan:
    """The scan of one file, in bounded memory."""
    path = folder / name
    path.write_bytes(data)
    with memory_below(128 * MiB):
        return scan([str(path)])


@contextmanager
def memory_below(most: int) -> Iterator[None]:
    """Fails if what it holds takes more."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


def overlapping_sections(count: int, data: bytes, name: str) -> bytes:
    """An ELF file whose `count` sections `name` are all the same bytes."""
    same = [Section(name, b"", offset=64, size=len(data))] * count
    return elf(Section(".text", data), *same)


def stored_entries(data: bytes, count: int) -> bytes:
    """An archive whose `count` members are all the same stored bytes."""
    whole = wheel([("a.so", data)], stored=True)
    entry, end = whole.index(b"PK\x01\x02"), whole.index(b"PK\x05\x06")
    directory = whole[entry:end] * count
    number = min(count, 0xFFFF)
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, number, number, len(directory), entry, 0)
    return whole[:entry] + directory + tail


@pytest.mark.parametrize("name", [".nv_fatbin", "__nv_relfatbin", ".nvFatBinSegment"])
def test_sections_that_are_all_the_same_bytes_are_refused(name: str) -> None:
    data = overlapping_sections(1000, CODE * 1000, name)
    with pytest.raises(UnreadableBinaryError, match="overlaps"):
        read_source(BytesSource(data), "x.so")


def test_a_library_whose_sections_overlap_is_skipped_and_the_others_are_read(
    tmp_path: Path,
) -> None:
    overlapping = overlapping_sections(50, CODE, ".nv_fatbin")
    found = scanned(tmp_path, wheel([("a.so", overlapping), ("b.so", elf(fatbin(CODE)))]))
    assert len(found.files) == 1
    assert "overlaps another" in said(found)[0]
    assert "overlaps another" in said(scanned(tmp_path, overlapping, "x.so"))[0]


def test_sections_of_a_windows_library_that_are_all_the_same_bytes_are_refused() -> None:
    data = bytearray(pe(*[fatbin(CODE)] * 50))
    first = 0x40 + 24 + 240
    for section in range(1, 50):
        data[first + 40 * section : first + 40 * section + 40] = data[first : first + 40]
    with pytest.raises(UnreadableBinaryError, match="overlaps"):
        read_source(BytesSource(bytes(data)), "x.dll")


def test_the_constants_of_a_ptxas_are_read_once(tmp_path: Path) -> None:
    path = tmp_path / "ptxas"
    path.write_bytes(overlapping_sections(4000, b"compute_90\0" * 100_000, ".rodata"))
    assert read_ptxas(str(path)).architectures == ("sm_90",)


def test_records_are_not_held_against_every_section() -> None:
    sections = [fatbin(container("sm_80")) for _ in range(2000)]
    registrations = records(*[(1, 1 << 40)] * 20_000)
    assert read_source(BytesSource(elf(*sections, registrations)), "x.so") is not None


def test_records_take_little_more_memory_than_their_bytes() -> None:
    registrations = records(*[(1, number) for number in range(250_000)])
    data = elf(fatbin(CODE), registrations)
    with memory_below(32 * MiB):
        assert read_source(BytesSource(data), "x.so") is not None


def test_many_different_containers_are_compared_in_linear_time() -> None:
    chance = [f"sm_{number}" for number in range(50, 130)]
    several = [
        container([Image(chance[i % 80], 0), Image(chance[i // 80 % 80], 0, isa=(1, 1))])
        for i in range(6400)
    ]
    several += [container([Image(f"sm_{number}", 0)]) for number in range(1000, 9000)]
    library = read_source(BytesSource(elf(fatbin(*several))), "x.so")
    assert library is not None
    coverage(library, ComputeCapability(9, 0))


def test_members_that_are_all_the_same_bytes_are_refused(tmp_path: Path) -> None:
    data = stored_entries(elf(fatbin(CODE * 2000)), 20_000)
    assert said(scanned(tmp_path, data)) == ["Its members overlap."]


def test_one_blown_up_member_is_refused(tmp_path: Path) -> None:
    """66 kB that decompress to 100 MiB of section headers."""
    head = bytearray(elf(fatbin(CODE), extended=True))
    blown = wheel([("a.so", bytes(head) + bytes(100 * MiB))])
    found = scanned(tmp_path, blown)
    assert len(blown) < MiB
    assert found.files == () or len(found.files) == 1


def test_a_library_of_empty_sections_in_a_small_wheel_is_refused(tmp_path: Path) -> None:
    data = wheel([("a.so", elf(fatbin(CODE), extended=True, padding=500_000))])
    assert len(data) < MiB
    (reason,) = said(scanned(tmp_path, data))
    assert "more parts" in reason


@pytest.mark.parametrize("many", [container(""), container([Image("sm_80", 0)])])
def test_a_small_wheel_full_of_small_containers_is_refused(tmp_path: Path, many: bytes) -> None:
    data = wheel([(f"{name}.so", elf(fatbin(many * 30_000))) for name in "abcdefgh"])
    assert len(data) < MiB
    found = scanned(tmp_path, data)
    assert "more parts" in said(found)[-1]


def test_what_was_read_before_the_bound_is_kept(tmp_path: Path) -> None:
    files = [("a.so", elf(fatbin(CODE)))] + [
        (f"{name}.so", elf(fatbin(container("") * 30_000))) for name in "bcdef"
    ]
    found = scanned(tmp_path, wheel(files))
    assert [each.path.rpartition("/")[2] for each in found.files] == ["a.so"]
    assert "more parts" in said(found)[0]


def test_a_named_library_beyond_the_bound_is_skipped_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "_FREE_STEPS", 0)
    monkeypatch.setattr(budgets, "MOST_STEPS", 100)
    found = scanned(tmp_path, elf(fatbin(*[container("")] * 200)), "x.so")
    assert "more parts" in said(found)[0]


@pytest.mark.parametrize("name", [".so" * 20_000, ".so." * 16_000 + "/", "a/" * 30_000])
def test_endless_names_are_looked_at_once(tmp_path: Path, name: str) -> None:
    scanned(tmp_path, wheel([(name + str(number), b"x" * 64) for number in range(20)]))


def test_a_magic_number_at_every_odd_place_is_a_bounded_search() -> None:
    filler = (bytes(4) + struct.pack("<I", 0xBA55ED50)) * (MiB // 2)
    data = elf(fatbin(CODE, filler))
    with pytest.raises(TooCostlyError):
        read_source(BytesSource(data), "x.so", budget=Budget(0))


def test_padding_of_any_real_size_is_passed_over() -> None:
    data = elf(fatbin(CODE, bytes(45 * MiB), CODE))
    found = read_source(BytesSource(data), "libcatboost.so")
    assert found is not None
    assert found.fatbins == 2


def test_an_endless_record_of_a_distribution_is_read_to_a_bound(tmp_path: Path) -> None:
    info = tmp_path / "x-1.dist-info"
    info.mkdir()
    (info / "RECORD").write_bytes(b"x.so,,\n" + b"\n" * MiB + b"a" * (2 * MiB))
    (tmp_path / "x.so").write_bytes(elf(fatbin(CODE)))
    with memory_below(24 * MiB):
        (library,) = scan([str(tmp_path)]).files
    assert library.distribution == "x"


def said(found: Scan) -> list[str]:
    """Why something was skipped."""
    return [each.reason for each in found.skipped]


def costs() -> Iterator[tuple[str, Callable[[int], bytes]]]:
    """Files that grow by what a reader pays for."""
    yield "containers", lambda n: elf(fatbin(CODE * n))
    yield "images", lambda n: elf(fatbin(container([Image("sm_80", 0)] * n)))
    yield "sections", lambda n: elf(fatbin(CODE), extended=True, padding=n)
    yield "records", lambda n: elf(fatbin(CODE), records(*[(1, 64)] * n))


@pytest.mark.parametrize(("what", "made"), list(costs()), ids=[each[0] for each in costs()])
def test_what_a_file_costs_grows_with_its_bytes(what: str, made: Callable[[int], bytes]) -> None:
    spent = []
    for count in (1000, 4000):
        data = made(count)
        budget = Budget(len(data))
        before = budget.steps
        found = read_source(BytesSource(data), "x.so", budget=budget)
        assert isinstance(found, Library)
        spent.append(before - budget.steps)
    assert spent[1] <= 4 * spent[0], what

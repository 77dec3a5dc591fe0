"""AMD's device code: bundles, compressed ones, labels, and kernel archives beside a library."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from gpudoctor.binaries.code.amdgpu import agree, target_of
from gpudoctor.binaries.code.kernel_archive import archived_targets
from gpudoctor.binaries.containers import zstd as zstd_module
from gpudoctor.binaries.judgement.coverage import GpuByGfx
from gpudoctor.binaries.library import read_source
from gpudoctor.binaries.scan import scan
from gpudoctor.binaries.source import BytesSource, UnreadableBinaryError
from gpudoctor.binaries.table import judge
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.model.parts.binary import BundleGroup, KernelArchive, Library
from gpudoctor.model.value import replace
from xray.made import PE_BASE, Section, container, elf, fatbin, pe, wheel
from xray.made_vendors import (
    bundle,
    code_object,
    compressed,
    hip_fatbin,
    kernel_archive,
    message_pack,
    reference,
    wrappers,
)


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


def test_a_library_lists_the_targets_of_its_bundles() -> None:
    section, starts = hip_fatbin(bundle("gfx90a", "gfx1100"), bundle("gfx1100"))
    library = found(elf(section, wrappers(*(64 + start for start in starts))))
    assert library.hip == {"gfx90a": 1, "gfx1100": 2}
    assert library.bundles == (
        BundleGroup(targets=("gfx90a", "gfx1100")),
        BundleGroup(targets=("gfx1100",)),
    )
    assert (library.sass, library.ptx, library.fatbins) == ({}, {}, 0)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("method", [0, 1])
def test_compressed_bundles_hold_the_same(version: int, method: int) -> None:
    inner = bundle("gfx90a:sramecc+:xnack-", "gfx1100")
    section, _ = hip_fatbin(*[compressed(inner, version, method)] * 3)
    assert found(elf(section)).hip == {"gfx90a:sramecc+:xnack-": 3, "gfx1100": 3}


def test_a_compressed_bundle_that_does_not_say_its_length_is_passed_by_the_pointers() -> None:
    section, starts = hip_fatbin(*[compressed(bundle("gfx1100"), version=1)] * 3)
    library = found(elf(section, wrappers(*(64 + start for start in starts))))
    assert library.hip == {"gfx1100": 3}


def test_the_names_of_sections_are_cut_in_windows_libraries() -> None:
    section, _ = hip_fatbin(bundle("gfx1100"), bundle("gfx1201"))
    names = {".hip_fatbin": ".hip_fat", ".hipFatBinSegment": ".hipFatB"}
    cut = [Section(names[each.name], each.data) for each in (section, wrappers(PE_BASE + 512))]
    library = found(pe(*cut))
    assert (library.format, library.hip) == ("pe", {"gfx1100": 1, "gfx1201": 1})


def test_generic_targets_and_spirv_are_listed_by_their_names() -> None:
    section, _ = hip_fatbin(bundle("gfx11-generic", "amdgcnspirv"))
    assert set(found(elf(section)).hip) == {"gfx11-generic", "amdgcnspirv"}


def test_a_label_that_its_code_object_contradicts_is_not_believed() -> None:
    lying = bundle("gfx1100", "gfx1201", codes={"gfx1100": code_object("gfx1030")})
    section, _ = hip_fatbin(lying)
    library = found(elf(section))
    assert library.hip == {"gfx1201": 1}
    assert library.mislabelled == {"gfx1100": "gfx1030"}


@pytest.mark.parametrize(
    ("label", "own", "same"),
    [
        ("gfx90a", "gfx90a:sramecc+:xnack-", True),
        ("gfx90a:xnack-", "gfx90a", True),
        ("gfx90a:xnack-", "gfx90a:xnack+", False),
        ("gfx90a:xnack+", "gfx942:xnack+", False),
    ],
)
def test_labels_and_headers_agree_where_neither_denies_the_other(
    label: str, own: str, same: bool
) -> None:
    assert agree(label, own) is same


def test_a_code_object_that_is_a_file_says_its_target() -> None:
    assert target_of(code_object("gfx90a:xnack+")) == "gfx90a:xnack+"
    assert found(code_object("gfx942")).hip == {"gfx942": 1}


def test_a_bundle_that_is_a_file_is_read() -> None:
    assert found(compressed(bundle("gfx906"))).hip == {"gfx906": 1}


def test_code_of_both_vendors_in_one_library_is_listed() -> None:
    section, _ = hip_fatbin(bundle("gfx1100"))
    library = found(elf(fatbin(container("sm_80 sm_90")), section))
    assert (library.sass, library.hip) == ({"sm_80": 1, "sm_90": 1}, {"gfx1100": 1})


def test_object_files_name_the_target_in_the_section() -> None:
    name = "__CLANG_OFFLOAD_BUNDLE__hip-amdgcn-amd-amdhsa--gfx90a:xnack-"
    assert found(elf(Section(name, b"BC"))).hip == {"gfx90a:xnack-": 1}


def test_without_zstd_a_library_is_unknown_and_not_empty(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(zstd_module, "_maker", lambda: None)
    section, _ = hip_fatbin(compressed(bundle("gfx1100")))
    library = found(elf(fatbin(container("sm_80")), section))
    assert library.hip == {}
    assert "needs Python 3.14, the system's libzstd, or the package" in str(library.unread)
    assert library.sass == {"sm_80": 1}
    (tmp_path / "x.so").write_bytes(elf(section))
    scanned = scan([str(tmp_path / "x.so")])
    assert scanned.files == ()
    assert "which needs Python 3.14" in scanned.skipped[0].reason
    assert scanned.proves_nothing


def test_without_zstd_amds_part_does_not_decide_for_nvidias_gpus(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(zstd_module, "_maker", lambda: None)
    section, _ = hip_fatbin(compressed(bundle("gfx1100")))
    path = tmp_path / "bnb-1-py3-none-win_amd64.whl"
    path.write_bytes(
        wheel([("cuda.so", elf(fatbin(container("sm_89")))), ("rocm.so", elf(section))])
    )
    found = scan([str(path)])
    ada = replace(judge(found, [ComputeCapability(8, 9)]), named=True)
    radeon = replace(judge(found, [GpuByGfx("gfx1100")]), named=True)
    assert (ada.exit_code, radeon.exit_code) == (0, 3)


def test_only_the_first_kilobytes_are_decompressed(monkeypatch: pytest.MonkeyPatch) -> None:
    from gpudoctor.binaries.budget import Budget

    big = bundle("gfx1100", "gfx1201", codes={"gfx1100": code_object(size=8 << 20)})
    section, _ = hip_fatbin(compressed(big, method=0), compressed(big, method=0))
    data = elf(section)
    budget = Budget(len(data))
    before = budget.bytes
    read_source(BytesSource(data), "x.so", budget=budget)
    assert before - budget.bytes <= 4 * 4096


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"__CLANG_OFFLOAD_BUNDLE__" + struct.pack("<Q", 1 << 60), "claims 1152921504606846976"),
        (b"CCOB" + struct.pack("<HHQQQ", 3, 1, 1 << 40, 100, 0), "claims more than there is"),
        (b"CCOB" + struct.pack("<HHQQQ", 3, 1, 10, 100, 0), "claims more than there is"),
        (b"CCOB" + struct.pack("<HHIIQ", 2, 9, 24, 100, 0), "version 2 and method 9"),
        (b"CCOB" + struct.pack("<HHIIQ", 7, 1, 24, 100, 0), "version 7 and method 1"),
        (compressed(b"no bundle at all" * 20), "is no bundle"),
        (b"something else entirely" * 20, "has a form that this gpudoctor does not know"),
    ],
)
def test_bundles_that_contradict_themselves_are_refused(data: bytes, said: str) -> None:
    assert said in refusal(elf(Section(".hip_fatbin", data.ljust(100, b"\1"))))


def test_an_entry_that_lies_beyond_its_section_is_refused() -> None:
    data = bytearray(bundle("gfx1100"))
    at = data.index(b"hipv4") - 24
    data[at : at + 8] = struct.pack("<Q", 1 << 40)
    assert "claims more than there is" in refusal(elf(Section(".hip_fatbin", bytes(data))))


def test_a_library_for_the_host_names_the_archives_of_its_device_code(tmp_path: Path) -> None:
    name, path = "lib/libtorch_hip.so", "../.kpack/torch_@GFXARCH@.kpack"
    library = found(elf(wrappers(64, moved=True), reference(name, path)))
    assert library.kernel_archive == KernelArchive(name=name, paths=(path,))
    assert library.hip == {}
    (tmp_path / "torch/lib").mkdir(parents=True)
    (tmp_path / "torch/.kpack").mkdir()
    place = str(tmp_path / "torch/lib/libtorch_hip.so")
    assert archived_targets(place, library.kernel_archive) == ()
    for target, names in (("gfx1100", [name]), ("gfx942", [name, "x"]), ("gfx1201", ["x"])):
        archive = tmp_path / f"torch/.kpack/torch_{target}.kpack"
        archive.write_bytes(kernel_archive({target: names}))
    (tmp_path / "torch/.kpack/torch_gfx90a.kpack").write_bytes(b"KPAK damaged")
    assert archived_targets(place, library.kernel_archive) == ("gfx1100", "gfx942")


def test_an_archive_that_is_scanned_lists_its_targets() -> None:
    library = found(kernel_archive({"gfx90a:xnack-": ["a", "b"], "gfx90a": ["a"]}))
    assert (library.format, library.hip) == ("kpack", {"gfx90a": 1, "gfx90a:xnack-": 2})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"KPAK" + struct.pack("<IQ", 2, 16) + bytes(64), "of version 2"),
        (b"KPAK" + struct.pack("<IQ", 1, 1 << 40) + bytes(64), "beyond its end"),
        (b"KPAK" + struct.pack("<IQ", 1, 64) + bytes(48) + b"\xdf\xff\xff\xff\xff", "cut short"),
        (b"KPAK" + struct.pack("<IQ", 1, 64) + bytes(48) + b"\x91" * 40 + b"\0", "too deeply"),
        (b"KPAK" + struct.pack("<IQ", 1, 64) + bytes(48) + b"\x81\x90\x00", "no text"),
        (b"KPAK" + struct.pack("<IQ", 1, 64) + bytes(48) + message_pack({"a": 1}), "no table"),
    ],
)
def test_archives_that_contradict_themselves_are_refused(data: bytes, said: str) -> None:
    assert said in refusal(data)

"""Which GPUs a torch for AMD, Intel or Apple was built for, from its own library."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gpudoctor.binaries.containers import zstd
from gpudoctor.collect.packages.architectures import torch_architectures
from gpudoctor.collect.packages.device_code import CandidateLibrary, Xray, read_device_code
from gpudoctor.model.codec import decode, encode
from gpudoctor.model.facts import Library, Torch
from xray.made import Section, elf
from xray.made_vendors import (
    bundle,
    compressed,
    hip_fatbin,
    intel_image,
    kernel_archive,
    macho,
    reference,
    wrappers,
)


def xray(folder: Path, name: str, data: bytes) -> Xray:
    path = folder / "torch/lib" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    shown = f"torch/lib/{name}"
    found = [CandidateLibrary(str(path), shown, "torch", len(data))]
    return read_device_code(found, time.monotonic() + 60)


def filled(torch: Torch, found: Xray | None, *site: str) -> tuple[Torch, dict[str, str]]:
    result, unknown, _ = torch_architectures(
        torch,
        found,
        executable=None,
        platform="linux_x86_64",
        site=site,
        environ={},
        deadline=0.0,
    )
    return result, unknown


ROCM = Torch(version="2.9.1+rocm6.4", hip="6.4")


def test_the_targets_of_a_rocm_build_stand_in_its_library(tmp_path: Path) -> None:
    section, _ = hip_fatbin(bundle("gfx90a", "gfx1100"), bundle("gfx1100", "gfx942"))
    torch, unknown = filled(ROCM, xray(tmp_path, "libtorch_hip.so", elf(section)))
    assert set(torch.gfx) == {"gfx90a", "gfx942", "gfx1100"}
    assert (torch.arch_source, unknown) == ("binary", {})


def test_they_may_lie_in_archives_beside_it(tmp_path: Path) -> None:
    name = "lib/libtorch_hip.so"
    host = elf(wrappers(0, moved=True), reference(name, "../.kpack/torch_@GFXARCH@.kpack"))
    archives = tmp_path / "torch/.kpack"
    archives.mkdir(parents=True)
    (archives / "torch_gfx1151.kpack").write_bytes(kernel_archive({"gfx1151": [name]}))
    torch, _ = filled(ROCM, xray(tmp_path, "libtorch_hip.so", host))
    assert torch.gfx == ("gfx1151",)


def test_a_library_that_cannot_be_read_is_unknown_and_not_empty(tmp_path: Path) -> None:
    damaged = elf(Section(".hip_fatbin", b"what is this" * 20))
    torch, unknown = filled(ROCM, xray(tmp_path, "libtorch_hip.so", damaged))
    assert torch.gfx == ()
    assert "has a form that this gpudoctor does not know" in unknown["gfx"].text
    assert filled(ROCM, None)[1].keys() == {"gfx"}


def test_without_zstd_the_targets_are_unknown_and_the_library_is_no_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zstd, "_maker", lambda: None)
    section, _ = hip_fatbin(compressed(bundle("gfx1100")))
    found = xray(tmp_path, "libtorch_hip.so", elf(section))
    assert found.unread == ()
    assert "needs Python 3.14" in filled(ROCM, found)[1]["gfx"].text


def test_an_xpu_build_lists_intels_images(tmp_path: Path) -> None:
    section = Section("__CLANG_OFFLOAD_BUNDLE__sycl-spir64_gen", intel_image("20.1.4"))
    xpu = Torch(version="2.9.1+xpu", xpu="20250101")
    torch, _ = filled(xpu, xray(tmp_path, "libtorch_xpu.so", elf(section)))
    assert torch.xpu_images == ("20.1.4",)


def test_a_build_for_macos_says_the_oldest_system(tmp_path: Path) -> None:
    mac = Torch(version="2.15.0")
    found = xray(tmp_path, "libtorch_cpu.dylib", macho("14.0", metal=["14.0", "26.2"]))
    assert filled(mac, found)[0].macos == "14.0"


def test_what_was_read_survives_a_fact_sheet(tmp_path: Path) -> None:
    section, _ = hip_fatbin(bundle("gfx90a:xnack-"))
    (library,) = xray(tmp_path, "x.so", elf(section)).libraries
    assert decode(Library, encode(library)) == library


def test_the_libraries_with_kernels_in_files_are_listed_by_target(tmp_path: Path) -> None:
    files = (
        "torch/lib/rocblas/library/TensileLibrary_lazy_gfx1100.dat",
        "torch/lib/aotriton.images/amd-gfx11xx/flash.aks2",
        "_rocm_sdk_libraries_gfx942/lib/hipblaslt/library/extop_gfx942.co",
    )
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    rocm = Torch(version="2.9.1+rocm6.4", hip="6.4", path=str(tmp_path / "torch"))
    assert filled(rocm, None, str(tmp_path))[0].kernel_files == {
        "gfx1100": ("rocBLAS",),
        "gfx11xx": ("AOTriton",),
        "gfx942": ("hipBLASLt",),
    }

"""Kernels that are files: which of AMD's libraries serve which GPU, by the names alone."""

from __future__ import annotations

import pytest

from gpudoctor.binaries.code.kernel_files import kernel_files


@pytest.mark.parametrize(
    ("path", "target", "library"),
    [
        ("torch/lib/rocblas/library/TensileLibrary_lazy_gfx1100.dat", "gfx1100", "rocBLAS"),
        ("rocblas/library/Kernels.so-000-gfx90a-xnack-.hsaco", "gfx90a", "rocBLAS"),
        ("torch/lib/rocblas/library/TensileLibrary_gfx900.co", "gfx900", "rocBLAS"),
        ("torch/lib/hipblaslt/library/extop_gfx942.co", "gfx942", "hipBLASLt"),
        (
            "_rocm_sdk_libraries\\bin\\hipblaslt\\library\\TensileLibrary_x_gfx1201.dat",
            "gfx1201",
            "hipBLASLt",
        ),
        ("torch/share/miopen/db/gfx90a6e.HIP.fdb.txt", "gfx90a", "MIOpen"),
        ("torch/share/miopen/db/gfx1030_36.kdb", "gfx1030", "MIOpen"),
        ("torch/share/miopen/db/gfx94250.kdb", "gfx942", "MIOpen"),
        ("torch/share/miopen/db/gfx942130.kdb", "gfx942", "MIOpen"),
        ("torch/share/miopen/db/gfx103024.HIP.fdb.txt", "gfx1030", "MIOpen"),
        ("torch/lib/aotriton.images/amd-gfx11xx/flash/x.aks2", "gfx11xx", "AOTriton"),
    ],
)
def test_the_name_of_a_file_says_library_and_target(path: str, target: str, library: str) -> None:
    assert kernel_files([path]) == {target: (library,)}


def test_libraries_are_gathered_by_target() -> None:
    paths = [
        "torch/lib/rocblas/library/TensileLibrary_lazy_gfx1100.dat",
        "torch/lib/hipblaslt/library/extop_gfx1100.co",
        "torch/lib/hipblaslt/library/extop_gfx942.co",
        "torch/lib/librocblas.so.4",
        "torch/lib/rocblas/library/TensileManifest.txt",
        "torch/share/miopen/db/README",
    ]
    assert kernel_files(paths) == {
        "gfx1100": ("hipBLASLt", "rocBLAS"),
        "gfx942": ("hipBLASLt",),
    }

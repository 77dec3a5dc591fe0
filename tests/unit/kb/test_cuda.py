"""Toolkits, floors, branches, PTX, cuDNN, compilers, errors."""

from __future__ import annotations

import pytest

from gpudoctor.kb.hardware import nvidia_gpus as gpus
from gpudoctor.kb.software import cuda


@pytest.mark.parametrize(
    ("major", "os", "driver"),
    [
        (11, "linux", "450.80.02"),
        (11, "windows", "452.39"),
        (12, "linux", "525.60.13"),
        (12, "windows", "528.33"),
        (12, "wsl", "528.33"),
        (13, "linux", "580.65.06"),
        (13, "wsl", "580"),
        (14, "linux", None),
        (12, "macos", None),
    ],
)
def test_floors(major: int, os: str, driver: str | None) -> None:
    assert cuda.floor(major, os) == driver


def test_toolkits_are_found_by_any_patch_release() -> None:
    kit = cuda.toolkit("12.8.93")
    assert kit is not None
    assert kit.version == "12.8"
    assert kit.drivers_linux[0] == "570.26"
    assert "sm_120" in kit.sm
    assert cuda.toolkit("12.7") is None


def test_each_toolkit_compiles_what_the_lifetimes_say() -> None:
    order = [kit.version for kit in cuda.toolkits()]
    for kit in cuda.toolkits():
        for capability in gpus.all_capabilities():
            life = cuda.toolkits_for(capability)
            if life is None:
                continue
            first, last = life
            alive = (first not in order or order.index(first) <= order.index(kit.version)) and (
                last is None or order.index(kit.version) <= order.index(last)
            )
            assert alive == (f"sm_{capability.replace('.', '')}" in kit.sm), (
                kit.version,
                capability,
            )


def test_a_gpu_is_known_no_later_than_the_driver_of_its_first_toolkit() -> None:
    """Else a rule would call a driver too old for a GPU that it serves."""
    for capability in gpus.all_capabilities():
        life, branch = cuda.toolkits_for(capability), cuda.first_branch_for(capability)
        kit = cuda.toolkit(life[0]) if life else None
        if kit is not None and branch is not None:
            assert branch <= kit.branch, capability


def test_driver_branches_rise_with_the_cuda_they_serve() -> None:
    numbers = [branch.number for branch in cuda.branches()]
    assert numbers == sorted(numbers)
    served = [tuple(map(int, b.cuda.split("."))) for b in cuda.branches() if b.cuda]
    assert served == sorted(served)


@pytest.mark.parametrize(
    ("major", "branch"),
    [
        (570, 570),
        (572, 570),
        (577, 575),
        (581, 580),
        (591, 590),
        (616, 615),
        (900, None),
        (100, None),
    ],
)
def test_windows_numbers_belong_to_branches(major: int, branch: int | None) -> None:
    assert cuda.branch_of(major) == branch


def test_the_cuda_of_a_branch() -> None:
    assert cuda.cuda_of_branch(535) == "12.2"


def test_where_driver_branches_end() -> None:
    last = {}
    for capability in gpus.all_capabilities():
        row = gpus.capability_row(capability)
        if row is not None and row.last_branch is not None:
            last[row.architecture] = row.last_branch
    assert last["Kepler"] == 470
    assert last["Pascal"] == 580
    assert "Turing" not in last
    listed = {name: b.number for b in cuda.branches() for name in b.last_for}
    for architecture in ("Kepler", "Maxwell", "Pascal", "Volta"):
        assert last[architecture] == listed[architecture]


@pytest.mark.parametrize(
    ("cudnn", "lowest"),
    [
        ("8.5.0.96", "3.5"),
        ("9.1.0.70", "5.0"),
        ("9.10.2.21", "5.0"),
        ("9.11.0", "7.5"),
        ("9.26", "7.5"),
    ],
)
def test_cudnn_floors(cudnn: str, lowest: str) -> None:
    assert cuda.cudnn_floor(cudnn) == lowest


def test_what_no_cudnn_of_the_table_says() -> None:
    assert cuda.cudnn_floor("7.6") is None


@pytest.mark.parametrize(
    ("isa", "version"), [("9.0", "13.0"), ("8.7", "12.8"), ("8.5", "12.5"), ("9.5", "13.5")]
)
def test_ptx_isa_versions(isa: str, version: str) -> None:
    assert cuda.ptx_isa_to_cuda(isa) == version


def test_an_isa_of_the_future_is_not_known() -> None:
    assert cuda.ptx_isa_to_cuda("99.9") is None


def test_every_toolkit_knows_its_host_compilers() -> None:
    for kit in cuda.toolkits():
        limits = cuda.host_compilers(kit.version)
        assert limits is not None, kit.version
        assert limits.msc_min < limits.msc
    newest = cuda.host_compilers("12.8")
    assert newest is not None
    assert (newest.gcc, newest.clang, newest.msc) == (14, 19, 1949)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0, "CUDA_SUCCESS"),
        (35, "CUDA_ERROR_INSUFFICIENT_DRIVER"),
        (100, "CUDA_ERROR_NO_DEVICE"),
        (209, "CUDA_ERROR_NO_BINARY_FOR_GPU"),
        (222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"),
        (802, "CUDA_ERROR_SYSTEM_NOT_READY"),
        (803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"),
        (804, "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE"),
        (999, "CUDA_ERROR_UNKNOWN"),
    ],
)
def test_error_codes(code: int, name: str) -> None:
    error = cuda.error(code)
    assert error is not None
    assert error.name == name
    assert error.meaning.endswith(".")


def test_an_unknown_error_code_is_not_guessed() -> None:
    assert cuda.error(-1) is None


def test_module_flavours() -> None:
    assert cuda.module_flavour("12.0") == "open"
    assert cuda.module_flavour("7.0") == "proprietary"
    assert cuda.module_flavour("8.6") == "either"
    assert cuda.module_flavour("0.0") is None


def test_where_a_gpu_was_first_seen() -> None:
    assert cuda.first_branch_for("12.0") == 570
    assert cuda.first_branch_for("99.9") is None

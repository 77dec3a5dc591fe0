"""The installed torch, without importing it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.collect.packages.distributions import read_distributions
from gpudoctor.collect.packages.torch_static import parse_version_file, read_torch
from gpudoctor.collect.python.sitepath import SitePath
from gpudoctor.collect.python.torch_folders import torch_folders
from gpudoctor.model.facts import Requirement, Torch
from gpudoctor.model.requirements.marker import environment_values
from unit.collect.environments import VERSION_PY, distribution, put, torch

LINUX = environment_values(os_name="linux", machine="x86_64", version="3.11.7")


def read(
    *folders: Path, editable: tuple[tuple[str, str], ...] = ()
) -> tuple[Torch | None, dict[str, str]]:
    path = SitePath(site=tuple(map(str, folders)), editable=editable)
    distributions, _ = read_distributions(path.folders)
    return read_torch(torch_folders(path), distributions, LINUX)


def known(*folders: Path, editable: tuple[tuple[str, str], ...] = ()) -> Torch:
    found, _ = read(*folders, editable=editable)
    assert found is not None
    return found


def test_what_version_py_says_counts_before_the_metadata(tmp_path: Path) -> None:
    torch(tmp_path, "2.9.1+cu128", metadata_version="2.9.1")
    found = known(tmp_path)
    assert (found.version, found.cuda, found.hip, found.debug) == (
        "2.9.1+cu128",
        "12.8",
        None,
        False,
    )
    assert found.distribution_version == "2.9.1"
    assert found.git_version == "5811a8d7da873dd699ff6687092c225caffcf1bb"


def test_a_rocm_build_has_hip_and_no_cuda(tmp_path: Path) -> None:
    torch(tmp_path, "2.9.1+rocm6.4", None, hip="6.4.43484-123eb5128")
    assert (known(tmp_path).cuda, known(tmp_path).hip) == (None, "6.4.43484-123eb5128")


def test_no_torch_is_none_and_nothing_unknown(tmp_path: Path) -> None:
    assert read(tmp_path) == (None, {})


def test_metadata_without_files_leave_the_rest_unknown(tmp_path: Path) -> None:
    distribution(tmp_path, "torch", "2.9.1")
    found, unknown = read(tmp_path)
    assert found is not None
    assert found.version == "2.9.1"
    assert {"cuda", "hip", "xpu"} <= set(unknown)


def test_files_without_metadata_are_a_torch_all_the_same(tmp_path: Path) -> None:
    put(tmp_path / "torch" / "__init__.py")
    put(tmp_path / "torch" / "version.py", VERSION_PY.format(version="2.9.1", cuda=None, hip=None))
    found, unknown = read(tmp_path)
    assert found is not None
    assert found.version == "2.9.1"
    assert set(unknown) == {"requires"}


def test_metadata_that_cannot_be_read_require_nothing_that_is_known(tmp_path: Path) -> None:
    torch(tmp_path)
    metadata = tmp_path / "torch-2.9.1+cu128.dist-info" / "METADATA"
    metadata.unlink()
    metadata.symlink_to(metadata)
    assert "requires" in read(tmp_path)[1]


def test_a_package_without_version_py_has_an_unknown_build(tmp_path: Path) -> None:
    put(tmp_path / "torch" / "__init__.py")
    found, unknown = read(tmp_path)
    assert found is not None
    assert {"version", "cuda", "hip"} <= set(unknown)


def test_a_folder_left_behind_by_an_uninstall_is_no_torch(tmp_path: Path) -> None:
    put(tmp_path / "torch" / "lib" / "libshm.so", "x")
    assert read(tmp_path) == (None, {})


def test_of_several_copies_the_first_on_the_path_is_imported(tmp_path: Path) -> None:
    torch(tmp_path / "user", "2.4.0+cu121", "12.1")
    torch(tmp_path / "env", "2.9.1+cu128")
    found = known(tmp_path / "user", tmp_path / "env")
    assert found.version == "2.4.0+cu121"
    assert found.copies == (str(tmp_path / "user" / "torch"), str(tmp_path / "env" / "torch"))


def test_a_copy_reached_by_two_names_is_one_copy(tmp_path: Path) -> None:
    torch(tmp_path / "env")
    (tmp_path / "link").symlink_to(tmp_path / "env")
    assert len(known(tmp_path / "env", tmp_path / "link").copies) == 1


def test_an_editable_torch_is_found_in_its_source_folder(tmp_path: Path) -> None:
    source = torch(tmp_path / "src", "2.10.0a0+git5811a8d")
    (tmp_path / "site").mkdir()
    found = known(tmp_path / "site", editable=(("torch", str(source)),))
    assert found.path == str(source)


def test_of_two_metadata_folders_the_one_of_the_imported_release_speaks(tmp_path: Path) -> None:
    distribution(tmp_path, "torch", "2.5.1", ("triton==3.1.0",))
    torch(tmp_path, "2.9.1+cu128", requires=("triton==3.5.1",), metadata_version="2.9.1")
    assert known(tmp_path).requires == (Requirement(name="triton", specifier="==3.5.1"),)


def test_requirements_are_held_against_what_is_installed(tmp_path: Path) -> None:
    marker = 'platform_system == "Linux" and platform_machine == "x86_64"'
    requires = (
        f"nvidia-cudnn-cu12==9.10.2.21; {marker}",
        f"nvidia-nccl-cu12==2.27.5; {marker}",
        'nvidia-never==1; platform_system == "Windows"',
        "sympy>=1.13",
    )
    torch(tmp_path, requires=requires)
    distribution(tmp_path, "nvidia-cudnn-cu12", "9.8.0.87")
    found = known(tmp_path)
    assert found.requires == (
        Requirement(name="nvidia-cudnn-cu12", specifier="==9.10.2.21", installed="9.8.0.87"),
        Requirement(name="nvidia-nccl-cu12", specifier="==2.27.5", installed=None),
    )
    assert found.cudnn == "9.8.0.87"


def test_the_extras_of_cuda_toolkit_lead_to_the_libraries(tmp_path: Path) -> None:
    torch(tmp_path, "2.13.0+cu130", "13.0", requires=("cuda-toolkit[cublas,nvrtc]==13.0.3",))
    distribution(
        tmp_path,
        "cuda-toolkit",
        "13.0.3",
        (
            'nvidia-cublas==13.1.1.*; extra == "cublas"',
            'nvidia-cuda-nvrtc==13.0.88.*; extra == "nvrtc"',
            'nvidia-cufft==12.0.0.*; extra == "cufft"',
        ),
    )
    distribution(tmp_path, "nvidia-cublas", "13.1.1.3")
    assert [(r.name, r.installed) for r in known(tmp_path).requires] == [
        ("cuda-toolkit", "13.0.3"),
        ("nvidia-cublas", "13.1.1.3"),
        ("nvidia-cuda-nvrtc", None),
    ]


def test_a_bundled_cudnn_is_known_by_its_full_file_name(tmp_path: Path) -> None:
    folder = torch(tmp_path / "env" / "lib" / "python3.11" / "site-packages")
    put(tmp_path / "env" / "lib" / "libcudnn.so.9.1.1", "x")
    found, unknown = read(folder.parent)
    assert found is not None
    assert (found.cudnn, unknown) == ("9.1.1", {})


def test_a_cudnn_that_shows_only_its_major_version_is_unknown(tmp_path: Path) -> None:
    folder = torch(tmp_path)
    put(folder / "lib" / "cudnn64_9.dll", "x")
    found, unknown = read(tmp_path)
    assert found is not None
    assert found.cudnn is None
    assert "major" in unknown["cudnn"].text


@pytest.mark.parametrize(("flag", "abi"), [("0", False), ("1", True)])
def test_the_c_plus_plus_abi_is_that_of_the_cmake_file(
    tmp_path: Path, flag: str, abi: bool
) -> None:
    folder = torch(tmp_path)
    put(
        folder / "share" / "cmake" / "Torch" / "TorchConfig.cmake",
        f'set(TORCH_CXX_FLAGS "-D_GLIBCXX_USE_CXX11_ABI={flag}")\n',
    )
    assert known(tmp_path).cxx11_abi is abi


def test_or_of_the_names_that_libc10_exports(tmp_path: Path) -> None:
    folder = torch(tmp_path)
    library = put(folder / "lib" / "libc10.so", b"\0_ZN3c105ErrorC2ENSt7__cxx1112basic_stringE\0")
    assert known(tmp_path).cxx11_abi is True
    library.write_bytes(b"\0_ZN3c105ErrorC2ESs\0")
    assert known(tmp_path).cxx11_abi is False
    library.write_bytes(b"stripped")
    assert known(tmp_path).cxx11_abi is None


TEXT = st.text("0123456789abc.+-", min_size=1, max_size=12)


@given(TEXT, st.none() | TEXT, st.none() | TEXT)
def test_version_py_is_read_as_python_reads_it(
    version: str, cuda: str | None, hip: str | None
) -> None:
    text = VERSION_PY.format(version=version, cuda=cuda, hip=hip)
    names: dict[str, object] = {}
    exec(text, names)
    said = parse_version_file(text)
    assert (said.version, said.cuda, said.hip, said.debug) == (
        names["__version__"],
        names["cuda"],
        names["hip"],
        names["debug"],
    )


@given(st.text(max_size=300))
def test_any_text_in_version_py_is_read_without_complaint(text: str) -> None:
    parse_version_file(text)


def test_version_py_is_never_executed(tmp_path: Path) -> None:
    put(tmp_path / "torch" / "__init__.py", "raise SystemExit('imported')")
    put(
        tmp_path / "torch" / "version.py",
        f"open({str(tmp_path / 'trace')!r}, 'w')\n__version__ = '2.0'\n",
    )
    assert known(tmp_path).version == "2.0"
    assert not (tmp_path / "trace").exists()


def test_reading_the_patient_imports_no_torch_even_where_there_is_one() -> None:
    program = (
        "import os, sys, time\n"
        "from gpudoctor.collect.python_environment import collect_patient\n"
        "collect_patient(None, '/', dict(os.environ), time.monotonic() + 30)\n"
        "sys.exit('torch' in sys.modules or 'importlib.metadata' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

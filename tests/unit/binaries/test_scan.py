"""Folders, environments, links, and what a scan says about all of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpudoctor.binaries.names import (
    distribution_of_wheel,
    is_nvidias_own,
    may_be_binary,
    without_cuda,
)
from gpudoctor.binaries.scan import scan
from gpudoctor.errors import UsageError
from xray.made import container, elf, fatbin, wheel

CODE = elf(fatbin(container("sm_80 sm_90")))
HOST = elf(fatbin())
LINKS = pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")


def put(root: Path, name: str, data: bytes = CODE) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def names(root: Path) -> list[str]:
    return [
        os.path.relpath(each.path, root).replace(os.sep, "/") for each in scan([str(root)]).files
    ]


def record(site: Path, distribution: str, *lines: str) -> None:
    put(site, f"{distribution}.dist-info/RECORD", "\n".join(lines).encode())


def test_a_folder_is_walked_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b/two.so", "a/one.so.1.2", "c.pyd", "d.dll", "program"):
        put(tmp_path, name)
    put(tmp_path, "text.py", b"#" * 500)
    put(tmp_path, "host.so", HOST)
    assert names(tmp_path) == ["c.pyd", "d.dll", "program", "a/one.so.1.2", "b/two.so"]


def test_in_a_folder_files_are_known_by_their_first_bytes(tmp_path: Path) -> None:
    for name in ("kernels.dat", "x.h", "libx.so.bak", "weights.bin"):
        put(tmp_path, name)
    put(tmp_path, "house/wheel.download", wheel([("a/x.so", CODE)]))
    put(tmp_path, "real.so", b"INPUT(libreal.so.1)" * 10)
    assert names(tmp_path) == [
        "kernels.dat",
        "libx.so.bak",
        "weights.bin",
        "x.h",
        "house/wheel.download!/a/x.so",
    ]


def test_libraries_are_attributed_by_record(tmp_path: Path) -> None:
    site = tmp_path / "lib/python3.12/site-packages"
    put(site, "torch/lib/libtorch_cuda.so")
    put(site, "flash_attn_2_cuda.so")
    put(site, "odd, name/x.so")
    put(site, "copied/by/hand.so")
    record(
        site, "torch-2.9.1", "torch/__init__.py,sha256=x,1", "torch/lib/libtorch_cuda.so,sha256=y,2"
    )
    record(site, "Flash_Attn-2.8", "flash_attn_2_cuda.so,,", '"odd, name/x.so",,')
    found = {os.path.basename(each.path): each.distribution for each in scan([str(tmp_path)]).files}
    assert found == {
        "libtorch_cuda.so": "torch",
        "flash_attn_2_cuda.so": "flash-attn",
        "x.so": "flash-attn",
        "hand.so": None,
    }


def test_windows_records_with_backslashes_are_understood(tmp_path: Path) -> None:
    put(tmp_path, "xformers/_C.pyd")
    record(tmp_path, "xformers-0.0.35", "xformers\\_C.pyd,sha256=x,10")
    (library,) = scan([str(tmp_path)]).files
    assert library.distribution == "xformers"


@LINKS
def test_links_and_second_names_are_read_once(tmp_path: Path) -> None:
    real = put(tmp_path, "a/real.so")
    (tmp_path / "a/link.so").symlink_to(real)
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    os.link(real, tmp_path / "a/second.so")
    assert names(tmp_path) == ["a/real.so"]
    assert len(scan([str(real), str(tmp_path)]).files) == 1


@LINKS
def test_a_link_out_of_an_unpacked_image_is_not_followed(tmp_path: Path) -> None:
    put(tmp_path, "host/libcuda.so")
    image = tmp_path / "image"
    put(image, "usr/lib/own.so")
    (image / "usr/lib/libcuda.so").symlink_to(tmp_path / "host/libcuda.so")
    assert names(image) == ["usr/lib/own.so"]


@LINKS
def test_a_link_that_is_named_is_followed(tmp_path: Path) -> None:
    put(tmp_path, "real.so")
    (tmp_path / "link.so").symlink_to(tmp_path / "real.so")
    (library,) = scan([str(tmp_path / "link.so")]).files
    assert library.path == str(tmp_path / "link.so")


def test_wheels_in_a_folder_are_read(tmp_path: Path) -> None:
    put(tmp_path, "house/a-1-py3-none-any.whl", wheel([("a/x.so", CODE)]))
    assert names(tmp_path) == ["house/a-1-py3-none-any.whl!/a/x.so"]


def test_an_archive_of_another_name_is_read_as_one(tmp_path: Path) -> None:
    path = put(tmp_path, "download", wheel([("a/x.so", CODE)]))
    (library,) = scan([str(path)]).files
    assert library.distribution is None


def test_what_cannot_be_read_in_a_folder_is_skipped_with_the_reason(tmp_path: Path) -> None:
    put(tmp_path, "good.so")
    bad = put(tmp_path, "bad.so", CODE[:-64])
    found = scan([str(tmp_path)])
    assert len(found.files) == 1
    assert [each.path for each in found.skipped] == [str(bad)]
    assert found.skipped[0].reason.endswith("more than the file holds.")


def test_a_damaged_file_that_was_named_is_an_error(tmp_path: Path) -> None:
    bad = put(tmp_path, "bad.so", CODE[:-64])
    with pytest.raises(UsageError, match=r"bad\.so cannot be read: "):
        scan([str(bad)])


@pytest.mark.parametrize("path", ["/nowhere/at/all.so", "", "nul\0byte"])
def test_a_path_that_is_none_is_an_error(path: str) -> None:
    with pytest.raises(UsageError):
        scan([path])


def test_a_file_that_was_named_and_is_no_library_is_said_to_be_none(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no device code here", encoding="utf-8")
    (skipped,) = scan([str(text)]).skipped
    assert skipped.path == str(text)
    assert "neither a library" in skipped.reason
    assert scan([str(tmp_path)]).skipped == ()


def test_files_without_device_code_are_counted_and_not_listed(tmp_path: Path) -> None:
    put(tmp_path, "a.so", HOST)
    put(tmp_path, "LICENSE", b"words" * 500)
    found = scan([str(tmp_path)])
    assert (found.files, found.skipped, found.looked_at) == ((), (), 2)


def test_the_kernels_file_systems_of_an_image_are_left_out(tmp_path: Path) -> None:
    put(tmp_path, "proc/1/exe")
    put(tmp_path, "opt/dev/mine.so")
    assert names(tmp_path) == ["opt/dev/mine.so"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("libtorch.so", True),
        ("libcudart.so.12.8.90", True),
        ("x.cpython-312-x86_64-linux-gnu.so", True),
        ("_C.PYD", True),
        ("tool", True),
        ("setup.exe", True),
        ("notes.sources", False),
        ("module.py", False),
        ("dir.d/tool", True),
        ("archive.tar.gz", False),
    ],
)
def test_names_of_binaries(name: str, expected: bool) -> None:
    assert may_be_binary(name) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Flash_Attn-2.8.3-1-cp312-cp312-linux_x86_64.whl", "flash-attn"),
        ("torch-2.9.1+cu128-cp311-cp311-win_amd64.whl", "torch"),
        ("torch-2.9.1.tar.gz", None),
        ("odd.whl", None),
    ],
)
def test_names_of_wheels(name: str, expected: str | None) -> None:
    assert distribution_of_wheel(name) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("nvidia/cublas/lib/libcublasLt.so.12", True),
        ("nvidia/cudnn/lib/libcudnn_engines_precompiled.so.9", True),
        ("torch.libs/libcusparseLt-f80c68d1.so.0", True),
        ("torch\\lib\\cudnn64_9.dll", True),
        ("torch/lib/libtorch_cuda.so", False),
        ("cupy/cuda/cub.cpython-311-x86_64-linux-gnu.so", False),
        ("nccl_plugin/libncclplugin.so", False),
        ("x/libcufftopt.so", False),
    ],
)
def test_nvidias_own_libraries(path: str, expected: bool) -> None:
    assert is_nvidias_own(path) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("bnb/libbitsandbytes_cuda128.so", "bnb/libbitsandbytes_.so"),
        ("bnb\\libbitsandbytes_cuda118.dll", "bnb/libbitsandbytes_.dll"),
        ("x/foo_cu124.so", "x/foo_.so"),
        ("torch/lib/libtorch_cuda.so", None),
        ("x_cu128/libmain.so", None),
        ("libcudart.so.128", None),
    ],
)
def test_builds_for_several_cuda_versions_share_a_name(path: str, expected: str | None) -> None:
    assert without_cuda(path) == expected

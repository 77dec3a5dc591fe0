"""Which libraries of an environment carry device code."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.collect.packages import device_code
from gpudoctor.collect.packages.device_code import Xray, candidates, read_device_code
from gpudoctor.collect.packages.distributions import Distribution, read_distributions
from gpudoctor.collect.reason import Reason
from machines.wheels import cuda_library
from unit.collect.environments import distribution, put, torch

CODE = cuda_library(["80", "90"], ["90"])
PLAIN = b"\x7fELF" + bytes(8000)


def xray(site: Path, torch_folder: Path | None = None, conda: Path | None = None) -> Xray:
    distributions, _ = read_distributions([str(site)])
    chosen = candidates(
        distributions, str(torch_folder) if torch_folder else None, str(conda) if conda else None
    )
    return read_device_code(chosen, time.monotonic() + 30)


def test_libraries_are_named_relative_to_the_site_and_belong_to_their_distribution(
    tmp_path: Path,
) -> None:
    torch(tmp_path)
    distribution(
        tmp_path, "xformers", "0.0.33", files={"xformers/_C.so": CODE, "xformers/x.so": PLAIN}
    )
    found = {lib.path: lib for lib in xray(tmp_path).libraries}
    assert set(found) == {"torch/lib/libtorch_cuda.so", "xformers/_C.so"}
    assert found["xformers/_C.so"].distribution == "xformers"
    assert set(found["xformers/_C.so"].sass) == {"sm_80", "sm_90", "sm_90a"}
    assert set(found["xformers/_C.so"].ptx) == {"compute_90"}


def test_versioned_names_and_quoted_paths_are_found(tmp_path: Path) -> None:
    info = distribution(tmp_path, "odd", "1", files={"odd/libodd.so.1.2": CODE, "odd/a,b.so": CODE})
    put(
        info / "RECORD",
        f'odd/libodd.so.1.2,sha256=x,{len(CODE)}\r\n"odd/a,b.so",sha256=x,{len(CODE)}\r\n',
    )
    assert {lib.path for lib in xray(tmp_path).libraries} == {"odd/libodd.so.1.2", "odd/a,b.so"}


def test_a_record_without_sizes_is_served_by_the_files(tmp_path: Path) -> None:
    info = distribution(tmp_path, "bare", "1", files={"bare/_C.so": CODE})
    put(info / "RECORD", "bare/_C.so,,\nbare/gone.so,,\n")
    found = xray(tmp_path)
    assert [lib.path for lib in found.libraries] == ["bare/_C.so"]
    assert found.unread == ()


def test_on_windows_the_endings_are_others(tmp_path: Path) -> None:
    site = tmp_path / "Lib" / "site-packages"
    distribution(site, "ext", "1", files={"ext/_C.cp311-win_amd64.pyd": CODE, "ext/cuda.dll": CODE})
    assert len(xray(site).libraries) == 2


def test_nvidias_own_libraries_are_left_out(tmp_path: Path) -> None:
    distribution(
        tmp_path, "nvidia-cublas-cu12", "12.8", files={"nvidia/cublas/lib/libcublas.so.12": CODE}
    )
    assert xray(tmp_path).libraries == ()


def test_of_copied_libraries_nvidias_own_are_left_out(tmp_path: Path) -> None:
    copied = {"torchvision.libs/libnvjpeg.8dd2.so.12": CODE, "a.libs/libcudart.41.so.12": CODE}
    distribution(tmp_path, "torchvision", "1", files=copied)
    assert xray(tmp_path) == Xray(())


def test_kernels_in_a_copied_library_are_found(tmp_path: Path) -> None:
    path = "ctranslate2.libs/libctranslate2-8e1b.so.4.6.0"
    distribution(tmp_path, "ctranslate2", "4.6.0", files={path: CODE, "x.libs/libjpeg.so": PLAIN})
    assert [(lib.path, lib.distribution) for lib in xray(tmp_path).libraries] == [
        (path, "ctranslate2")
    ]


def test_a_torch_that_no_record_lists_is_walked(tmp_path: Path) -> None:
    put(tmp_path / "src" / "torch" / "lib" / "libtorch_cuda.so", CODE)
    put(tmp_path / "src" / "torch" / "__pycache__" / "x.so", CODE)
    found = xray(tmp_path / "site", tmp_path / "src" / "torch")
    assert [(lib.path, lib.distribution) for lib in found.libraries] == [
        ("torch/lib/libtorch_cuda.so", "torch")
    ]


def test_a_shadowed_copy_of_torch_says_nothing(tmp_path: Path) -> None:
    torch(tmp_path / "first", sass=("80",))
    torch(tmp_path / "second", "2.4.0+cu121", "12.1", sass=("50",))
    sites = [str(tmp_path / "first"), str(tmp_path / "second")]
    chosen = candidates(read_distributions(sites)[0], str(tmp_path / "first" / "torch"))
    assert [c.path for c in chosen] == [str(tmp_path / "first" / "torch/lib/libtorch_cuda.so")]


def test_conda_keeps_torchs_libraries_in_the_lib_of_the_environment(tmp_path: Path) -> None:
    put(tmp_path / "lib" / "libtorch_cuda.so", CODE)
    put(tmp_path / "lib" / "libtorch_cuda_linalg.so", CODE)
    (tmp_path / "site" / "torch" / "lib").mkdir(parents=True)
    (tmp_path / "site" / "torch" / "lib" / "libtorch_cuda.so").symlink_to(
        tmp_path / "lib" / "libtorch_cuda.so"
    )
    found = xray(tmp_path / "site", tmp_path / "site" / "torch", tmp_path)
    assert len(found.libraries) == 2


def test_a_damaged_library_is_unread_with_its_reason_and_the_others_are_read(
    tmp_path: Path,
) -> None:
    distribution(tmp_path, "good", "1", files={"good/_C.so": CODE})
    distribution(tmp_path, "bad", "1", files={"bad/_C.so": CODE[: len(CODE) // 2]})
    found = xray(tmp_path)
    assert [lib.path for lib in found.libraries] == ["good/_C.so"]
    [unread] = found.unread
    assert unread.candidate.shown == "bad/_C.so"
    assert unread.reason.kind == "damaged"
    assert not unread.reason.text.endswith(".")
    assert not unread.out_of_reach


def test_a_listed_library_that_is_gone_is_unread(tmp_path: Path) -> None:
    distribution(tmp_path, "x", "1", files={"x/_C.so": CODE})
    (tmp_path / "x" / "_C.so").unlink()
    assert [each.candidate.shown for each in xray(tmp_path).unread] == ["x/_C.so"]


def test_a_pipe_in_the_place_of_a_library_holds_nobody(tmp_path: Path) -> None:
    distribution(tmp_path, "trap", "1", files={"trap/_C.so": CODE})
    (tmp_path / "trap" / "_C.so").unlink()
    os.mkfifo(tmp_path / "trap" / "_C.so")
    [unread] = xray(tmp_path).unread
    assert unread.candidate.shown == "trap/_C.so"
    assert "no file" in unread.reason.text
    assert unread.reason.kind == "damaged"


def test_after_the_deadline_everything_is_unread_and_nothing_absent(tmp_path: Path) -> None:
    torch(tmp_path)
    chosen = candidates(read_distributions([str(tmp_path)])[0])
    found = read_device_code(chosen, time.monotonic() - 1)
    assert found.libraries == ()
    assert [each.candidate.shown for each in found.unread if each.out_of_reach] == [
        "torch/lib/libtorch_cuda.so"
    ]


def test_a_disk_that_does_not_answer_holds_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    stuck = threading.Event()
    monkeypatch.setattr(device_code, "_read", lambda candidate: stuck.wait(60) and None)
    torch(tmp_path)
    chosen = candidates(read_distributions([str(tmp_path)])[0])
    found = read_device_code(chosen, time.monotonic() + 0.1)
    stuck.set()
    assert [each.reason for each in found.unread if each.out_of_reach] == [
        Reason("late", "reading took longer than the time left")
    ]


def test_many_libraries_are_all_read_once(tmp_path: Path) -> None:
    files = {f"many/m{number}.so": CODE for number in range(60)}
    distribution(tmp_path, "many", "1", files=files)
    assert sorted(lib.path for lib in xray(tmp_path).libraries) == sorted(files)


PATHS = st.lists(
    st.text("abc/._-XYZ 0123456789", min_size=1, max_size=20).map(lambda p: p.strip("/ ") or "x"),
    max_size=8,
    unique=True,
)


@given(PATHS, PATHS)
def test_of_any_record_exactly_the_shared_libraries_are_candidates(
    others: list[str], stems: list[str]
) -> None:
    libraries = [f"{stem}.so" for stem in stems]
    lines = [f"{path}.py,sha256=x,5000" for path in others] + [
        f"{path},sha256=x,5000" for path in libraries
    ]
    data = "\n".join(lines).encode()
    found = [path for path, _ in device_code._recorded(data, (b".so",))]
    assert set(found) == set(libraries)


@given(st.binary(max_size=500))
def test_a_record_of_any_bytes_is_read_without_complaint(data: bytes) -> None:
    list(device_code._recorded(data, (b".so", b".dll")))


def test_a_distribution_without_a_record_has_no_candidates(tmp_path: Path) -> None:
    lone = Distribution(
        name="x", version="1", site=str(tmp_path), info=str(tmp_path / "x.dist-info")
    )
    assert candidates([lone]) == []

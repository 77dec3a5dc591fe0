"""`scan`: the JSON of it, what it counts, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contract.program import inside
from xray.made import container, elf, fatbin, pe, wheel

CODE = elf(
    fatbin(container("sm_70 sm_80 sm_90a compute_90"), container("sm_70 sm_80")),
    fatbin(container("compute_80"), name="__nv_relfatbin"),
)


def scanned(*arguments: str, code: int = 0) -> dict[str, Any]:
    answer = inside("scan", "--json", *arguments)
    assert (answer.code, answer.err) == (code, "")
    value: dict[str, Any] = json.loads(answer.out)
    assert set(value) >= {"schema_version", "files", "skipped"}
    assert value["schema_version"] == "1.0"
    return value


@pytest.fixture
def library(tmp_path: Path) -> str:
    path = tmp_path / "libkernels.so"
    path.write_bytes(CODE)
    return str(path)


def test_images_are_counted_by_architecture_and_relocatable_code_stands_apart(
    library: str,
) -> None:
    (file,) = scanned(library, "--gpu", "sm_86")["files"]
    assert file["path"] == library
    assert (file["format"], file["fatbins"]) == ("elf", 2)
    assert file["sass"] == {"sm_70": 2, "sm_80": 2, "sm_90a": 1}
    assert file["ptx"] == {"compute_90": 1}
    assert file["relocatable"] == {"fatbins": 1, "sass": {}, "ptx": {"compute_80": 1}}
    assert file["coverage"] == [{"gpu": "sm_86", "status": "native", "runnable": 2, "of": 2}]


@pytest.mark.parametrize(
    ("code", "gpu", "status", "exit_code"),
    [
        ("sm_80", "sm_80", "native", 0),
        ("sm_86", "8.9", "native", 0),
        ("sm_80", "Orin", "none", 1),
        ("sm_90a", "sm_90", "native", 0),
        ("sm_90a", "sm_100", "none", 1),
        ("sm_100f", "sm_103", "native", 0),
        ("sm_100a", "sm_103", "none", 1),
        ("sm_120", "GB10", "native", 0),
        ("sm_120", "sm_110", "none", 1),
        ("compute_80", "RTX 5090", "jit", 0),
        ("compute_90a", "sm_120", "none", 1),
    ],
)
def test_a_library_that_does_not_run_on_the_gpu_is_1(
    tmp_path: Path, code: str, gpu: str, status: str, exit_code: int
) -> None:
    path = tmp_path / "lib.so"
    path.write_bytes(elf(fatbin(container(code))))
    (file,) = scanned(str(path), "--gpu", gpu, code=exit_code)["files"]
    assert file["coverage"][0]["status"] == status


def test_kernels_without_code_for_the_gpu_make_it_partial(tmp_path: Path) -> None:
    path = tmp_path / "lib.so"
    several = [container("sm_80 sm_90")] * 3 + [container("sm_80 sm_86")]
    path.write_bytes(elf(fatbin(*several)))
    (file,) = scanned(str(path), "--gpu", "sm_90")["files"]
    covered = file["coverage"][0]
    assert (covered["status"], covered["runnable"], covered["of"]) == ("partial", 3, 4)


def test_without_a_gpu_the_architectures_are_listed_and_nothing_is_judged(
    library: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("GPUDOCTOR_SYSROOT", str(tmp_path / "empty"))
    (file,) = scanned(library)["files"]
    assert file["coverage"] == []
    assert file["sass"]


def test_a_wheel_is_read_where_it_lies_and_names_the_file_inside(tmp_path: Path) -> None:
    path = tmp_path / "kernels-1.0-cp312-cp312-win_amd64.whl"
    windows = pe(fatbin(container("sm_80 sm_90"), name=".nv_fatb"))
    members = [("kernels/_C.pyd", windows), ("kernels/plain.so", elf()), ("kernels/a.py", b"")]
    path.write_bytes(wheel(members))
    value = scanned(str(path), "--gpu", "H100")
    (file,) = value["files"]
    assert file["path"] == f"{path}!/kernels/_C.pyd"
    assert (file["format"], file["sass"]) == ("pe", {"sm_80": 1, "sm_90": 1})


def test_a_folder_lists_what_has_device_code_and_says_what_it_skipped(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.so").write_bytes(CODE)
    (tmp_path / "deep" / "b.so").symlink_to("a.so")
    (tmp_path / "plain.so").write_bytes(elf())
    (tmp_path / "cut.so").write_bytes(CODE[:-64])
    value = scanned(str(tmp_path), "--gpu", "sm_80")
    assert [file["path"] for file in value["files"]] == [str(tmp_path / "deep" / "a.so")]
    assert [entry["path"] for entry in value["skipped"]] == [str(tmp_path / "cut.so")]
    assert value["skipped"][0]["reason"]


def test_the_text_names_the_library_and_the_gpu(library: str) -> None:
    answer = inside("scan", library, "--gpu", "sm_80")
    assert answer.code == 0
    assert "libkernels.so" in answer.out
    assert "sm_80" in answer.out


def test_a_file_that_cannot_be_read_is_2(tmp_path: Path) -> None:
    path = tmp_path / "broken.so"
    path.write_bytes(CODE[:-64])
    for name in (str(path), str(tmp_path / "missing.so")):
        answer = inside("scan", name, "--json")
        assert (answer.code, answer.out) == (2, "")
        assert answer.err.count("\n") == 1

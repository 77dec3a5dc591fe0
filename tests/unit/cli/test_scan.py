"""`gpudoctor scan`, as the program answers it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

import gpudoctor
from gpudoctor.cli.main import run
from gpudoctor.report.schema import scan_schema
from xray.made import Section, container, elf, fatbin, wheel
from xray.made_vendors import SPIRV, intel_image

CODE = elf(
    fatbin(container("sm_75 sm_80 sm_90"), container("sm_75 sm_80 sm_90"), container("sm_90a")),
    fatbin(container("sm_80 compute_80"), name="__nv_relfatbin"),
)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A library, by a name that is as short everywhere."""
    (tmp_path / "library.so").write_bytes(CODE)
    monkeypatch.chdir(tmp_path)
    return "library.so"


def output(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert run(["scan", *arguments]) == code
    return capsys.readouterr().out


def test_json_has_the_published_form(capsys: pytest.CaptureFixture[str], library: str) -> None:
    value = json.loads(output(capsys, library, "--json", "--gpu", "sm_90", "--gpu", "12.0", code=1))
    jsonschema.validate(value, scan_schema())
    assert value["schema_version"] == "1.0"
    assert value["skipped"] == []
    (file,) = value["files"]
    assert file["path"] == library
    assert (file["format"], file["fatbins"]) == ("elf", 3)
    assert file["sass"] == {"sm_75": 2, "sm_80": 2, "sm_90": 2, "sm_90a": 1}
    assert file["ptx"] == {}
    assert file["relocatable"] == {"fatbins": 1, "sass": {"sm_80": 1}, "ptx": {"compute_80": 1}}
    hopper, blackwell = file["coverage"]
    assert hopper == {"gpu": "sm_90", "status": "native", "runnable": 2, "of": 2}
    assert (blackwell["gpu"], blackwell["status"]) == ("sm_120", "none")
    assert blackwell["missing"] == [{"count": 2, "sass": ["sm_75", "sm_80", "sm_90"], "ptx": []}]


def test_a_wheel_and_what_was_skipped_in_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "pkg-1-cp311-cp311-linux_x86_64.whl"
    path.write_bytes(wheel([("pkg/a.so", CODE), ("pkg/b.so", CODE[:-64]), ("pkg/c.so", elf())]))
    output(capsys, str(path))
    value = json.loads(output(capsys, str(path), "--json", "--gpu", "sm_80", code=3))
    assert [each["path"] for each in value["files"]] == [f"{path}!/pkg/a.so"]
    assert [each["path"] for each in value["skipped"]] == [f"{path}!/pkg/b.so"]
    assert value["files"][0]["distribution"] == "pkg"


def test_the_table_has_a_line_for_each_library_and_a_column_for_each_gpu(
    capsys: pytest.CaptureFixture[str], library: str
) -> None:
    text = output(capsys, library, "--gpu", "sm_80", "--gpu", "RTX 5090", code=1)
    head, line, *_ = text.splitlines()
    assert head.split() == ["sm_80", "sm_120"]
    assert line.split() == [library, "✓", "native", "✗", "none"]
    assert f"{library} on sm_120: no code in 2 of 2 kernels" in " ".join(text.split())


def test_without_a_gpu_the_architectures_are_listed(
    capsys: pytest.CaptureFixture[str],
    library: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    for folder in ("sys/bus/pci/devices", "proc", "dev", "etc"):
        (tmp_path / "root" / folder).mkdir(parents=True)
    monkeypatch.setenv("GPUDOCTOR_SYSROOT", str(tmp_path / "root"))
    if any(os.path.exists(node) for node in ("/dev/nvidiactl", "/dev/dxg")):
        pytest.skip("this machine has a GPU")
    lines = output(capsys, library).splitlines()
    assert lines[0].strip() == library
    assert lines[1].split() == ["2", "kernels:", "sm_75", "sm_80", "sm_90"]
    assert lines[2].split() == ["1", "kernels:", "sm_90a"]
    assert lines[3].startswith("      1 objects: sm_80 compute_80")


def test_a_library_that_does_not_run_is_no_fault_unless_a_gpu_was_named(
    capsys: pytest.CaptureFixture[str], library: str
) -> None:
    output(capsys, library, "--gpu", "sm_86", code=0)
    output(capsys, library, "--gpu", "sm_61", code=1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/nowhere/x.so"], "/nowhere/x.so does not exist"),
        ([], "Missing argument"),
        ([".", "--gpu", "sm_999"], "sm_999"),
        ([".", "--gpu", "gfx9999"], "no AMD GPU that is known"),
        ([".", "--format", "xml"], "--format takes text, markdown, json"),
    ],
)
def test_wrong_usage_is_one_line(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code = run(["scan", *arguments])
    error = capsys.readouterr().err
    assert code == 2
    assert said in error
    assert error.count("\n") == 1


def test_a_damaged_file_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "bad.so"
    path.write_bytes(CODE[:-64])
    assert run(["scan", str(path), "--gpu", "sm_80"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"gpudoctor: {path} cannot be read: It claims 4 sections")
    assert error.count("\n") == 1


def test_a_folder_without_device_code_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "a.so").write_bytes(elf())
    assert output(capsys, str(tmp_path), "--gpu", "sm_80") == "No device code in 1 file.\n"


def encrypted(data: bytes) -> bytes:
    at = data.index(b"PK\x01\x02") + 8
    return data[:at] + b"\1" + data[at + 1 :]


def by_lzma(data: bytes) -> bytes:
    at = data.index(b"PK\x01\x02") + 10
    return data[:at] + b"\x0e" + data[at + 1 :]


WHEEL = wheel([("pkg/a.so", CODE)])


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("x-1-py3-none-any.whl", encrypted(WHEEL), "It is encrypted."),
        ("x-1-py3-none-any.whl", by_lzma(WHEEL), "compressed by method 14"),
        ("x-1-py3-none-any.whl", wheel([("pkg/a.so", CODE[:-64])]), "more than the file holds"),
        ("app.pyz", b"#!/usr/bin/env python3\n" + WHEEL, "begins with something else"),
        ("setup.exe", CODE + WHEEL, "begins with something else"),
        ("notes.txt", b"words " * 50, "neither a library nor a wheel"),
        ("empty.so", b"", "neither a library nor a wheel"),
    ],
)
def test_where_nothing_was_examined_the_answer_is_that(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(data)
    for arguments in ([], ["--gpu", "sm_80"]):
        text = " ".join(output(capsys, str(tmp_path / name), *arguments, code=3).split())
        assert "Nothing with device code was examined" in text
        assert said in text
        assert "No device code" not in text


def test_a_wheel_without_libraries_has_no_device_code(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "six-1-py3-none-any.whl"
    path.write_bytes(wheel([("six.py", b"#" * 100)]))
    assert output(capsys, str(path)) == "No device code in 1 file.\n"


def test_an_empty_folder_is_no_answer(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "Nothing was examined" in output(capsys, str(tmp_path), code=3)


def test_a_folder_with_a_damaged_file_that_does_not_decide_is_judged(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "a.so").write_bytes(CODE)
    (tmp_path / "b.so").write_bytes(CODE[:-64])
    output(capsys, str(tmp_path), "--gpu", "sm_80")
    info = tmp_path / "x-1.dist-info"
    info.mkdir()
    (info / "RECORD").write_text("a.so,,\nb.so,,\n")
    output(capsys, str(tmp_path), "--gpu", "sm_80", code=3)
    output(capsys, str(tmp_path), "--gpu", "sm_61", code=1)


def test_names_with_escape_sequences_are_shown_inert(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "evil\x1b[31m.so").write_bytes(CODE)
    text = output(capsys, str(tmp_path), "--gpu", "sm_80")
    assert "\x1b" not in text
    assert "evil\\x1b[31m.so" in text


def test_quiet_shows_faults_alone(capsys: pytest.CaptureFixture[str], library: str) -> None:
    assert library not in output(capsys, library, "-q", "--gpu", "sm_80")
    assert library in output(capsys, library, "-q", "--gpu", "sm_120", code=1)


def test_reading_binaries_imports_little() -> None:
    """`check` reads every extension at each start."""
    script = "import sys; import gpudoctor.binaries.library; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = set(answer.stdout.split())
    assert not loaded & {"zipfile", "mmap", "subprocess", "tempfile", "hashlib", "asyncio"}
    assert "gpudoctor.binaries.library" in loaded


def test_the_python_api_gives_the_same_table(library: str) -> None:
    from gpudoctor import app

    told: list[str] = []
    table = app.scan([library], gpus=["sm_90"], progress=lambda path, _: told.append(path))
    assert [cell.coverage.status for row in table.rows for cell in row.cells] == ["native"]
    assert told == [library]


def test_markdown_is_a_table(capsys: pytest.CaptureFixture[str], library: str) -> None:
    text = output(
        capsys, library, "--format", "markdown", "--gpu", "sm_80", "--gpu", "sm_120", code=1
    )
    assert text.splitlines()[:2] == ["| library | sm_80 | sm_120 |", "| --- | --- | --- |"]
    assert text.splitlines()[2].endswith("| native | **none** |")


def test_a_result_is_written_to_a_file_as_well(
    capsys: pytest.CaptureFixture[str], library: str, tmp_path: Path
) -> None:
    target = tmp_path / "scan.json"
    output(capsys, library, "--gpu", "sm_80", "--output", f"json={target}")
    assert json.loads(target.read_text("utf-8"))["files"][0]["path"] == library


@pytest.mark.parametrize(
    "arguments",
    [
        ["library.so", "--gpu", "sm_80", "--gpu", "12.0"],
        ["--gpu", "sm_80", "--json", "library.so", "library.so"],
        ["library.so", "-q", "--gpu", "sm_61"],
        ["library.so", "nowhere.so", "--gpu", "sm_80"],
        ["library.so", "--gpu", "sm_999"],
    ],
)
def test_plain_command_lines_end_as_with_typer(
    capsys: pytest.CaptureFixture[str], library: str, arguments: list[str]
) -> None:
    plain = run(["scan", *arguments]), capsys.readouterr()
    with_typer = run(["scan", *arguments, "--color=never"]), capsys.readouterr()
    assert plain == with_typer


@pytest.mark.parametrize(
    "arguments",
    [[], ["--help"], ["a.so", "--gpu"], ["a.so", "--gpu", "--json"], ["-vv", "a.so"], ["--", "-x"]],
)
def test_what_is_not_plain_is_left_to_typer(arguments: list[str]) -> None:
    from gpudoctor.cli.commands.scan import COMMAND

    assert COMMAND.plain(arguments) is None


def test_a_plain_scan_does_not_import_typer(library: str) -> None:
    script = (
        "import sys; from gpudoctor.cli.main import run; "
        f"run(['scan', {library!r}, '--gpu', 'sm_80', '-q']); print('typer' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert answer.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize(
    ("data", "gpus", "code"),
    [
        (CODE, ["sm_90"], 0),
        (CODE, ["sm_120"], 1),
        (CODE, None, 0),
        (b"words " * 50, ["sm_90"], 3),
        (b"words " * 50, None, 3),
    ],
)
def test_from_python_the_answer_has_the_same_exit_code(
    tmp_path: Path, data: bytes, gpus: list[str] | None, code: int
) -> None:
    path = tmp_path / "x.so"
    path.write_bytes(data)
    assert gpudoctor.scan([str(path)], gpus=gpus).exit_code == code


@pytest.mark.parametrize(
    ("gpu", "jit", "code", "expected"),
    [
        ("Arc A770", False, 0, ("acm-g10", "native", 1)),
        ("Arc A380", False, 0, ("acm-g11", "native", 1)),  # the driver takes a relative's image
        ("dg2", False, 0, ("acm-g10", "native", 1)),
        ("Arc B580", False, 1, ("bmg-g21", "none", 0)),
        ("Arc B580", True, 0, ("bmg-g21", "jit", 1)),
        ("bmg", True, 0, ("bmg-g21", "jit", 1)),
    ],
)
def test_images_for_intel_are_held_to_the_gpus_ip_version(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    gpu: str,
    jit: bool,
    code: int,
    expected: tuple[str, str, int],
) -> None:
    name = "__CLANG_OFFLOAD_BUNDLE__sycl-spir64"
    sections = [Section(name + "_gen", intel_image("12.55.8", "12.60.7", packed=False))]
    sections += [Section(name, SPIRV)] if jit else []
    (tmp_path / "xpu.so").write_bytes(elf(*sections))
    said = output(capsys, str(tmp_path / "xpu.so"), "--gpu", gpu, "--json", code=code)
    value = json.loads(said)
    jsonschema.validate(value, scan_schema())
    (cell,) = value["files"][0]["coverage"]
    assert (cell["gpu"], cell["status"], cell["runnable"]) == expected
    assert value["files"][0]["xpu"]["12.55.8"] == 1


def test_a_name_of_several_kinds_of_intel_gpus_is_asked_back(
    capsys: pytest.CaptureFixture[str], library: str
) -> None:
    assert run(["scan", library, "--gpu", "Arc A60M"]) == 2
    assert capsys.readouterr().err.count("\n") == 1

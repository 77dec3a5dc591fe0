"""requirements.txt: which wheel pip takes, and uv where it is the one that installs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.errors import UsageError
from gpudoctor.manifests.source_files import decode
from unit.manifests.installs import CPU, CU126, CU128, NEWEST, NEWEST_CPU, outcome, torch


def test_an_index_alone_is_what_is_looked_at():
    assert torch(f"--index-url {CU128}\ntorch") == "2.11.0 cu128"
    assert torch(f"-i {CU128}\ntorch==2.9.1") == "2.9.1 cu128"


def test_an_extra_index_loses_to_a_newer_release_on_pypi():
    assert torch(f"--extra-index-url {CU128}\ntorch") == NEWEST


def test_an_extra_index_wins_where_the_version_is_the_same():
    assert torch(f"--extra-index-url {CU128}\ntorch==2.11.0") == "2.11.0 cu128"


def test_of_two_labels_the_higher_wins_whatever_the_order():
    assert torch(f"-i {CPU}\n--extra-index-url {CU126}\ntorch==2.9.1") == "2.9.1 cu126"
    assert torch(f"-i {CU128}\n--extra-index-url {CU126}\ntorch==2.9.1") == "2.9.1 cu128"


def test_options_count_wherever_they_stand_and_the_last_index_wins():
    nested = {"more.txt": f"--index-url {CU126}\n"}
    assert torch("torch==2.9.1\n-r more.txt\n", beside=nested) == "2.9.1 cu126"
    assert torch(f"-i {CU126}\ntorch==2.9.1\n-i {CU128}\n") == "2.9.1 cu128"


def test_pypi_gives_each_python_its_newest():
    assert torch("torch", python="3.9") == "2.8.0 cu128"
    assert torch("torch", python="3.10") == "2.14.1 cu130"
    assert torch("torch", python="3.12") == NEWEST


def test_pypi_brings_the_processor_alone_on_windows_and_on_old_arm():
    assert torch("torch", platform="win_amd64") == NEWEST_CPU
    assert torch("torch==2.10.0", platform="linux_aarch64") == "2.10.0 cpu"
    assert torch("torch==2.11.0", platform="linux_aarch64") == "2.11.0 cu130"


def test_torchaudio_has_no_pin_any_more():
    found = outcome("torch==2.9.*\ntorchaudio")
    assert [(c.name, c.version) for c in found.choices] == [
        ("torch", "2.9.1"),
        ("torchaudio", "2.11.0"),
    ]


def test_a_companion_decides_the_torch_that_is_not_pinned():
    assert torch("torch\ntorchvision==0.24.1") == "2.9.1 cu128"
    assert torch("torchvision==0.24.1") == "2.9.1 cu128"
    assert torch("torch\nvllm==0.11.0") == "2.8.0 cu128"
    assert torch("torch\nxformers==0.0.30") == "2.7.0 cu126"


def test_pins_that_exclude_each_other_fail():
    found = outcome("torch==2.9.1\ntorchvision==0.20.1\n")
    assert (found.status, found.reason) == ("fails", "conflict")
    assert [at.line for at in found.files] == [1, 2]


def test_labels_comments_hashes_markers_and_wheels_are_read():
    assert torch(f"-i {CU128}\ntorch==2.9.1+cu128 # why") == "2.9.1 cu128"
    assert torch(f"-i {CU128}\ntorch==2.9.1 ; sys_platform != 'darwin'") == "2.9.1 cu128"
    assert torch(f"-i {CU128}\ntorch==2.9.1 \\\n  --hash=sha256:{'0' * 64}\n") == "2.9.1 cu128"
    wheel = f"{CU126}/torch-2.9.1%2Bcu126-cp312-cp312-manylinux_2_28_x86_64.whl"
    assert torch(f"torch @ {wheel}") == "2.9.1 cu126"
    assert torch(wheel) == "2.9.1 cu126"
    assert torch(f"torch @ {wheel}", python="3.11").startswith("fails")


def test_a_marker_that_does_not_hold_brings_nothing():
    assert torch("torch ; sys_platform == 'darwin'").startswith("open")


def test_a_label_that_is_on_none_of_the_indexes_is_not_found():
    found = outcome("--index-url https://pypi.org/simple\ntorch==2.9.1+cu126\n")
    assert (found.status, found.reason) == ("fails", "missing")


def test_a_version_without_a_wheel_for_that_python_is_not_taken():
    found = outcome(f"-i {CU128}\ntorch==2.7.1", python="3.14")
    assert (found.status, found.reason) == ("fails", "python")


def test_constraints_limit_what_others_bring():
    limits = {"c.txt": "torch==2.8.0\n"}
    assert torch("-c c.txt\ntorch\n", beside=limits) == "2.8.0 cu128"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("-r nowhere.txt\ntorch\n", "nowhere.txt"),
        ("torch @ git+https://github.com/pytorch/pytorch\n", "cannot be told"),
        ("-i https://wheels.example/simple\ntorch\n", "wheels.example"),
        ("-f ./no-such-folder\ntorch\n", "no-such-folder"),
        ("-i ${TORCH_INDEX}\ntorch\n", "TORCH_INDEX"),
        ("numpy\n", "does not name torch"),
    ],
)
def test_what_the_file_leaves_open_is_open(text, why):
    found = outcome(text)
    assert found.status == "open"
    assert why in found.why


def test_a_label_decides_on_a_private_index_too():
    assert torch("-i https://wheels.example/simple\ntorch==2.9.1+cu128") == "2.9.1 cu128"


def test_an_index_of_other_packages_hinders_nothing():
    text = "--extra-index-url https://flashinfer.ai/whl/cu128/torch2.8\ntorch==2.9.1"
    assert torch(text) == "2.9.1 cu128"


def test_byte_order_marks_are_read():
    for name in ("utf-8-sig", "utf-16"):
        assert decode("torch==2.9.1\r\n".encode(name), "r.txt") == "torch==2.9.1\n"
    with pytest.raises(UsageError, match="no text file"):
        decode(b"\0\1", "r.txt")


def test_uv_takes_the_first_index_that_has_the_name():
    assert torch(f"--extra-index-url {CU128}\ntorch", tool="uv") == "2.11.0 cu128"
    two = f"--extra-index-url {CPU}\n--extra-index-url {CU128}\ntorch==2.9.1"
    assert torch(two, tool="uv") == "2.9.1 cpu"
    none = outcome(f"--extra-index-url {CU128}\ntorch==2.13.0", tool="uv")
    assert (none.status, none.reason) == ("fails", "missing")


@given(st.text(max_size=200))
def test_any_text_is_read(text):
    outcome(text)


def test_the_path_of_an_index_tells_the_variant_and_never_its_host():
    pin = "torch==2.9.1"
    for index in (
        "https://download-r2.pytorch.org/whl/cu126",
        "https://mirrors.aliyun.com/pytorch-wheels/cu126/",
        "https://mirror.sjtu.edu.cn/pytorch-wheels/cu126",
    ):
        assert torch(f"-i {index}\n{pin}") == "2.9.1 cu126"
    assert torch(f"-i https://pypi.tuna.tsinghua.edu.cn/simple\n{pin}") == "2.9.1 cu128"
    llama = "https://abetlen.github.io/llama-cpp-python/whl/cu126"
    assert torch(f"--extra-index-url {llama}\n{pin}") == "2.9.1 cu128"


def test_best_match_of_uv_is_the_newest_of_all_indexes():
    text = f"--extra-index-url {CU128}\ntorch"
    assert torch(text, tool="uv") == "2.11.0 cu128"
    best = f"""
[project]
name = "x"
version = "0"
requires-python = ">=3.11"
dependencies = ["torch"]
[tool.uv]
index-url = "https://pypi.org/simple"
extra-index-url = ["{CU128}"]
index-strategy = "unsafe-best-match"
"""
    assert torch(best, "pyproject.toml") == NEWEST


def test_what_uv_writes_with_a_backend_pip_cannot_install():
    text = (
        "# This file was autogenerated by uv via the following command:\n"
        "--index-url https://pypi.org/simple\n\ntorch==2.9.1+cu126\n"
        "    # via -r requirements.in\n    # from https://download.pytorch.org/whl/cu126\n"
    )
    assert torch(text).startswith("fails")


def test_a_folder_of_wheels_is_read(tmp_path):
    (tmp_path / "torch-2.9.1+cu126-cp312-cp312-manylinux_2_28_x86_64.whl").touch()
    text = f"--no-index\n--find-links {tmp_path}\ntorch\n"
    assert torch(text) == "2.9.1 cu126"
    assert torch(text, python="3.11").startswith("fails")


def test_a_release_that_is_not_known_is_open_where_it_may_lie():
    assert torch("torch==1.11.0", python="3.8").startswith("open")
    assert torch("torch==2.99.0").startswith("open")
    assert torch("torch<1.13", python="3.9").startswith("open")
    assert torch("torch==1.11.0").startswith("fails")
    assert torch(f"-i {CU128}\ntorch<2.7", python="3.9").startswith("fails")


@pytest.mark.parametrize(
    ("text", "by_uv"),
    [
        ("torch\\\n==2.9.1\n", "fails"),
        ("torch==2.9.1 \\\n\n", "fails"),
        ("torch==2.9.1 ; \\\npython_version > '3'\n", "fails"),
        ("torch==2.9.1 \\\n  --hash=sha256:00\n", "installs"),
        ("torch==2.9.1\\\n  \\\n  --hash=sha256:00\n", "installs"),
        ("# a comment \\\ntorch==2.9.1\n", "installs"),
    ],
)
def test_uv_reads_a_backslash_before_options_alone_and_pip_any(text: str, by_uv: str) -> None:
    assert outcome(text, tool="uv").status == by_uv
    assert outcome(text, tool="pip").status == "installs"


def test_the_pin_of_a_library_that_torch_pins_otherwise_fails() -> None:
    found = outcome("torch==2.9.1\nnvidia-cudnn-cu12==9.1.0.70\n")
    assert (found.status, found.reason) == ("fails", "conflict")
    assert found.files[0].line == 2
    assert torch("torch==2.9.1\nnvidia-cudnn-cu12==9.10.2.21\n") == "2.9.1 cu128"


@pytest.mark.parametrize(
    "text",
    [
        "torch==2.9.1\nnvidia-cudnn-cu13==9.1.0.70\n",
        "torch==2.9.1\nnvidia-cudnn-cu12==9.1.0.70 ; sys_platform == 'win32'\n",
        "torch==2.9.1\nnvidia-cudnn-cu12\n",
    ],
)
def test_a_library_that_torch_does_not_pin_here_changes_nothing(text: str) -> None:
    assert torch(text) == "2.9.1 cu128"


def test_an_open_torch_goes_back_to_the_release_that_takes_the_library() -> None:
    assert torch("torch<2.9\nnvidia-cudnn-cu12==9.1.0.70\n").endswith("cu124")


def test_a_library_alone_says_nothing_of_torch() -> None:
    assert outcome("nvidia-cudnn-cu12==9.1.0.70\n").silent == outcome("requests\n").silent

"""What a ptxas can assemble, from its strings."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gpudoctor.binaries.ptxas import ptxas_architectures, read_ptxas, triton_ptxas
from gpudoctor.binaries.source import UnreadableBinaryError
from xray.made import Section, elf, pe

STRINGS = (
    b"sm_20\0sm_75\0lto_75\0mallocompute_75\0compute_90a\0compute_120\0compute_120f\0"
    b"compute_\0compute_999x\0Cuda compilation tools, release 12.8, V12.8.93\0"
)


def put(folder: Path, name: str, data: bytes) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize(
    "data",
    [
        elf(Section(".text", b"compute_50\0"), Section(".rodata", STRINGS)),
        pe(Section(".rdata", STRINGS)),
        b"x" * ((1 << 20) - 120) + STRINGS,
    ],
)
def test_its_virtual_architectures_are_what_it_accepts(tmp_path: Path, data: bytes) -> None:
    """Also where a linker merged a name into the end of another word, and across chunks."""
    found = read_ptxas(put(tmp_path, "ptxas", data))
    assert found.architectures == ("sm_75", "sm_90a", "sm_120", "sm_120f")
    assert found.version == "12.8.93"


def test_a_damaged_one_is_searched_whole(tmp_path: Path) -> None:
    data = elf(Section(".rodata", STRINGS))[:-64]
    assert "sm_120" in ptxas_architectures(put(tmp_path, "ptxas", data))


def test_a_script_names_nothing(tmp_path: Path) -> None:
    found = read_ptxas(put(tmp_path, "ptxas", b"#!/bin/sh\nexec ptxas\n"))
    assert (found.architectures, found.version) == ((), None)


def test_tritons_two_assemblers_are_joined(tmp_path: Path) -> None:
    old = elf(Section(".rodata", b"compute_90\0Cuda compilation tools, release 12.9, V12.9.86"))
    new = elf(Section(".rodata", b"compute_120\0Cuda compilation tools, release 13.4, V13.4.59"))
    put(tmp_path, "backends/nvidia/bin/ptxas", old)
    put(tmp_path, "backends/nvidia/bin/ptxas-blackwell", new)
    found = triton_ptxas(str(tmp_path))
    assert found is not None
    assert (found.architectures, found.version) == (("sm_90", "sm_120"), "12.9.86")


def test_a_triton_without_one_has_none(tmp_path: Path) -> None:
    assert triton_ptxas(str(tmp_path)) is None


def test_one_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnreadableBinaryError, match="cannot be read"):
        read_ptxas("/nowhere/ptxas")


REAL = [path for path in ("/usr/local/cuda/bin/ptxas", shutil.which("ptxas") or "") if path]


@pytest.mark.parametrize("path", [path for path in REAL if os.path.getsize(path) > 1 << 20][:1])
def test_a_real_one_says_the_same_when_it_is_asked(path: str) -> None:
    help_text = subprocess.run([path, "--help"], capture_output=True, text=True, check=True).stdout
    option = help_text.split("--gpu-name")[1].split("--")[0]
    assert set(ptxas_architectures(path)) == set(re.findall(r"'(sm_\d+[af]?)'", option))

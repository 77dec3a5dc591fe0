"""The knowledge base's lists against wheels of torch."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpudoctor.binaries.source import UnreadableBinaryError
from gpudoctor.binaries.table_check import verify, version_of
from gpudoctor.kb.software import torch_releases
from xray.made import container, elf, fatbin, wheel

VERSION_FILE = "__version__ = '{}'\ncuda: Optional[str] = {}\nhip: Optional[str] = None\n"
TAGS = "cp311-cp311-manylinux_2_28_x86_64"


def made(folder: Path, version: str, cuda: str | None, *kernels: str, tags: str = TAGS) -> str:
    code = elf(fatbin(*map(container, kernels)))
    text = VERSION_FILE.format(version, repr(cuda))
    path = folder / f"torch-{version.split('+')[0]}-{tags}.whl"
    path.write_bytes(
        wheel([("torch/lib/libtorch_cuda.so", code), ("torch/version.py", text.encode())])
    )
    return str(path)


def expected(torch: str, variant: str) -> str:
    build = torch_releases.build(torch, variant, "linux_x86_64")
    assert build is not None
    return " ".join(build.sass + build.ptx)


def test_a_wheel_with_the_stated_architectures_agrees(tmp_path: Path) -> None:
    listed = expected("2.9.1", "cu128")
    found = verify(made(tmp_path, "2.9.1+cu128", "12.8", listed, f"{listed} sm_90a", "sm_90a"))
    assert found.status == "agrees"
    assert set(found.found) == set(listed.split())


def test_a_wheel_with_others_differs(tmp_path: Path) -> None:
    found = verify(made(tmp_path, "2.9.1+cu128", "12.8", "sm_80 sm_90"))
    assert (found.status, found.found) == ("differs", ("sm_80", "sm_90"))
    assert found.expected == tuple(expected("2.9.1", "cu128").split())


def test_the_variant_is_told_from_cuda_where_the_version_has_no_label(tmp_path: Path) -> None:
    assert verify(made(tmp_path, "2.9.1", "12.8", expected("2.9.1", "cu128"))).status == "agrees"


def test_an_unknown_release_is_unknown_and_its_architectures_are_shown(tmp_path: Path) -> None:
    found = verify(made(tmp_path, "9.9.0+cu999", "99.9", "sm_80 sm_90"))
    assert (found.status, found.found) == ("unknown", ("sm_80", "sm_90"))
    assert found.reason == "it knows no torch 9.9.0+cu999 (cu999) for linux_x86_64"


def test_a_wheel_of_something_else_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "xformers-1-py3-none-any.whl"
    path.write_bytes(wheel([]))
    assert verify(str(path)).status == "unknown"


@pytest.mark.parametrize("text", [b"no version", b"\xff\xfe"])
def test_a_wheel_that_states_no_version_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / f"torch-1-{TAGS}.whl"
    path.write_bytes(wheel([("torch/version.py", text)]))
    with pytest.raises(UnreadableBinaryError, match="version"):
        verify(str(path))


def test_a_version_file_with_types_is_read(tmp_path: Path) -> None:
    assert version_of(made(tmp_path, "2.9.1+cu128", "12.8", "sm_80")) == ("2.9.1+cu128", "12.8")
    assert version_of(made(tmp_path, "2.9.1+cpu", None, "sm_80")) == ("2.9.1+cpu", None)


def test_what_the_wheels_carry_is_what_the_knowledge_base_states() -> None:
    """configs/torch_binaries.yaml, read out of the wheels on PyPI."""
    for version, variant in (("2.14.1", "cu130"), ("2.0.1", "cu117")):
        build = torch_releases.build(version, variant, "linux_x86_64")
        assert build is not None
        assert build.confidence == "binary"
        assert "sm_75" in build.sass

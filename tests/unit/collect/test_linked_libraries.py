"""What torch's libraries are linked to, and whether the loader would find it."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import pytest

from gpudoctor.binaries.formats.elf_dynamic import Dynamic, read_dynamic
from gpudoctor.binaries.source import BytesSource
from gpudoctor.collect.system.linked_libraries import missing_libraries
from gpudoctor.collect.system.sysroot import Sysroot
from xray.made import Section, elf

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the loader is Linux's")

NVPL, CUDSS = "libnvpl_lapack_lp64_gomp.so.0", "libcudss.so.0"


def linked(*needed: str, runpath: str = "") -> bytes:
    """A library that is linked to others."""
    strings, entries = b"\0", b""
    for tag, text in [*((1, name) for name in needed), *([(29, runpath)] if runpath else [])]:
        entries += struct.pack("<QQ", tag, len(strings))
        strings += text.encode() + b"\0"
    entries += struct.pack("<QQ", 0, 0) + struct.pack("<QQ", 1, 1)  # nothing counts after the end
    return elf(Section(".dynamic", entries), Section(".dynstr", strings))


class Home:
    """A site-packages with a torch, and a system beside it."""

    def __init__(self, folder: Path) -> None:
        self.site = folder / "site-packages"
        self.system = folder / "root"
        self.system.mkdir()
        self.libraries = self.site / "torch" / "lib"
        self.libraries.mkdir(parents=True)

    def torch(self, data: bytes, name: str = "libtorch_cpu.so") -> None:
        (self.libraries / name).write_bytes(data)

    def missing(self, **environ: str) -> list[tuple[str, str | None]]:
        found, problem = missing_libraries(
            str(self.site / "torch"), [str(self.site)], environ, Sysroot(str(self.system))
        )
        assert problem is None
        return [(each.name, each.needed_by) for each in found]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_the_dynamic_section_names_what_is_needed_and_where_to_look() -> None:
    data = linked(NVPL, "libc.so.6", runpath="$ORIGIN/../../nvidia/cudss/lib:/opt/x")
    expected = Dynamic((NVPL, "libc.so.6"), ("$ORIGIN/../../nvidia/cudss/lib", "/opt/x"))
    assert read_dynamic(BytesSource(data)) == expected
    assert read_dynamic(BytesSource(elf(Section(".rodata", b"x")))) is None
    assert read_dynamic(BytesSource(b"no library")) is None


def test_a_library_that_lies_nowhere_is_missing(home: Home) -> None:
    home.torch(linked(NVPL, "libc10.so", "libc.so.6", "libstdc++.so.6", "libcuda.so.1"))
    home.torch(linked(CUDSS, NVPL), "libtorch_cuda.so")
    home.torch(linked("libc.so.6"), "libc10.so")
    home.torch(linked("libother.so.1"), "libsomebody.so")  # not torch's own
    assert home.missing() == [(NVPL, "libtorch_cpu.so"), (CUDSS, "libtorch_cuda.so")]


@pytest.mark.parametrize(
    "place",
    [
        "site-packages/torch/lib/{}",
        "site-packages/nvidia/cudss/lib/{}",  # torch loads NVIDIA's wheels by their full path
        "site-packages/nvpl/lib/{}",
        "root/usr/lib/aarch64-linux-gnu/{}",
        "extra/{}",
        "beside/{}",
    ],
)
def test_wherever_the_loader_looks_it_counts_as_found(home: Home, place: str) -> None:
    folder = home.site.parent
    home.torch(linked(CUDSS, runpath="$ORIGIN/../../../beside"))
    file = folder / place.format(CUDSS)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"")
    assert home.missing(LD_LIBRARY_PATH=str(folder / "extra")) == []


def test_the_systems_own_list_counts(home: Home) -> None:
    home.torch(linked(CUDSS))
    path = b"/opt/cudss/" + CUDSS.encode() + b"\0"
    head = b"glibc-ld.so.cache1.1" + struct.pack("<II", 1, len(path)) + bytes(20)
    entry = struct.pack("<III", 1, 0, 48 + 24) + bytes(12)
    (home.system / "etc").mkdir()
    (home.system / "etc" / "ld.so.cache").write_bytes(head + entry + path)
    assert home.missing() == []


def test_a_list_that_cannot_be_read_leaves_it_unknown(home: Home) -> None:
    home.torch(linked(CUDSS))
    (home.system / "etc").mkdir()
    (home.system / "etc" / "ld.so.cache").write_bytes(b"something else")
    found, problem = missing_libraries(
        str(home.site / "torch"), [str(home.site)], {}, Sysroot(str(home.system))
    )
    assert found == ()
    assert problem is not None


def test_a_torch_that_cannot_be_read_is_not_judged(home: Home) -> None:
    home.torch(linked(CUDSS)[:200])
    assert home.missing() == []
